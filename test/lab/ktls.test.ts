import { expect, setDefaultTimeout } from "bun:test";
import { binaryPath } from "../support/binary.ts";
import { testUnless } from "../support/skip.ts";
import { runInLab } from "./machine.ts";
import { needsLab } from "./needs.ts";

// A whole machine, emulated.
setDefaultTimeout(900_000);

const modules = ["aes_generic", "ctr", "gcm", "ghash-generic", "tls"];

testUnless(needsLab("long"))("streams are encrypted by a kernel that has TLS", async () => {
  const { output, code } = await runInLab({
    modules,
    files: ["ffi", "src/blit", "src/kit", "test/support", "test/blit/wire"],
    named: { bun: process.execPath },
    script: ["NO_COLOR=1 bun test ./test/blit/wire/ktls.test.ts 2>&1"],
  });
  expect(output).toContain("(pass) a stream that the kernel encrypts > carries files by sendfile");
  expect(output).toContain("(pass) a stream that the kernel encrypts > refuses what was sealed");
  expect(output).toContain(" 0 fail");
  expect(code).toBe(0);
});

testUnless(needsLab())("client and daemon leave encryption to kernels that have TLS", async () => {
  const config = "[daemon]\\nno_mdns = true\\n[daemon.tls]\\nenabled = true\\n";
  const { output, code } = await runInLab({
    modules,
    named: { triad: await binaryPath() },
    memoryMb: 2048,
    script: [
      "mkdir -p /src/d /served; for i in $(seq 60); do echo $i > /src/d/$i; done",
      "dd if=/dev/urandom of=/src/large bs=1M count=3 2>/dev/null",
      "export HOME=/root",
      `printf '${config}[[module]]\\nname = "m"\\npath = "/served"\\n' > /c`,
      "/bin/triad blitd --config /c > /tmp/log 2>&1 &",
      "until grep -q Listening /tmp/log; do sleep 1; done",
      "for to in push pull; do",
      "  from=/src/; place=127.0.0.1:/m/pushed/",
      "  [ $to = pull ] && from=127.0.0.1:/m/pushed/ place=/pulled/",
      // The limits of a connection do not grow with the load that a guest is emulated under.
      "  for turn in 1 2 3; do",
      "    /bin/triad blit copy --json --tls --accept-new $from $place > /tmp/told && break",
      "    cat /tmp/log",
      "  done",
      "  cat /tmp/told",
      "done",
      "cat /proc/net/tls_stat",
      "diff -r /src /served/pushed && diff -r /src /pulled",
    ],
  });
  expect(
    output.match(/"network":\{"transport":"tcp","streams":2,"isEncrypted":true\}/g),
  ).toHaveLength(2);
  // Two transfers of two streams with two ends each; looking for TLS takes some for a moment too.
  const ends = (name: string): number => Number(new RegExp(`${name}\\s+(\\d+)`).exec(output)?.[1]);
  expect(ends("TlsTxSw")).toBeGreaterThanOrEqual(14);
  expect(ends("TlsRxSw")).toBeGreaterThanOrEqual(14);
  expect(ends("TlsDecryptError")).toBe(0);
  expect(code).toBe(0);
});
