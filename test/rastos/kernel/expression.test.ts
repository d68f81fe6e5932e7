import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { evaluate, obstacles, parseExpression } from "../../../src/rastos/kernel/expression.ts";

const VALUES: Record<string, string> = { A: "y", M: "m", N: "n", NUM: "12", TEXT: '"gcc"' };
const lookup = (name: string): string | undefined => VALUES[name];

function value(text: string): number | undefined {
  const expression = parseExpression(text);
  if (expression === undefined) throw new Error(`not understood: ${text}`);
  return evaluate(expression, lookup);
}

describe("tristate logic, by kconfig-language.rst", () => {
  test.each([
    ["A", 2],
    ["M", 1],
    ["N", 0],
    ["GONE", 0],
    ["A && M", 1],
    ["M || N", 1],
    ["!M", 1],
    ["!A", 0],
    ["!N && (A || GONE)", 2],
    ["A && N || A", 2],
    ["A || N && N", 2],
    ["M = m", 2],
    ["GONE=n", 2],
    ["GONE != n", 0],
    ["NUM >= 9", 2],
    ["NUM < 9", 0],
    ['TEXT = "gcc"', 2],
    ["$(cc-option,-fsanitize=(x))", undefined],
    ["N && $(success,true)", 0],
    ["A || $(success,true)", 2],
    ["A && $(success,true)", undefined],
  ])("%s is %p", (text, expected) => expect(value(text)).toBe(expected as number));

  test.each(["", "A &&", "(A", "A B", "&& A", "!"])("%p is none", (text) =>
    expect(parseExpression(text)).toBeUndefined(),
  );
});

test("agrees with a truth table made by JavaScript", () => {
  const leaf = fc.constantFrom("A", "M", "N");
  const { tree } = fc.letrec<{ tree: string }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 4 },
      leaf,
      tie("tree").map((inner) => `!(${inner})`),
      fc.tuple(tie("tree"), tie("tree")).map(([a, b]) => `(${a}) && (${b})`),
      fc.tuple(tie("tree"), tie("tree")).map(([a, b]) => `(${a}) || (${b})`),
    ),
  }));
  const levels: Record<string, number> = { A: 2, M: 1, N: 0 };
  const oracle = (text: string): number => {
    const code = text
      .replace(/[AMN]/g, (name) => `c(${levels[name]})`)
      .replaceAll("&&", ".and")
      .replaceAll("||", ".or")
      .replaceAll("!", "not");
    const c = (level: number) => ({
      level,
      and: (other: { level: number }) => c(Math.min(level, other.level)),
      or: (other: { level: number }) => c(Math.max(level, other.level)),
    });
    const not = ({ level }: { level: number }) => c(2 - level);
    return new Function("c", "not", `return (${code}).level`)(c, not);
  };
  fc.assert(fc.property(tree, (text) => expect(value(text)).toBe(oracle(text))));
});

test("nothing that a file can hold makes it throw", () => {
  const piece = fc.constantFrom("A", "&&", "||", "!", "(", ")", "=", "$(", '"', "'", " ", "<=");
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 40 }), (pieces) => {
      const expression = parseExpression(pieces.join(""));
      if (expression !== undefined) obstacles(expression, lookup, 2);
    }),
  );
  expect(parseExpression("!".repeat(10_000))).toBeUndefined();
  expect(parseExpression("(".repeat(10_000))).toBeUndefined();
});

test.each([
  ["A && N", 2, ["needs N"]],
  ["M", 2, ["needs M=y (it is m)"]],
  ["M", 1, []],
  ["GONE && !A && NUM > 20", 1, ["needs GONE", "needs A off", "needs NUM>20"]],
  ["N || GONE", 1, ["needs N or GONE"]],
  ["$(cc-option,-x)", 1, ["needs $(cc-option,-x) of the compiler"]],
] as const)("what stands in the way of %s", (text, least, expected) => {
  const expression = parseExpression(text);
  expect(expression && obstacles(expression, lookup, least)).toEqual([...expected]);
});
