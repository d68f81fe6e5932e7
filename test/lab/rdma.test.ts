import { expect, setDefaultTimeout } from "bun:test";
import { binaryPath } from "../support/binary.ts";
import { firstReason, needsProgram, testUnless } from "../support/skip.ts";
import { runInLab } from "./machine.ts";
import { needsLab } from "./needs.ts";

// A whole machine, emulated.
setDefaultTimeout(900_000);

const library = "/usr/lib/x86_64-linux-gnu/librdmacm.so.1";
/** What a machine with Soft-RoCE on a dummy device needs. */
const modules = ["crc32_generic", "crc32c_generic", "dummy", "rdma_rxe", "rdma_ucm", "ib_uverbs"];
const setUp = [
  "ip link add dm0 type dummy; ip addr add 10.99.0.1/24 dev dm0; ip link set dm0 up",
  "rdma link add rxe0 type rxe netdev dm0; rdma link",
];

const reason = firstReason(needsLab("long"), needsProgram("rdma"));

testUnless(reason)("files go over RDMA: Soft-RoCE on a dummy device", async () => {
  const { output, code } = await runInLab({
    flavour: "full",
    named: { bun: process.execPath },
    modules,
    files: ["ffi", "src/blit", "src/kit", "test/support", "test/ffi/rdma.test.ts"],
    programs: [Bun.which("rdma") ?? "rdma", library, "/lib/x86_64-linux-gnu/libgcc_s.so.1"],
    packages: ["ibverbs-providers"],
    script: [
      ...setUp,
      "export NO_COLOR=1 TRIAD_RDMA_ADDRESS=10.99.0.1",
      "bun test ./test/ffi/rdma.test.ts 2>&1",
    ],
  });
  expect(output).toContain("(pass) a file goes over RDMA as it goes over TCP");
  expect(code).toBe(0);
});

testUnless(reason)(
  "client and daemon agree on RDMA, and on TCP where it leads nowhere",
  async () => {
    const copy = (address: string, target: string, flags = ""): string =>
      `/bin/triad blit copy --json ${flags} /src/ ${address}:9031:/m/${target}/ || cat /tmp/log`;
    const config = "no_mdns = true\\n[daemon.tls]\\nenabled = true\\n";
    const { output, code } = await runInLab({
      flavour: "full",
      named: { triad: await binaryPath() },
      memoryMb: 2048,
      modules,
      files: [],
      programs: [Bun.which("rdma") ?? "rdma", library, "/lib/x86_64-linux-gnu/libgcc_s.so.1"],
      packages: ["ibverbs-providers"],
      script: [
        ...setUp,
        "mkdir -p /src/d /served; for i in $(seq 60); do echo $i > /src/d/$i; done",
        "dd if=/dev/urandom of=/src/large bs=1M count=3 2>/dev/null",
        "export HOME=/root",
        `printf '[daemon]\\nbind = "0.0.0.0"\\n${config}' > /c`,
        `printf '[[module]]\\nname = "m"\\npath = "/served"\\n' >> /c`,
        "/bin/triad blitd --config /c > /tmp/log 2>&1 &",
        "until grep -q Listening /tmp/log; do sleep 1; done",
        copy("10.99.0.1", "over-rdma", "--tls --accept-new"),
        copy("127.0.0.1", "over-tcp", "--tls --accept-new"),
        "diff -r /src /served/over-rdma && diff -r /src /served/over-tcp",
      ],
    });
    const said = (output.match(/\{"schema":"blit.transfer\/1".*\}/g) ?? []).map(
      (line) => JSON.parse(line) as unknown,
    );
    expect(said).toMatchObject([
      { exitCode: 0, network: { transport: "rdma", isEncrypted: true } },
      { exitCode: 0, network: { transport: "tcp", isEncrypted: true } },
    ]);
    expect(code).toBe(0);
  },
);
