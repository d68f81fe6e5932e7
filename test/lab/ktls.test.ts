import { expect, setDefaultTimeout } from "bun:test";
import { testUnless } from "../support/skip.ts";
import { runInLab } from "./machine.ts";
import { needsLab } from "./needs.ts";

// A whole machine, emulated.
setDefaultTimeout(900_000);

testUnless(needsLab())("streams are encrypted by a kernel that has TLS", async () => {
  const { output, code } = await runInLab({
    modules: ["aes_generic", "ctr", "gcm", "ghash-generic", "tls"],
    files: ["ffi", "src/blit", "src/kit", "test/support", "test/blit/wire"],
    named: { bun: process.execPath },
    script: ["NO_COLOR=1 bun test ./test/blit/wire/ktls.test.ts 2>&1"],
  });
  expect(output).toContain("(pass) a stream that the kernel encrypts > carries files by sendfile");
  expect(output).toContain("(pass) a stream that the kernel encrypts > refuses what was sealed");
  expect(output).toContain(" 0 fail");
  expect(code).toBe(0);
});
