import { expect, setDefaultTimeout } from "bun:test";
import { firstReason, needsProgram, testUnless } from "../support/skip.ts";
import { runInLab } from "./machine.ts";
import { needsLab } from "./needs.ts";

// A whole machine, emulated.
setDefaultTimeout(900_000);

const library = "/usr/lib/x86_64-linux-gnu/librdmacm.so.1";
const reason = firstReason(needsLab(), needsProgram("rdma"));

testUnless(reason)("files go over RDMA: Soft-RoCE on a dummy device", async () => {
  const { output, code } = await runInLab({
    flavour: "full",
    named: { bun: process.execPath },
    modules: ["crc32_generic", "crc32c_generic", "dummy", "rdma_rxe", "rdma_ucm", "ib_uverbs"],
    files: ["ffi", "src/blit", "src/kit", "test/support", "test/ffi/rdma.test.ts"],
    programs: [Bun.which("rdma") ?? "rdma", library, "/lib/x86_64-linux-gnu/libgcc_s.so.1"],
    packages: ["ibverbs-providers"],
    script: [
      "ip link add dm0 type dummy; ip addr add 10.99.0.1/24 dev dm0; ip link set dm0 up",
      "rdma link add rxe0 type rxe netdev dm0; rdma link",
      "export NO_COLOR=1 TRIAD_RDMA_ADDRESS=10.99.0.1",
      "bun test ./test/ffi/rdma.test.ts 2>&1",
    ],
  });
  expect(output).toContain("(pass) a file goes over RDMA as it goes over TCP");
  expect(code).toBe(0);
});
