import { describe, expect, test } from "bun:test";
import { PepError } from "../../../src/blast/pep/error.ts";
import { parseSpecifierSet, pythonRange } from "../../../src/blast/pep/specifier.ts";
import { parseVersion } from "../../../src/blast/pep/version.ts";

const range = (text: string) => parseSpecifierSet(text).toRange();
const holds = (text: string, version: string) =>
  parseSpecifierSet(text).contains(parseVersion(version));

describe("the examples of PEP 440", () => {
  const EQUIVALENT: Record<string, string> = {
    "~= 2.2": ">= 2.2, == 2.*",
    "~= 1.4.5": ">= 1.4.5, == 1.4.*",
    "~= 2.2.post3": ">= 2.2.post3, == 2.*",
    "~= 1.4.5a4": ">= 1.4.5a4, == 1.4.*",
    "~= 2.2.0": ">= 2.2.0, == 2.2.*",
    "~= 1.4.5.0": ">= 1.4.5.0, == 1.4.5.*",
  };
  for (const [compatible, longer] of Object.entries(EQUIVALENT)) {
    test(`${compatible} means ${longer}`, () => {
      expect(range(compatible).equals(range(longer))).toBe(true);
    });
  }

  /** For each version, which of the comparisons hold. */
  const HOLDS: [version: string, yes: string[], no: string[]][] = [
    ["1.1.post1", ["==1.1.post1", "==1.1.*", "!=1.1"], ["==1.1", "!=1.1.post1", "!=1.1.*"]],
    ["1.1a1", ["==1.1a1", "==1.1.*", "!=1.1"], ["==1.1", "!=1.1a1", "!=1.1.*"]],
    ["1.1", ["==1.1", "==1.1.0", "==1.1.*"], ["==1.1.dev1", "==1.1a1", "==1.1.post1"]],
    ["1.7.1", [">1.7", ">1.7.post2"], []],
    ["1.7.0.post1", [], [">1.7"]],
    ["1.7.0.post3", [">1.7.post2"], [">1.7"]],
    ["1.7.0", [], [">1.7.post2", ">1.7", "<1.7"]],
    ["3.1.dev0", ["<3.1rc1"], ["<3.1", ">=3.1"]],
    ["1.0+downstream1", ["==1.0", "<=1.0", "==1.0+downstream1", "===1.0+downstream1"], [">1.0"]],
    ["1.0", ["===1.0", "===1.0 "], ["==1.0+downstream1", "===1.0.0", "===1", "===1.0+downstream1"]],
  ];
  for (const [version, yes, no] of HOLDS) {
    test(`${version}`, () => {
      expect(yes.filter((text) => !holds(text, version))).toEqual([]);
      expect(no.filter((text) => holds(text, version))).toEqual([]);
    });
  }

  test("~= 0.9, >= 1.0, != 1.3.4.*, < 2.0", () => {
    const set = "~= 0.9, >= 1.0, != 1.3.4.*, < 2.0";
    expect(range(set).isEmpty()).toBe(true);
    const wider = set.replace("~= 0.9", ">= 0.9");
    const versions = ["0.9", "1.0", "1.3.4.post1", "1.3.5", "2.0a1"];
    expect(versions.map((version) => holds(wider, version))).toEqual([0, 1, 0, 1, 0].map(Boolean));
  });
});

describe("pre-releases", () => {
  test("only false refuses them", () => {
    const set = parseSpecifierSet(">=1.0");
    const version = parseVersion("1.1rc1");
    const answers = [undefined, true, false].map((prereleases) =>
      set.contains(version, { prereleases }),
    );
    expect(answers).toEqual([true, true, false]);
    expect(set.contains(parseVersion("1.1"), { prereleases: false })).toBe(true);
  });

  test("a set asks for them by naming one, but not by != or .*", () => {
    const asks = (text: string) => parseSpecifierSet(text).allowsPrereleases;
    const texts = [">=1.0", "", ">=1.0rc1", "<2,>=1.dev0", "!=1.0rc1", "==1.*", "===1.0a1", "===x"];
    expect(texts.map(asks)).toEqual([0, 0, 1, 1, 0, 0, 1, 0].map(Boolean));
  });
});

describe("texts", () => {
  test("sorted, once each, versions as written", () => {
    const text = " >= 1.0.0 , !=1.5.* ,, >=1.0, ~=1.0, ~= 1.0.0,== v1.0-1,";
    expect(parseSpecifierSet(text).toString()).toBe("!=1.5.*,==v1.0-1,>=1.0,~=1.0,~=1.0.0");
    expect(parseSpecifierSet(" ").toString()).toBe("");
  });

  const WRONG: Record<string, string> = {
    "1.0": "it must begin with ==, !=, >=, <=, >, <, ~= or ===",
    "=1.0": "it must begin with ==, !=, >=, <=, >, <, ~= or ===",
    "=>1.0": "it must begin with ==, !=, >=, <=, >, <, ~= or ===",
    ">=1.0.*": '".*" goes with == and != only',
    "~=1.*": '".*" goes with == and != only',
    "==1.0a1.*": '".*" follows numbers and dots only',
    "==1.0+a.*": '".*" follows numbers and dots only',
    "==1.0 .*": '"1.0 .*" is no version',
    ">=1.0+a": ">= takes no local version",
    "~=1": "~= needs at least two numbers, as in ~=1.0",
    ">=": '"" is no version',
    "==1.0 1.1": '"1.0 1.1" is no version',
    "===1.0;": "=== takes no blanks, ; or )",
  };
  for (const [text, why] of Object.entries(WRONG)) {
    test(`${text} is refused`, () => {
      expect(() => parseSpecifierSet(text)).toThrow(
        new PepError(`Cannot read specifier ${JSON.stringify(text)}: ${why}`),
      );
    });
  }

  test("the position is that of the comparison", () => {
    try {
      parseSpecifierSet(">=1.0,  <x");
      expect.unreachable();
    } catch (error) {
      expect((error as PepError).position).toBe(8);
    }
  });
});

test("Requires-Python as a range", () => {
  const pythons = pythonRange(">=3.8,<4,!=3.9.0");
  const answers = ["3.7.17", "3.8.0", "3.9.0", "3.9.1", "3.14.0", "4.0.0"].map((text) =>
    pythons.contains(parseVersion(text)),
  );
  expect(answers).toEqual([0, 1, 0, 1, 1, 0].map(Boolean));
});
