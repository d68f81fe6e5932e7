import { expect, test } from "bun:test";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { listPlace } from "../../../src/blit/admin/list.ts";
import type { AdminEntry } from "../../../src/blit/admin/types.ts";
import type { Base } from "../../../src/blit/session/types.ts";
import { OWN_PATHS, openModuleBase } from "../../support/module-base.ts";
import { createWorkspace } from "../../support/workspace.ts";

function list(base: Base, path: string, isEntryItself = false): AdminEntry[] {
  const entries = [...listPlace(base, path, isEntryItself)].flatMap((one) => one?.entries ?? []);
  return entries.sort((a, b) => (a.path < b.path ? -1 : 1));
}

test("a folder's entries, with what lstat says of each", () => {
  using work = createWorkspace();
  work.write("module/a.txt", "12345", { mtimeSeconds: 1_700_000_000 });
  work.folder("module/b");
  symlinkSync("a.txt", work.at("module/c"));
  writeFileSync(Buffer.from(`${work.at("module")}/\xff`, "latin1"), "");
  using base = openModuleBase(work.at("module"));
  const entries = list(base, "");
  expect(entries.map(({ path, kind }) => [path, kind])).toEqual([
    ["a.txt", "file"],
    ["b", "folder"],
    ["c", "symlink"],
    ["\xff", "file"],
  ]);
  expect(entries[0]).toMatchObject({ sizeBytes: 5, mtimeSec: 1_700_000_000, mtimeNsec: 0 });
  expect(entries[2]?.linkTarget).toBe("a.txt");
});

test("an entry itself has no path; a slash behind a link looks through it", () => {
  using work = createWorkspace();
  work.write("module/folder/inside", "");
  symlinkSync("folder", work.at("module/link"));
  using base = openModuleBase(work.at("module"));
  expect(list(base, "folder", true).map(({ path, kind }) => [path, kind])).toEqual([
    ["", "folder"],
  ]);
  expect(list(base, "link").map(({ path, kind }) => [path, kind])).toEqual([["", "symlink"]]);
  expect(list(base, "link/").map(({ path }) => path)).toEqual(["inside"]);
  expect(list(base, "/folder/").map(({ path }) => path)).toEqual(["inside"]);
});

test("nothing leads out of a module", () => {
  using work = createWorkspace();
  work.write("secret/key", "s");
  work.folder("module/sub");
  symlinkSync("../secret", work.at("module/out"));
  symlinkSync(work.at("secret"), work.at("module/absolute"));
  symlinkSync("sub/../../secret", work.at("module/nested"));
  using base = openModuleBase(work.at("module"));
  for (const path of ["..", "../secret", "sub/../../secret", "out/", "absolute/", "nested/key"]) {
    expect(() => list(base, path)).toThrow(expect.objectContaining({ code: "E_REFUSED" }));
  }
  // The link itself may be looked at: that does not leave.
  expect(list(base, "out")[0]?.linkTarget).toBe("../secret");
});

test("what is not there is E_NOT_FOUND, in the user's own paths too", () => {
  using work = createWorkspace();
  work.write("file", "");
  for (const path of ["gone", "file/below"]) {
    expect(() => list(OWN_PATHS, work.at(path))).toThrow(
      expect.objectContaining({ code: "E_NOT_FOUND" }),
    );
  }
});

test("a folder of many entries comes in bounded parts", () => {
  using work = createWorkspace();
  mkdirSync(work.at("many"));
  const long = "n".repeat(200);
  for (let index = 0; index < 400; index += 1) writeFileSync(work.at(`many/${long}${index}`), "");
  const chunks = [...listPlace(OWN_PATHS, work.at("many"), false)].filter(
    (one) => one !== undefined,
  );
  expect(chunks.length).toBeGreaterThan(2);
  expect(chunks.every(({ entries }) => entries.length < 200)).toBe(true);
  expect(new Set(chunks.flatMap(({ entries }) => entries.map(({ path }) => path))).size).toBe(400);
});
