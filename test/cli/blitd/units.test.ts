import { afterAll, expect } from "bun:test";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { runCommand } from "../../support/binary.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";

const units = resolve(import.meta.dir, "../../../packaging/systemd");
const folder = mkdtempSync(join(tmpdir(), "blitd-units-"));
afterAll(() => rmSync(folder, { recursive: true }));

testUnless(needsProgram("systemd-analyze"))("systemd understands the units", async () => {
  const service = readFileSync(join(units, "blitd.service"), "utf8");
  expect(service).toContain("\nExecStart=/usr/bin/blitd\n");
  // The program has to exist.
  const files = [join(folder, "blitd.service"), join(folder, "blitd.socket")] as const;
  writeFileSync(files[0], service.replace("/usr/bin/blitd", "/bin/true"));
  copyFileSync(join(units, "blitd.socket"), files[1]);
  const run = await runCommand(["systemd-analyze", "verify", "--man=no", ...files]);
  expect([run.code, run.stderr]).toEqual([0, ""]);
});
