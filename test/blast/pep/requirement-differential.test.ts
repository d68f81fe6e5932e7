import { expect, test } from "bun:test";
import fc from "fast-check";
import { PepError } from "../../../src/blast/pep/error.ts";
import { parseRequirement, requirementToString } from "../../../src/blast/pep/requirement.ts";
import { mutated } from "../../support/mutated.ts";
import { needsOraclePython } from "../../support/python-tools.ts";
import { CASES, LIMIT_MS, SEED } from "../../support/random-markers.ts";
import { anyRequirement } from "../../support/random-requirements.ts";
import { askAboutRequirements } from "../../support/requirement-oracle.ts";
import { testUnless } from "../../support/skip.ts";

const against = testUnless(needsOraclePython());

/** PEP 508 ends names with a letter or digit; `packaging` takes a `_` as well. */
const UNDERSCORE_END = /_[ \t]*(?:$|[[\](),;@<>=!~])/;

function compare(texts: readonly string[]): number {
  const questions = texts.map((text) => ({ kind: "requirement", text }));
  const answers = askAboutRequirements<{ text: string | null } | null>(questions);
  let accepted = 0;
  texts.forEach((text, index) => {
    const expected = answers[index];
    let mine: string | undefined;
    try {
      mine = requirementToString(parseRequirement(text));
      accepted += 1;
    } catch (error) {
      if (!(error instanceof PepError)) throw error;
    }
    const requires = text.split(";")[0] ?? "";
    if (mine === undefined && UNDERSCORE_END.test(requires)) return;
    if ((mine === undefined) !== (expected === null)) {
      throw new Error(`${JSON.stringify(text)}: read as ${mine}, not ${expected?.text}`);
    }
    const written = expected?.text;
    // A "\\" in a text is written by `packaging` such that it reads as something else.
    if (mine === undefined || !written || written.includes("\\")) return;
    expect(mine).toBe(written);
  });
  return accepted;
}

against(
  "requirements are read and written as the packaging library does",
  () => {
    const texts = fc.sample(anyRequirement, { seed: SEED, numRuns: CASES });
    expect(compare(texts)).toBeGreaterThan(CASES / 2);
  },
  LIMIT_MS,
);

against(
  "what is no requirement is refused as the packaging library does",
  () => {
    const texts = fc.sample(mutated(anyRequirement), { seed: SEED, numRuns: CASES });
    const accepted = compare(texts);
    expect(accepted).toBeGreaterThan(0);
    expect(accepted).toBeLessThan(CASES);
  },
  LIMIT_MS,
);

test("what is written reads as itself", () => {
  fc.assert(
    fc.property(anyRequirement, (text) => {
      let written: string;
      try {
        written = requirementToString(parseRequirement(text));
      } catch {
        return;
      }
      expect(requirementToString(parseRequirement(written))).toBe(written);
    }),
    { seed: SEED, numRuns: 500 },
  );
});
