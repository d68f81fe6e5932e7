import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { writeFileAtomic } from "../../../src/kit/store/atomic.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "kit-atomic-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("makes and replaces a file, with the mode asked for whatever the umask", () => {
  const path = join(folder, "a");
  const old = process.umask(0o077);
  try {
    writeFileAtomic({ path, content: "one" });
    expect(statSync(path).mode & 0o777).toBe(0o644);
    writeFileAtomic({ path, content: Buffer.from("two"), mode: 0o600 });
  } finally {
    process.umask(old);
  }
  expect(readFileSync(path, "utf8")).toBe("two");
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(folder)).toEqual(["a"]);
});

test("replaces a symbolic link rather than what it points to", () => {
  writeFileSync(join(folder, "victim"), "old");
  symlinkSync("victim", join(folder, "link"));
  writeFileAtomic({ path: join(folder, "link"), content: "new" });
  expect(readFileSync(join(folder, "victim"), "utf8")).toBe("old");
  expect(readFileSync(join(folder, "link"), "utf8")).toBe("new");
});

test("a failure is a fault and leaves nothing behind", () => {
  const inTheWay = join(folder, "d");
  mkdirSync(inTheWay);
  const attempt = (path: string) => {
    try {
      writeFileAtomic({ path, content: "x" });
    } catch (error) {
      return error as Fault;
    }
    return undefined;
  };
  const fault = attempt(inTheWay);
  expect(fault).toBeInstanceOf(Fault);
  expect([fault?.code, fault?.message]).toEqual(["E_IO", `Cannot write "${inTheWay}"`]);
  expect(readdirSync(folder)).toEqual(["d"]);
  expect(attempt(join(folder, "absent", "f"))?.details["errno"]).toBe("ENOENT");
});
