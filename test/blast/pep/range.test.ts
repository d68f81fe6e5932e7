import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { compareCuts, cutBelow, HIGHEST, isAbove, LOWEST } from "../../../src/blast/pep/cut.ts";
import { VersionRange } from "../../../src/blast/pep/range.ts";
import { parseSpecifierSet } from "../../../src/blast/pep/specifier.ts";
import { parseVersion, tryParseVersion } from "../../../src/blast/pep/version.ts";
import { neighbours } from "../../support/version-cases.ts";

/** Few versions that have much to do with each other, so that ends meet. */
const VERSIONS = ["0.dev0", "0", "1.0", "1.0.0", "1", "1.0a1", "1.0a2.dev0", "1.0.dev1", "1.0rc1"];
VERSIONS.push("1.0.post1", "1.0.post1.dev0", "1.0.post0.dev1", "1.0a1.post0", "1.1", "1!0", "2.0");

const CLAUSES = VERSIONS.flatMap((version) => {
  const all = ["==", "!=", ">=", "<=", ">", "<", "==="].map((operator) => operator + version);
  return version.includes(".") ? [...all, `~=${version.replace(/^0\.dev0$/, "0.0.dev0")}`] : all;
});
CLAUSES.push(
  "==1.*",
  "!=1.0.*",
  "==1.0.0.*",
  "==1.0+a",
  "!=1.0+a",
  "==1.0+a.0",
  "===1.0+a",
  "==0.*",
);

/** Between versions that lie close to each other. */
const BETWEEN = ["1.0rc2", "1.0a3", "1.0.post1.dev1", "1.0.post2.dev1", "1.0a2.dev1"];
BETWEEN.push("1.0a1.post1", "1.0rc1.post1", "1.0a1.post0.dev2", "1.0.post3", "1.0+a.b");

const POOL = [...new Set([...VERSIONS, ...BETWEEN, "1.0+a", "1!1", "99"].flatMap(neighbours))]
  .flatMap((text) => [text, text.replace(/^1\.0(?!\.?\d)/, "1"), text.replace(/^0(?=\.d)/, "0.0")])
  .flatMap((text) => tryParseVersion(text) ?? [])
  .sort((left, right) => (left.key < right.key ? -1 : 1));

const range = (text: string) => parseSpecifierSet(text).toRange();

/** Unions of intersections, some of them turned inside out. */
const ranges: fc.Arbitrary<VersionRange> = fc
  .tuple(
    fc.array(fc.array(fc.constantFrom(...CLAUSES), { minLength: 1, maxLength: 3 }), {
      maxLength: 3,
    }),
    fc.boolean(),
  )
  .map(([parts, turned]) => {
    const union = parts.reduce((all, part) => all.union(range(part.join())), VersionRange.empty);
    return turned ? union.complement() : union;
  });

const members = (of: VersionRange) => POOL.map((version) => of.contains(version));

describe("laws", () => {
  test("operations are those of sets", () => {
    fc.assert(
      fc.property(ranges, ranges, (left, right) => {
        const [inLeft, inRight] = [members(left), members(right)];
        const each = (law: (a: boolean, b: boolean) => boolean) =>
          inLeft.map((inside, index) => law(inside, inRight[index] ?? false));
        expect(members(left.union(right))).toEqual(each((a, b) => a || b));
        expect(members(left.intersect(right))).toEqual(each((a, b) => a && b));
        expect(members(left.difference(right))).toEqual(each((a, b) => a && !b));
        expect(members(left.complement())).toEqual(each((a) => !a));
        expect(left.isSubsetOf(right)).toBe(each((a, b) => !a || b).every(Boolean));
        expect(left.isDisjointFrom(right)).toBe(each((a, b) => !a || !b).every(Boolean));
      }),
      { numRuns: 300 },
    );
  });

  test("equal sets have one form", () => {
    fc.assert(
      fc.property(ranges, ranges, (left, right) => {
        const same = members(left).join() === members(right).join();
        expect(left.equals(right)).toBe(same);
        expect(left.key === right.key).toBe(same);
        expect(left.isEmpty()).toBe(!members(left).includes(true));
        expect(left.isFull()).toBe(!members(left).includes(false));
        expect(left.complement().complement().equals(left)).toBe(true);
        expect(left.union(right).key).toBe(right.union(left).key);
        expect(left.intersect(right).key).toBe(
          left.complement().union(right.complement()).complement().key,
        );
      }),
      { numRuns: 300 },
    );
  });

  test("segments are in order, apart, and not empty", () => {
    fc.assert(
      fc.property(ranges, (one) => {
        const cuts = one.segments.flatMap(({ lower, upper }) => [lower, upper]);
        expect(cuts).toEqual([...one.cuts]);
        for (const [index, cut] of cuts.slice(1).entries()) {
          const before = cuts[index] ?? LOWEST;
          expect(compareCuts(before, cut)).toBeLessThan(0);
          const between = (version: (typeof POOL)[number]) =>
            isAbove(version, before) && !isAbove(version, cut);
          expect(POOL.some(between)).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });

  test("the text of a range tells what lies in it", () => {
    fc.assert(
      fc.property(ranges, (one) => {
        const text = one.toString();
        expect(text === "none").toBe(one.isEmpty());
        expect(text === "*").toBe(one.isFull());
        // Every version that it names lies at one of its ends.
        for (const [name] of text.matchAll(/\d[\w.!+]*\w/g)) {
          const near = (version: string) => one.cuts.some((cut) => `${cut.version}` === version);
          expect(near(name) || near(`${name}.0`) || near(name.replace(/\.dev0$/, ""))).toBe(true);
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe("one version", () => {
  const [short, long] = [parseVersion("1.0"), parseVersion("1.0.0")];

  test("exactly: however it is spelled, without its locals", () => {
    const one = VersionRange.exactly(short);
    expect([short, long, parseVersion("1.0+a")].map((version) => one.contains(version))).toEqual([
      true,
      true,
      false,
    ]);
    expect(one.isSubsetOf(range("==1.0"))).toBe(true);
    expect(one.equals(range("==1.0"))).toBe(false);
    expect(VersionRange.exactly(long).equals(one)).toBe(true);
  });

  test("spelled: with this text", () => {
    expect(VersionRange.spelled(short).contains(long)).toBe(false);
    expect(VersionRange.spelled(short).equals(range("===1.0"))).toBe(true);
    expect(VersionRange.spelled(short).isSubsetOf(VersionRange.exactly(long))).toBe(true);
    expect(VersionRange.exactly(short).difference(VersionRange.spelled(short)).contains(long)).toBe(
      true,
    );
  });

  test("between cuts in the wrong order lies nothing", () => {
    expect(VersionRange.between(HIGHEST, LOWEST)).toBe(VersionRange.empty);
    expect(VersionRange.between(cutBelow(long), cutBelow(short))).toBe(VersionRange.empty);
  });
});

describe("texts for people", () => {
  const TEXTS: Record<string, string> = {
    ">=1.0,<2.0": ">=1.0,<2.0",
    "==1.4.2": "==1.4.2",
    "==1.4.2+cpu": "==1.4.2+cpu",
    "===1.4.2": "===1.4.2",
    "==1.4.*": "==1.4.*",
    "!=1.4.*": "!=1.4.*",
    "~=1.4.2": ">=1.4.2,<1.5",
    "!=1.5": "!=1.5",
    "<2,!=1.5,>=1.0,!=1.7.*": ">=1.0,!=1.5,!=1.7.*,<2",
    ">1.0": ">1.0",
    "<=1.0": "<=1.0",
    "": "*",
    "<1,>2": "none",
    "<1.0,>=1.0.dev0": "none",
    ">=2.0.dev0,<=2.0rc1": ">=2.0.dev0,<=2.0rc1",
    ">1!1.0": ">1!1.0",
  };
  for (const [given, text] of Object.entries(TEXTS)) {
    test(`${given} reads ${text}`, () => expect(range(given).toString()).toBe(text));
  }

  test("the complement", () => {
    const texts = [">=1.0,<2.0", "==1.4.2", "==1.4.*", "!=1.5", ">1.0", "===1.0", "!=1,!=2"];
    expect(texts.map((text) => range(text).complement().toString())).toEqual([
      "<1.0 | >=2.0",
      "!=1.4.2",
      "!=1.4.*",
      "==1.5",
      "<=1.0",
      "!=1.0",
      "==1 | ==2",
    ]);
  });

  test("what specifiers cannot say is said in words", () => {
    const of = (text: string, without: string) => range(text).difference(range(without)).toString();
    expect(of("<2.0", "<2.0.dev0")).toBe("none");
    expect(range("<2.0").complement().intersect(range(">=2.0").complement()).toString()).toBe(
      ">=2.0.dev0,<2.0",
    );
    expect(
      range("==1.0")
        .difference(VersionRange.exactly(parseVersion("1.0")))
        .toString(),
    ).toBe("local versions of 1.0");
    expect(range("<=1.0").union(range(">1.0")).complement().toString()).toBe(
      "post-releases of 1.0",
    );
    expect(range(">=1.0").difference(range(">1.0")).toString()).toBe("1.0 and its post-releases");
    expect(range("==1.*").difference(range("==1.0.*")).toString()).toBe(">=1.1,<2");
  });
});
