import { expect, test } from "bun:test";
import fc from "fast-check";
import { compileNamePattern } from "../../../src/blit/tree/name-pattern.ts";

const fits = (pattern: string, name: string, foldsCase = false): boolean =>
  compileNamePattern(latin1(pattern), foldsCase)(latin1(name));
const latin1 = (text: string): string => Buffer.from(text).toString("latin1");

test("stars, question marks, sets and backslashes, as find -name has them", () => {
  expect(fits("*.jpg", "a.jpg")).toBe(true);
  expect(fits("*.jpg", ".jpg")).toBe(true);
  expect(fits("*.jpg", "a.JPG")).toBe(false);
  expect(fits("*.jpg", "a.JPG", true)).toBe(true);
  expect(fits("?", "é")).toBe(true);
  expect(fits("[a-cé]x", "éx")).toBe(true);
  expect(fits("[!a-c]", "d")).toBe(true);
  expect(fits("[^a-c]", "b")).toBe(false);
  expect(fits("[]]", "]")).toBe(true);
  expect(fits("[a", "[a")).toBe(true);
  expect(fits("\\*", "*")).toBe(true);
  expect(fits("\\*", "a")).toBe(false);
  expect(fits("", "a")).toBe(false);
  expect(compileNamePattern("*\xff*", false)("a\xffb")).toBe(true);
});

test("what can fit no name is told", () => {
  for (const pattern of ["a/b", "a\\"]) {
    expect(() => compileNamePattern(pattern, false)).toThrow(
      expect.objectContaining({ code: "E_USAGE" }),
    );
  }
});

/** The definition, at exponential cost. */
function slowly(pattern: string, name: string): boolean {
  const [first, ...rest] = pattern;
  if (first === undefined) return name === "";
  if (first === "*") {
    return slowly(rest.join(""), name) || (name !== "" && slowly(pattern, name.slice(1)));
  }
  return (
    name !== "" && (first === "?" || first === name[0]) && slowly(rest.join(""), name.slice(1))
  );
}

test("fits what its definition fits", () => {
  const letters = fc.string({ unit: fc.constantFrom("a", "b", "*", "?"), maxLength: 8 });
  const names = fc.string({ unit: fc.constantFrom("a", "b"), maxLength: 8 });
  fc.assert(
    fc.property(letters, names, (pattern, name) => {
      expect(fits(pattern, name)).toBe(slowly(pattern, name));
    }),
    { numRuns: 2000 },
  );
});

test("a hostile pattern takes no time", () => {
  expect(fits("*a".repeat(500), `${"a".repeat(250)}b`)).toBe(false);
});
