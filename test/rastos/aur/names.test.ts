import { expect, test } from "bun:test";
import { isPackageName, parseAurSpec } from "../../../src/rastos/aur/names.ts";

test("names that could be paths or flags are none", () => {
  for (const name of ["gtk+", "r8168-dkms", "@scope", "a.b_c", "7zip"]) {
    expect(isPackageName(name)).toBe(true);
  }
  for (const name of [
    "",
    ".",
    "..",
    "-f",
    ".a",
    "a/b",
    "a b",
    "a\n",
    "a;b",
    "é",
    "a".repeat(300),
  ]) {
    expect(isPackageName(name)).toBe(false);
  }
});

test("a commit may follow", () => {
  expect(parseAurSpec("paru")).toEqual({ name: "paru", commit: undefined });
  expect(parseAurSpec("paru#ABCDEF0")).toEqual({ name: "paru", commit: "abcdef0" });
  for (const text of ["paru#", "paru#abc", "paru#xyzxyzx", "#abcdef0", "a/b"]) {
    expect(() => parseAurSpec(text)).toThrow(/no name of a package/);
  }
});
