import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { VersionRange } from "../../../src/blast/pep/range.ts";
import { parseSpecifierSet } from "../../../src/blast/pep/specifier.ts";
import { parseVersion } from "../../../src/blast/pep/version.ts";
import { CONTRADICTED, INCONCLUSIVE, SATISFIED, Term } from "../../../src/blast/resolve/term.ts";

const VERSIONS = ["1", "2", "3", "4"].map(parseVersion);
/** What can be chosen: one of the versions, or none. */
const CHOICES = [undefined, ...VERSIONS];

const bits = fc.integer({ min: 0, max: 15 });
const terms = fc.record({ positive: fc.boolean(), bits }).map(({ positive, bits: chosen }) => {
  let range = VersionRange.empty;
  for (const [at, version] of VERSIONS.entries()) {
    if ((chosen >> at) & 1) range = range.union(VersionRange.exactly(version));
  }
  return new Term(positive, range);
});

const holds = (term: Term, choice: (typeof CHOICES)[number]) =>
  (choice !== undefined && term.range.contains(choice)) === term.positive;

describe("terms", () => {
  test("intersection, union and negation are those of the choices they allow", () => {
    fc.assert(
      fc.property(terms, terms, (left, right) => {
        for (const choice of CHOICES) {
          const both = holds(left, choice) && holds(right, choice);
          expect(holds(left.intersect(right), choice)).toBe(both);
          const either = holds(left, choice) || holds(right, choice);
          expect(holds(left.union(right), choice)).toBe(either);
          expect(holds(left.negate(), choice)).toBe(!holds(left, choice));
        }
      }),
    );
  });

  test("a term says of another what follows for every choice", () => {
    fc.assert(
      fc.property(terms, terms, (known, asked) => {
        const possible = CHOICES.filter((choice) => holds(known, choice));
        const relation = known.relation(asked);
        if (relation === SATISFIED) {
          expect(possible.every((choice) => holds(asked, choice))).toBe(true);
        }
        if (relation === CONTRADICTED) {
          expect(possible.some((choice) => holds(asked, choice))).toBe(false);
        }
      }),
    );
  });

  test("what is open is not said", () => {
    const range = (text: string) => parseSpecifierSet(text).toRange();
    const some = new Term(true, range(">=2"));
    expect(some.relation(new Term(true, range(">=1")))).toBe(SATISFIED);
    expect(some.relation(new Term(true, range("<2")))).toBe(CONTRADICTED);
    expect(some.relation(new Term(true, range(">=3")))).toBe(INCONCLUSIVE);
    expect(some.relation(new Term(false, range("<2")))).toBe(SATISFIED);
    expect(new Term(false, range(">=2")).relation(new Term(true, range(">=3")))).toBe(CONTRADICTED);
  });
});
