import { describe, expect, test } from "bun:test";
import { compileFilter } from "../../../src/blit/tree/filter.ts";
import type { FilterRule } from "../../../src/blit/tree/filter-rules.ts";
import type { SourceHints } from "../../../src/blit/tree/filter-warnings.ts";

/** "-x" excludes, "+x" includes, anything else is a line of a file. */
function warn(rules: string[], hints: SourceHints = {}) {
  const given = rules.map((text, index): FilterRule => {
    if (text[0] === "-") return { kind: "exclude", pattern: text.slice(1), origin: "--exclude" };
    if (text[0] === "+") return { kind: "include", pattern: text.slice(1), origin: "--include" };
    return { kind: "line", pattern: text, origin: `f:${index + 1}` };
  });
  return (compileFilter({ rules: given, ...hints })?.warnings() ?? []).map((warning) => ({
    ...warning,
  }));
}

describe("patterns that can match nothing are named", () => {
  const cases: [string, RegExp, RegExp][] = [
    ["-", /empty/, /^$/],
    ["-  ", /empty/, /^$/],
    ["-!", /empty/, /^$/],
    ["-./build", /starts with "\.\/"/, /write "\/build"/],
    ["-a/../b", /"\.\." segment/, /without/],
    ["-..", /"\.\." segment/, /without/],
    ["-a//b", /empty path segment/, /single/],
    ["-/", /empty path segment/, /"\*" for everything/],
    ["-name\\", /backslash/, /"name\\\\\\\\"/],
    ["-[draft", /without its "\]"/, /"\\\\\[draft"/],
    ["!", /empty/, /^$/],
  ];
  for (const [rule, message, hint] of cases) {
    test(JSON.stringify(rule), () => {
      const [first, ...more] = warn([rule]);
      expect(first?.message).toMatch(message);
      expect(first?.hint ?? "").toMatch(hint);
      expect(more).toEqual([]);
    });
  }

  test("with its pattern and origin", () => {
    expect(warn(["*.o", "./x"])).toMatchObject([{ pattern: "./x", origin: "f:2" }]);
  });
});

describe("paths of the machine (audit-19)", () => {
  const hints = { sourceRoots: ["/home/me/src"] };
  test("beneath the source: the pattern that was meant", () => {
    expect(warn(["-/home/me/src/x"], hints)[0]?.hint).toContain('write "/x"');
    expect(warn(["-/home/me/src"], hints)[0]?.message).toContain("the source itself");
  });
  test("elsewhere on the machine", () => {
    expect(warn(["-/home/me/other/x"], hints)[0]?.message).toContain('no "home"');
    const known = { ...hints, hasTopLevel: (name: string) => name === "etc" };
    expect(warn(["-/var/cache/x"], known)).toHaveLength(1);
    expect(warn(["-/etc/x"], known)).toEqual([]);
  });
  test("no false alarm: the root as source, one segment, a source that has such a folder", () => {
    expect(warn(["-/home/me/x"], { sourceRoots: ["/"] })).toEqual([]);
    expect(warn(["-/target"], hints)).toEqual([]);
    expect(warn(["-/var/cache/x"], hints)).toEqual([]);
    expect(warn(["-/home/me/src/x"], { ...hints, hasTopLevel: () => true })).toEqual([]);
    expect(warn(["-/*/x"], { ...hints, hasTopLevel: () => false })).toEqual([]);
  });
});

describe("includes that can do nothing", () => {
  test("before any exclude: rsync's order, or an include alone", () => {
    expect(warn(["+*.jpg", "-*"])[0]?.hint).toContain("put --include after");
    expect(warn(["+*.jpg"])[0]?.message).toContain("no excluding rule comes before");
    expect(warn(["!*.jpg"])[0]?.hint).toContain("put it after");
  });
  test("beneath an excluded folder", () => {
    const [first] = warn(["-build/", "+build/sub/keep"]);
    expect(first?.message).toContain('the folder "build" is excluded');
    expect(first?.hint).toContain('"/build/*"');
    expect(warn(["-été/", "+/été/a"])).toHaveLength(1);
  });
  test("everything excluded, folders too", () => {
    expect(warn(["-*", "+*.jpg"])[0]?.hint).toContain('"*/"');
    expect(warn(["-*", "+*/", "+*.jpg"])).toEqual([]);
  });
  test("no false alarm", () => {
    expect(
      warn(["-build/*", "+build/keep", "-*.log", "+keep.log", "-[a-z]", "-\\[x", "-[]]"]),
    ).toEqual([]);
    expect(warn(["-*.o", "# comment", "", "  "])).toEqual([]);
    expect(warn(["-#x#", "-a\\ "])).toEqual([]);
  });
});
