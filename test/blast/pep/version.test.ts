import { describe, expect, test } from "bun:test";
import { PepError } from "../../../src/blast/pep/error.ts";
import { compareVersions, parseVersion, tryParseVersion } from "../../../src/blast/pep/version.ts";

/** PEP 440, "Summary of permitted suffixes and relative ordering" and the lists before it. */
const ORDERED = [
  [
    ["1.dev0", "1.0.dev456", "1.0a1", "1.0a2.dev456", "1.0a12.dev456", "1.0a12", "1.0b1.dev456"],
    ["1.0b2", "1.0b2.post345.dev456", "1.0b2.post345", "1.0rc1.dev456", "1.0rc1", "1.0"],
    ["1.0+abc.5", "1.0+abc.7", "1.0+5", "1.0.post456.dev34", "1.0.post456", "1.0.15", "1.1.dev1"],
  ].flat(),
  ["0.9", "0.9.1", "0.9.2", "0.9.10", "0.9.11", "1.0", "1.0.1", "1.1", "2.0", "2.0.1"],
  ["2012.4", "2012.7", "2012.10", "2013.1", "2013.6", "1!1.0", "1!1.1", "1!2.0"],
  ["1.0.dev1", "1.0.dev2", "1.0a1", "1.0b1", "1.0rc1", "1.0", "1.0.post1", "1.1.dev1"],
  ["0.dev0", "0", "0.0.0.0.1", "0.1", "16382.0", "16383.0", "16384.0", "20240101.1", "1!0.dev0"],
  ["1", "1.post9", "1.0.0.0.1.dev0", "1.0.0.0.1", "1.0.0.1", "1.0.0.126", "1.0.0.127", "1.0.0.128"],
  ["9007199254740991", "9007199254740992", "9007199254740993", `1${"0".repeat(40)}`],
  ["1.0+a", "1.0+a.a", "1.0+a.0", "1.0+aa", "1.0+b", "1.0+0", "1.0+0.0", "1.0+9", "1.0+10"],
];

/** Normal form on the left (PEP 440, "Normalization"). */
const SPELLINGS: Record<string, string[]> = {
  "1.1rc1": ["1.1RC1", "1.1c1", "1.1-rc1", "1.1.rc.1", "1.1_pre1", "1.1preview-1", " v1.1rc1\n"],
  "1.1a1": ["1.1a1", "1.1.a1", "1.1-a1", "1.1_a1", "1.1a.1", "1.1alpha1", "1.1ALPHA-1"],
  "1.2a0": ["1.2a", "1.2alpha", "1.2a."],
  "1.2.post0": ["1.2.post", "1.2-r", "1.2rev"],
  "1.2.post2": ["1.2-post2", "1.2post2", "1.2.r2", "1.2-rev-2", "1.2-2", "1.2.post02"],
  "1.2.dev2": ["1.2-dev2", "1.2dev2", "1.2_DEV_2", "V1.2.dev2"],
  "1.2.dev0": ["1.2.dev"],
  "1.0": ["01.00", "0!1.0", "v1.0"],
  "1!1.2.3a4.post5.dev6+ubuntu.7.x": ["01!1.02.3-alpha_4-5dev6+Ubuntu-07_X"],
  "1.0a0.post1": ["1.0a--1", "1.0a-post1"],
};

const INVALID = [
  ["", " ", "x", "1.x", "1..2", ".1", "1.", "-1", "1.0-", "1.0+", "1.0+a.", "1.0++a", "1.0+a+b"],
  ["1.0 a1", "1!", "!1", "1!2!3", "vv1", "v", "1.0-x1", "1.0a1b1", "1.0.dev1.post1", "1.0-1-2"],
  ["french toast", "1.0\u0661", "1.0+\u00e9", "1.0\ufeff", "1.0po\u017ft1", "1.0/2", "2.0al"],
].flat();

describe("the order of PEP 440", () => {
  for (const list of ORDERED) {
    test(`${list[0]} … ${list.at(-1)}`, () => {
      const versions = list.map(parseVersion);
      for (const [index, left] of versions.entries()) {
        for (const [other, right] of versions.entries()) {
          expect([left, right, Math.sign(compareVersions(left, right))]).toEqual([
            left,
            right,
            Math.sign(index - other),
          ]);
          expect(left.key < right.key).toBe(index < other);
        }
      }
    });
  }

  test("zeros at the end do not count", () => {
    const [short, long] = [parseVersion("1.0rc1"), parseVersion("1.0.0.0.0.0rc1")];
    expect(compareVersions(short, long)).toBe(0);
    expect(short.key).toBe(long.key);
    expect(`${short} ${long}`).toBe("1.0rc1 1.0.0.0.0.0rc1");
  });
});

describe("spellings", () => {
  for (const [normal, spellings] of Object.entries(SPELLINGS)) {
    test(normal, () => {
      for (const spelling of [normal, ...spellings]) {
        expect(parseVersion(spelling).toString()).toBe(normal);
      }
    });
  }

  test("what is no version is refused", () => {
    const taken = INVALID.filter((text) => tryParseVersion(text) !== undefined);
    expect(taken).toEqual([]);
    for (const text of INVALID) expect(() => parseVersion(text)).toThrow(PepError);
  });

  test("absurdly long numbers are refused, long ones are exact", () => {
    const digits = `9${"0".repeat(4299)}`;
    expect(parseVersion(`1.${digits}`).toString()).toBe(`1.${digits}`);
    expect(tryParseVersion(`1.${digits}0`)).toBeUndefined();
    expect(tryParseVersion(`1.0a${digits}0`)).toBeUndefined();
    expect(tryParseVersion(`1.0-${digits}0`)).toBeUndefined();
    expect(tryParseVersion(`1.0+${digits}0`)).toBeUndefined();
  });

  test("the complaint tells where", () => {
    const complaint = (text: string) => {
      try {
        return parseVersion(text).toString();
      } catch (error) {
        return error instanceof PepError ? `${error.message} @${error.position}` : "?";
      }
    };
    expect(complaint("1.0x")).toBe(
      'Cannot read version "1.0x": "x" at position 4 does not belong there @3',
    );
    expect(complaint("  ")).toBe('Cannot read version "  ": it is empty @0');
    expect(complaint("1!")).toBe('Cannot read version "1!": it ends too early @2');
    expect(complaint(`${"9.".repeat(200)}x`)).toContain("… (401 characters)");
  });
});

describe("parts", () => {
  test("all of them", () => {
    const version = parseVersion("2!1.02.3b4.post5.dev6+cpu.07");
    expect(version).toMatchObject({
      epoch: 2,
      release: [1, 2, 3],
      pre: { letter: "b", number: 4 },
      post: 5,
      dev: 6,
      local: ["cpu", 7],
      isPrerelease: true,
      isPostrelease: true,
      isDevrelease: true,
    });
    expect(`${version.base} ${version.public}`).toBe("2!1.2.3 2!1.2.3b4.post5.dev6");
    expect(JSON.stringify({ version })).toBe('{"version":"2!1.2.3b4.post5.dev6+cpu.7"}');
  });

  test("pre-releases are alphas, betas, candidates and development releases", () => {
    const flags = ["1.0", "1.0a1", "1.0b1", "1.0rc1", "1.0.dev1", "1.0.post1", "1.0.post1.dev1"];
    expect(flags.map((text) => parseVersion(text).isPrerelease)).toEqual(
      [0, 1, 1, 1, 1, 0, 1].map(Boolean),
    );
  });

  test("a plain version is its own base and its own public version", () => {
    const version = parseVersion("1.2.0");
    expect(version.base).toBe(version);
    expect(version.public).toBe(version);
  });
});

test("what was computed of a version makes no difference to a test that compares objects", () => {
  const [used, fresh] = [parseVersion("1.0rc1"), parseVersion("1.0rc1")];
  expect(`${used} ${used.key}`).not.toBe("");
  expect(used).toEqual(fresh);
});
