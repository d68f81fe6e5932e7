import { expect, test } from "bun:test";
import { decodeName, nameProblem } from "../../../src/blast/wheel/zip-name.ts";

test("names are ASCII, UTF-8 where the flag says so, and else code page 437", () => {
  const decode = (bytes: Buffer, isUtf8: boolean) => decodeName(bytes, 0, bytes.length, isUtf8);
  expect(decode(Buffer.from("a/b.py"), false)).toBe("a/b.py");
  expect(decode(Buffer.from("ü/δ.py"), true)).toBe("ü/δ.py");
  expect(decode(Buffer.from([0x81, 0x2f, 0xeb, 0xff]), false)).toBe("ü/δ\u00a0");
  expect(decode(Buffer.from([0x81]), true)).toBeUndefined();
  // A byte order mark is part of a name.
  expect(decode(Buffer.from("\ufeffa"), true)).toBe("\ufeffa");
  expect(decodeName(Buffer.from("xxa.pyxx"), 2, 6, false)).toBe("a.py");
});

test("every byte of code page 437 has its character", () => {
  const bytes = Buffer.from(Array.from({ length: 128 }, (_, index) => index + 128));
  const text = decodeName(bytes, 0, 128, false) ?? "";
  expect(new Set(text).size).toBe(128);
  expect(text.startsWith("Çüéâ")).toBeTrue();
  expect(text.indexOf("░")).toBe(0xb0 - 128);
  expect(text.indexOf("≡")).toBe(0xf0 - 128);
});

test("plain relative paths may be made", () => {
  for (const path of [
    "a",
    "a/b.py",
    "a b/c",
    ".hidden",
    "a..b/..c",
    "ä/ß",
    "ab:c",
    "x".repeat(255),
  ]) {
    expect(nameProblem(path)).toBeUndefined();
  }
});

test("whatever leads out, or can be read in two ways, is refused", () => {
  const cases: Record<string, string> = {
    "": "it has no name",
    "a\0b": "its name holds a control character",
    "a\nb": "its name holds a control character",
    "a\u0085b": "its name holds a control character",
    "a\\b": "its name holds a backslash",
    "/etc/passwd": "its path is absolute",
    "C:/x": "its path starts with a drive letter",
    "c:x": "its path starts with a drive letter",
    "..": 'its path leads out by ".."',
    "a/../../b": 'its path leads out by ".."',
    "a/..": 'its path leads out by ".."',
    "./a": "its path is not in its plainest form",
    "a//b": "its path is not in its plainest form",
    "a/./b": "its path is not in its plainest form",
    "a/": "its path is not in its plainest form",
    [Array(65).fill("a").join("/")]: "it lies more than 64 folders deep",
    ["x".repeat(256)]: "a name of its path is too long",
    ["ü".repeat(128)]: "a name of its path is too long",
    [Array(20).fill("x".repeat(120)).join("/")]: "its path is too long",
  };
  for (const [path, problem] of Object.entries(cases)) expect(nameProblem(path)).toBe(problem);
});
