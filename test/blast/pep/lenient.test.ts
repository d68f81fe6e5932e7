import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { PepError } from "../../../src/blast/pep/error.ts";
import {
  parseLenientRequirement,
  parseLenientSpecifierSet,
} from "../../../src/blast/pep/lenient.ts";
import { parseRequirement, requirementToString } from "../../../src/blast/pep/requirement.ts";
import { mutated } from "../../support/mutated.ts";
import { anyRequirement } from "../../support/random-requirements.ts";

describe("requirements of old packages are mended", () => {
  test.each([
    ["elasticsearch-dsl (>=7.2.0<8.0.0)", "elasticsearch-dsl<8.0.0,>=7.2.0"],
    ["a>=1.0 <2.0", "a<2.0,>=1.0"],
    ["jupyter-core (!=~5.0,>=4.12)", "jupyter-core!=5.0.*,>=4.12"],
    ["a>=1.9.*", "a>=1.9"],
    ["a (<3.4.*,>=2)", "a<3.4,>=2"],
    ["a!=3.0*", "a!=3.0.*"],
    ["a (>=1.0,,<2)", "a<2,>=1.0"],
    ["a (,>=1)", "a>=1"],
    ["botocore>=1.3.0,<1.4.0',", "botocore<1.4.0,>=1.3.0"],
    ["a>=2.3.2'; os_name=='nt'", 'a>=2.3.2; os_name == "nt"'],
    ["a>dev", "a>0.0.0.dev0"],
    ["a>=9.0.0a1.0", "a>=9.0.0a1"],
  ])("%p", (text, expected) => {
    expect(() => parseRequirement(text)).toThrow(PepError);
    expect(requirementToString(parseLenientRequirement(text))).toBe(expected);
  });

  test.each(["a b", "a>=1.0 or b", "", "a ~> 1.0", "a; os_name = 'x'"])(
    "%p is told as it was written",
    (text) => {
      let first: unknown;
      try {
        parseRequirement(text);
      } catch (error) {
        first = error;
      }
      expect(first).toBeInstanceOf(PepError);
      expect(() => parseLenientRequirement(text)).toThrow((first as PepError).message);
    },
  );

  test("what needs no mending is left alone", () => {
    fc.assert(
      fc.property(mutated(anyRequirement), (text) => {
        let plain: string;
        try {
          plain = requirementToString(parseRequirement(text));
        } catch {
          return;
        }
        expect(requirementToString(parseLenientRequirement(text))).toBe(plain);
      }),
      { numRuns: 300 },
    );
  });

  test("nothing else than a PepError is thrown", () => {
    fc.assert(
      fc.property(mutated(anyRequirement), (text) => {
        try {
          parseLenientRequirement(text);
        } catch (error) {
          expect(error).toBeInstanceOf(PepError);
        }
      }),
      { numRuns: 500 },
    );
  });
});

describe("so are bounds of Python", () => {
  test.each([
    [">=3.6", ">=3.6"],
    [">=3.6.*", ">=3.6"],
    [">=3.6,", ">=3.6"],
    [">=2.7,!=3.0*", "!=3.0.*,>=2.7"],
    [">=2.7, !=3.0*,!=3.1*", "!=3.0.*,!=3.1.*,>=2.7"],
    ["'>=2.7'", ">=2.7"],
    [">=3.6 <4", "<4,>=3.6"],
  ])("%p", (text, expected) => {
    const set = parseLenientSpecifierSet(text);
    expect(set.toString()).toBe(expected);
    expect(parseLenientSpecifierSet(text)).toBe(set);
  });

  test("nonsense is refused", () => {
    expect(() => parseLenientSpecifierSet("python 3")).toThrow(PepError);
  });
});
