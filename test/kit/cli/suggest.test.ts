import { expect, test } from "bun:test";
import fc from "fast-check";

import { suggest } from "../../../src/kit/cli/suggest.ts";

const COMMANDS = [
  { word: "copy", synonyms: ["cp"] },
  { word: "mirror" },
  { word: "move", synonyms: ["mv"] },
  { word: "list", synonyms: ["ls"] },
  { word: "diagnostics" },
];

test.each([
  ["cpoy", "copy"],
  ["copyy", "copy"],
  ["moev", "move"],
  ["mirro", "mirror"],
  ["MIRROR", "mirror"],
  ["mv", "move"],
  ["ls", "list"],
  ["diag", "diagnostics"],
  ["m", undefined],
  ["frobnicate", undefined],
  ["", undefined],
])("%j suggests %p", (typed, wanted) => {
  expect(suggest(typed, COMMANDS)).toBe(wanted as string);
});

test("the nearer one wins: instal is install, not init", () => {
  expect(suggest("instal", [{ word: "init" }, { word: "install" }])).toBe("install");
});

test("one slip of the fingers in a word of four letters or more is always forgiven", () => {
  const word = fc.constantFrom(...COMMANDS.map((command) => command.word));
  const letter = fc.constantFrom(..."abcdefghijklmnopqrstuvwxyz");
  fc.assert(
    fc.property(
      word,
      fc.nat({ max: 20 }),
      letter,
      fc.nat({ max: 3 }),
      (target, at, other, slip) => {
        const i = at % target.length;
        const slips = [
          target.slice(0, i) + target.slice(i + 1),
          target.slice(0, i) + other + target.slice(i),
          target.slice(0, i) + other + target.slice(i + 1),
          target.slice(0, i) + (target[i + 1] ?? "") + (target[i] ?? "") + target.slice(i + 2),
        ];
        expect(suggest(slips[slip] ?? "", COMMANDS)).toBe(target);
      },
    ),
  );
});
