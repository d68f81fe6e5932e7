import { expect, test } from "bun:test";
import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { type CpioEntry, writeCpio } from "../../../src/rastos/boot/cpio.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";

const entries: readonly CpioEntry[] = [
  { kind: "folder", path: "bin", mode: 0o755 },
  { kind: "file", path: "bin/a", mode: 0o750, content: Buffer.from("content") },
  { kind: "file", path: "empty", mode: 0o644, content: new Uint8Array(0) },
  { kind: "link", path: "bin/sh", target: "a" },
];

testUnless(needsProgram("cpio"))("cpio(1) unpacks what was packed", () => {
  using work = createWorkspace();
  const unpacked = Bun.spawnSync(["cpio", "-idm", "--quiet"], {
    cwd: work.path,
    stdin: Buffer.from(writeCpio(entries, 1_000_000)),
    stderr: "pipe",
  });
  expect(unpacked.stderr.toString()).toBe("");
  expect(readdirSync(work.path).sort()).toEqual(["bin", "empty"]);
  expect(readFileSync(work.at("bin/a"), "utf8")).toBe("content");
  expect(statSync(work.at("bin/a")).mode & 0o777).toBe(0o750);
  expect(statSync(work.at("bin/a")).mtimeMs).toBe(1_000_000_000);
  expect(readlinkSync(work.at("bin/sh"))).toBe("a");
});

test("the same entries give the same bytes, in whole blocks", () => {
  const bytes = writeCpio(entries, 0);
  expect(Buffer.from(bytes).equals(Buffer.from(writeCpio(entries, 0)))).toBe(true);
  expect(bytes.length % 512).toBe(0);
});
