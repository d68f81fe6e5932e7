import { expect, test } from "bun:test";
import { PepError } from "../../../src/blast/pep/error.ts";
import { isNormalized, parseExtraName, parsePackageName } from "../../../src/blast/pep/name.ts";

test("the examples of PEP 503", () => {
  const spellings = ["friendly-bard", "Friendly-Bard", "FRIENDLY-BARD", "friendly.bard"];
  spellings.push("friendly_bard", "friendly--bard", "FrIeNdLy-._.-bArD");
  expect(new Set(spellings.map(parsePackageName))).toEqual(new Set(["friendly-bard"] as never[]));
  expect(String(parseExtraName("Dev_Tools"))).toBe("dev-tools");
});

test("what is no name is refused", () => {
  for (const text of ["", "-a", "a-", ".", "a b", "\u00e4", "a\n", "a/b", "a[b]", "_x"]) {
    expect(() => parsePackageName(text)).toThrow(PepError);
    expect(() => parseExtraName(text)).toThrow("Cannot read extra");
  }
});

test("normal form", () => {
  const normal = ["a", "0", "a-b", "zope-interface", "a1-2b"];
  const others = ["", "A", "a_b", "a.b", "a--b", "-a", "a-", "a-B", "\u00e4"];
  expect(normal.filter((text) => !isNormalized(text))).toEqual([]);
  expect(others.filter((text) => isNormalized(text))).toEqual([]);
});
