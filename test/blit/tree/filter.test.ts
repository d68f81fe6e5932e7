import { describe, expect, test } from "bun:test";
import { compileFilter, compileFilterJson } from "../../../src/blit/tree/filter.ts";
import { type FilterRule, rulesOfFile } from "../../../src/blit/tree/filter-rules.ts";

const exclude = (pattern: string): FilterRule => ({
  kind: "exclude",
  pattern,
  origin: "--exclude",
});
const include = (pattern: string): FilterRule => ({
  kind: "include",
  pattern,
  origin: "--include",
});
const bytes = (text: string) => Buffer.from(text, "utf8").toString("latin1");

function excluded(rules: FilterRule[], path: string, isDirectory = false): boolean {
  return compileFilter({ rules })?.isExcluded(path, isDirectory) ?? false;
}

describe("what a rule matches", () => {
  test("no rules, or rules that say nothing: no filter", () => {
    expect(compileFilter({ rules: [] })).toBeUndefined();
    expect(compileFilter({ rules: rulesOfFile(Buffer.from("# c\n\n  \n"), "f") })).toBeUndefined();
  });

  test("a bare name at every level, folder or file, and all beneath it", () => {
    expect(excluded([exclude("build")], "build", true)).toBe(true);
    expect(excluded([exclude("build")], "a/build", false)).toBe(true);
    expect(excluded([exclude("build")], "a/build/b/c", false)).toBe(true);
    expect(excluded([exclude("build")], "a/builds", false)).toBe(false);
  });

  test("a trailing slash asks for a folder", () => {
    expect(excluded([exclude("build/")], "build", true)).toBe(true);
    expect(excluded([exclude("build/")], "build", false)).toBe(false);
  });

  test("a leading slash is the source folder", () => {
    expect(excluded([exclude("/a")], "a")).toBe(true);
    expect(excluded([exclude("/a")], "b/a")).toBe(false);
  });

  test("case counts", () => {
    expect(excluded([exclude("*.LOG")], "a.log")).toBe(false);
  });

  test("a name with accents is matched as text, one character per ?", () => {
    expect(excluded([exclude("é*")], bytes("été.txt"))).toBe(true);
    expect(excluded([exclude("x?y")], bytes("xéy"))).toBe(true);
    expect(excluded([exclude("é*")], bytes("e.txt"))).toBe(false);
  });

  test("invalid bytes match wildcards only", () => {
    expect(excluded([exclude("é*")], "\xe9t\xe9")).toBe(false);
    expect(excluded([exclude("\uFFFD*")], "\xff.bin")).toBe(false);
    expect(excluded([exclude("*.bin")], "\xff.bin")).toBe(true);
    expect(excluded([exclude("?.bin")], "\xff.bin")).toBe(true);
  });

  test("a filter file can name invalid bytes as they are", () => {
    const rules = rulesOfFile(Buffer.from("\xff*\n", "latin1"), "f");
    expect(excluded(rules, "\xff.bin")).toBe(true);
    expect(excluded(rules, "\xfe.bin")).toBe(false);
  });

  test("odd names neither throw nor surprise", () => {
    const odd = [
      "..foo",
      " lead",
      "trail ",
      "new\nline",
      "back\\slash",
      "...",
      "a\rb",
      "__proto__",
    ];
    for (const name of odd) {
      for (const path of [name, `${name}/${name}`, `d/${name}`]) {
        expect(excluded([exclude("never-there")], path)).toBe(false);
        expect(excluded([exclude("d?")], path)).toBe(false); // past the prescreen
        expect(excluded([exclude("*")], path)).toBe(true);
      }
    }
    expect(excluded([exclude("trail\\ ")], "trail ")).toBe(true);
    expect(excluded([exclude("new\nline")], "new\nline")).toBe(true);
    expect(excluded([exclude("Icon\r")], "Icon\r")).toBe(true);
    expect(excluded([exclude("Icon\r")], "Icon")).toBe(false);
    expect(excluded([exclude("a\\\\")], "a\\")).toBe(true);
  });

  test("on the command line # is a character, in a file a comment", () => {
    expect(excluded([exclude("#x#")], "#x#")).toBe(true);
    expect(excluded([{ kind: "line", pattern: "#x#", origin: "f:1" }], "#x#")).toBe(false);
  });

  test("a chain of 5,000 folders, walked down and up again, is no problem", () => {
    const filter = compileFilter({ rules: [exclude("x?"), exclude("deep/bad")] });
    const chain = Array.from({ length: 5000 }, () => "d");
    for (let depth = 1; depth <= chain.length; depth += 50) {
      const folder = chain.slice(0, depth).join("/");
      expect(filter?.isExcluded(folder, true)).toBe(false);
      expect(filter?.isExcluded(`${folder}/xy/z`, false)).toBe(true);
      expect(filter?.isExcluded(`${folder}/y`, false)).toBe(false);
    }
    for (let depth = chain.length; depth > 0; depth -= 500) {
      expect(filter?.isExcluded(`${chain.slice(0, depth).join("/")}/y`, false)).toBe(false);
    }
  });

  test("what is known of one folder is not taken for another", () => {
    const filter = compileFilter({ rules: [exclude("/a/b?"), exclude("/a/bc/d")] });
    const asked: [string, boolean][] = [
      ["a/b/f", false],
      ["a/bx/f", true],
      ["a/b/c/f", false],
      ["a/b/f", false],
      ["a/f", false],
      ["ab/f", false],
      ["a/bx/c/f", true],
      ["a/b", false],
      ["a/by", true],
    ];
    for (const [path, expected] of [...asked, ...asked.toReversed()]) {
      expect([path, filter?.isExcluded(path, false)]).toEqual([path, expected]);
    }
  });

  test("answers stay right beyond the point where the library is renewed", () => {
    const filter = compileFilter({ rules: [exclude("*.log"), include("keep?.log")] });
    for (let index = 0; index < 5000; index += 1) {
      expect(filter?.isExcluded(`d${index % 7}/f${index}.log`, false)).toBe(true);
      expect(filter?.isExcluded(`d${index % 7}/keep${index % 10}.log`, false)).toBe(false);
    }
  });
});

describe("the order of rules", () => {
  test("the last one that matches decides", () => {
    expect(excluded([exclude("*.log"), include("keep.log")], "keep.log")).toBe(false);
    expect(excluded([include("keep.log"), exclude("*.log")], "keep.log")).toBe(true);
    expect(excluded([exclude("*.log"), exclude("!keep.log")], "keep.log")).toBe(false);
    expect(excluded([exclude("*.log"), include("!keep.log")], "keep.log")).toBe(false);
  });

  test("nothing beneath an excluded folder comes back", () => {
    const rules = [exclude("build/"), include("build/keep")];
    expect(excluded(rules, "build", true)).toBe(true);
    expect(excluded(rules, "build/keep")).toBe(true);
    expect(excluded([exclude("build/*"), include("build/keep")], "build/keep")).toBe(false);
  });

  test("a filter file keeps its lines in place and order", () => {
    const rules = rulesOfFile(Buffer.from("\uFEFF*.o\r\n# all\n\n!main.o\r\n"), "my.rules");
    expect(rules.map((rule) => [rule.pattern, rule.origin])).toEqual([
      ["*.o", "my.rules:1"],
      ["!main.o", "my.rules:4"],
    ]);
    expect(excluded(rules, "x.o")).toBe(true);
    expect(excluded(rules, "main.o")).toBe(false);
  });
});

test("a worker's copy decides the same", () => {
  const filter = compileFilter({ rules: [exclude("*.log"), include("é.log"), exclude("#x")] });
  if (filter === undefined) throw new Error("no filter");
  const copy = compileFilterJson(structuredClone(filter.serialise()));
  for (const path of ["a.log", bytes("é.log"), "#x", "b", "#x/c"]) {
    expect(copy.isExcluded(path, false)).toBe(filter.isExcluded(path, false));
  }
  expect(copy.serialise()).toEqual(filter.serialise());
});
