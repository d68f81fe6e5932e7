import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { displayPath, joinPath, meansContents, splitPath } from "../../../src/blit/engine/path.ts";

const latin1 = (text: string): string => Buffer.from(text, "utf8").toString("latin1");

describe("displayPath()", () => {
  test("leaves plain text and UTF-8 as they are", () => {
    expect(displayPath("a/b.txt")).toBe("a/b.txt");
    expect(displayPath(latin1("größe/日本"))).toBe("größe/日本");
  });

  test("escapes control characters and bytes that are no UTF-8", () => {
    expect(displayPath("a\nb\tc\x1b[31m")).toBe("a\\nb\\tc\\x1b[31m");
    expect(displayPath("x\xff\xc3")).toBe("x\\xff\\xc3");
  });

  test("escapes the control characters above ASCII, and what turns the reading direction", () => {
    expect(displayPath(latin1("a\x9b2Jb"))).toBe("a\\x9b2Jb");
    expect(displayPath(latin1("a\u202egpj.exe"))).toBe("a\\u202egpj.exe");
  });

  test("never lets a control character through", () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 40 }), (bytes) => {
        const shown = displayPath(Buffer.from(bytes).toString("latin1"));
        // biome-ignore lint/suspicious/noControlCharactersInRegex: that is the question
        expect(shown).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
      }),
    );
  });
});

describe("splitPath()", () => {
  test("gives folder and last name", () => {
    expect(splitPath("a/b/c")).toEqual({ folder: "a/b", name: "c" });
    expect(splitPath("a/b/")).toEqual({ folder: "a", name: "b" });
    expect(splitPath("a")).toEqual({ folder: ".", name: "a" });
    expect(splitPath("/a")).toEqual({ folder: "/", name: "a" });
    expect(splitPath("//")).toEqual({ folder: "/", name: "." });
  });

  test("is undone by joinPath() for paths without doubled slashes", () => {
    const name = fc.stringMatching(/^[a-z]{1,8}$/);
    fc.assert(
      fc.property(fc.array(name, { minLength: 2, maxLength: 5 }), (names) => {
        const path = names.join("/");
        const { folder, name: last } = splitPath(path);
        expect(joinPath(folder, last)).toBe(path);
      }),
    );
  });
});

test("meansContents() knows a slash, a dot and two dots at the end", () => {
  for (const path of ["a/", ".", "..", "a/.", "a/..", "/"]) expect(meansContents(path)).toBe(true);
  for (const path of ["a", "a/b", ".a", "a.", "..a", "a.."])
    expect(meansContents(path)).toBe(false);
});
