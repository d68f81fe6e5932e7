import { expect, test } from "bun:test";
import { PepError } from "../../../src/blast/pep/error.ts";
import { isNormalized, parsePackageName } from "../../../src/blast/pep/name.ts";
import { parseSdistName } from "../../../src/blast/pep/sdist-name.ts";
import type { SpecifierSet } from "../../../src/blast/pep/specifier.ts";
import { parseSpecifierSet } from "../../../src/blast/pep/specifier.ts";
import type { Version } from "../../../src/blast/pep/version.ts";
import { compareVersions, parseVersion, tryParseVersion } from "../../../src/blast/pep/version.ts";
import { parseWheelName } from "../../../src/blast/pep/wheel-name.ts";
import { askPackaging, type Question } from "../../support/packaging-oracle.ts";
import { needsOraclePython } from "../../support/python-tools.ts";
import { describeUnless } from "../../support/skip.ts";
import * as cases from "../../support/version-cases.ts";

/**
 * The `packaging` library of PyPI has the last word on what PEP 440, 427 and 625 mean. Set
 * TRIAD_PEP_CASES to multiply the number of cases, TRIAD_PEP_SEED to take others.
 */
const TIMES = Number(process.env["TRIAD_PEP_CASES"] ?? 1);
const SEED = Number(process.env["TRIAD_PEP_SEED"] ?? 440);
const TIMEOUT_MS = 60_000 * Math.max(1, TIMES);

function many<T>(count: number, seed: number, make: (dice: cases.Dice) => T): T[] {
  const dice = new cases.Dice(SEED * 1000 + seed);
  return Array.from({ length: Math.round(count * TIMES) }, () => make(dice));
}

/** Where the two differ; so long as there are none, nothing is printed. */
function differences(
  questions: readonly Question[],
  answers: readonly unknown[],
  own: (...question: readonly never[]) => unknown,
): unknown[] {
  return questions.flatMap((question, index) => {
    const mine = own(...(question.slice(1) as never[]));
    if (Bun.deepEquals(mine, answers[index])) return [];
    return [{ question, mine, packaging: answers[index] }];
  });
}

/** Undefined for text that is refused; other errors are bugs. */
function orNull<T>(make: () => T): T | null {
  try {
    return make();
  } catch (error) {
    if (error instanceof PepError) return null;
    throw error;
  }
}

function describeVersion(text: string): unknown {
  const version = tryParseVersion(text);
  if (version === undefined) return null;
  const { epoch, release, pre, post, dev, local, isPrerelease, isPostrelease } = version;
  return {
    text: version.toString(),
    epoch: String(epoch),
    release: release.map(String),
    pre: pre === undefined ? null : `${pre.letter}${pre.number}`,
    post: post === undefined ? null : String(post),
    dev: dev === undefined ? null : String(dev),
    local: local === undefined ? null : local.join("."),
    isPrerelease,
    isPostrelease,
    base: version.base.toString(),
    public: version.public.toString(),
  };
}

function describeSpecifiers(text: string): unknown {
  const set = orNull(() => parseSpecifierSet(text));
  return set === null ? null : { text: set.toString(), prereleases: set.allowsPrereleases };
}

const parsedVersions = new Map<string, Version>();

function parsed(text: string): Version {
  const known = parsedVersions.get(text) ?? parseVersion(text);
  parsedVersions.set(text, known);
  return known;
}

function membership(set: SpecifierSet, texts: readonly string[]): string[] {
  return texts.map((text) => {
    const version = parsed(text);
    const answers = [undefined, true, false].map((prereleases) =>
      set.contains(version, { prereleases }),
    );
    // What the resolver asks, by the range alone.
    if (set.toRange().contains(version) !== answers[1]) return "range and set differ";
    return answers.map(Number).join("");
  });
}

const VERSIONS = many(3000, 1, cases.version);
const BAD = many(3000, 2, (dice) => cases.mutated(dice, cases.version(dice)));
const SETS = many(3000, 3, cases.specifierSet);
const BAD_SETS = many(1500, 4, (dice) => cases.mutated(dice, cases.specifierSet(dice)));

describeUnless(needsOraclePython())("as the packaging library", () => {
  test(
    "versions: parts, normal text, what is none",
    () => {
      const questions = [...VERSIONS, ...BAD].map((text) => ["version", text] as const);
      const answers = askPackaging(questions);
      expect(answers.filter((answer) => answer === null).length).toBeGreaterThan(1000 * TIMES);
      expect(differences(questions, answers, describeVersion)).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test(
    "the order of versions",
    () => {
      const texts = [
        ...VERSIONS.slice(0, 1500),
        ...VERSIONS.slice(0, 60).flatMap(cases.neighbours),
      ];
      const valid = texts.filter((text) => tryParseVersion(text) !== undefined);
      const [answer] = askPackaging([["ranks", valid]]) as [number[]];
      const sorted = valid
        .map((_, index) => index)
        .sort((a, b) => (answer[a] ?? 0) - (answer[b] ?? 0));
      const wrong: unknown[] = [];
      for (let at = 1; at < sorted.length; at += 1) {
        const [before, after] = [sorted[at - 1] ?? 0, sorted[at] ?? 0];
        const [left, right] = [parseVersion(valid[before] ?? ""), parseVersion(valid[after] ?? "")];
        const expected = Math.sign((answer[before] ?? 0) - (answer[after] ?? 0));
        const keys = left.key === right.key ? 0 : left.key < right.key ? -1 : 1;
        if (compareVersions(left, right) !== expected || keys !== expected) {
          wrong.push([`${left}`, `${right}`, expected]);
        }
      }
      expect(wrong).toEqual([]);
      const shuffled = valid
        .map(parseVersion)
        .sort(compareVersions)
        .map((version) => version.key);
      expect(shuffled).toEqual(sorted.map((index) => parseVersion(valid[index] ?? "").key));
    },
    TIMEOUT_MS,
  );

  test(
    "specifiers: what is one, normal text, whether pre-releases are asked for",
    () => {
      const questions = [...SETS, ...BAD_SETS].map((text) => ["specifiers", text] as const);
      const answers = askPackaging(questions);
      expect(answers.filter((answer) => answer === null).length).toBeGreaterThan(300 * TIMES);
      expect(differences(questions, answers, describeSpecifiers)).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test(
    "specifiers: which versions they hold, in ranges as well",
    () => {
      const dice = new cases.Dice(SEED + 5);
      const some = SETS.slice(0, 1200 * TIMES).filter((text) => describeSpecifiers(text) !== null);
      const questions = some.map((text) => {
        const near = text
          .split(",")
          .flatMap((one) => cases.neighbours(one.replace(/^[\s<>=!~]+/, "")));
        const pool = [...near, ...Array.from({ length: 8 }, () => dice.pick(VERSIONS))];
        const texts = Array.from({ length: 30 }, () => dice.pick(pool));
        return [
          "contains",
          text,
          texts.filter((one) => tryParseVersion(one) !== undefined),
        ] as const;
      });
      const answers = askPackaging(questions);
      const all = answers.flat() as string[];
      expect(all.filter((one) => one === "000").length).toBeGreaterThan(5000 * TIMES);
      expect(all.filter((one) => one === "111").length).toBeGreaterThan(5000 * TIMES);
      expect(
        differences(questions, answers, (text: string, texts: string[]) =>
          membership(parseSpecifierSet(text), texts),
        ),
      ).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test(
    "ranges: subsets, disjoint sets, the empty set",
    () => {
      const dice = new cases.Dice(SEED + 6);
      const plain = SETS.slice(0, 1200 * TIMES).filter(
        (text) => !text.includes("===") && describeSpecifiers(text) !== null,
      );
      const questions = plain.flatMap((left) => {
        const others = [dice.pick(plain), dice.pick(plain), related(dice, left)];
        return others
          .filter((right) => describeSpecifiers(right) !== null)
          .map((right) => ["relation", left, right] as const);
      });
      const answers = askPackaging(questions) as boolean[][];
      for (const column of [0, 1, 2]) {
        expect(answers.filter((answer) => answer[column]).length).toBeGreaterThan(100 * TIMES);
      }
      const own = (leftText: string, rightText: string) => {
        const left = parseSpecifierSet(leftText).toRange();
        const right = parseSpecifierSet(rightText).toRange();
        return [left.isSubsetOf(right), left.isDisjointFrom(right), left.isEmpty()];
      };
      expect(differences(questions, answers, own)).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test(
    "names",
    () => {
      const questions = many(1500, 7, cases.projectName).map((text) => ["name", text] as const);
      const own = (text: string) => [orNull(() => parsePackageName(text)), isNormalized(text)];
      expect(differences(questions, askPackaging(questions), own)).toEqual([]);
    },
    TIMEOUT_MS,
  );

  test(
    "names of wheels and source distributions",
    () => {
      const wheels = many(2500, 8, cases.wheelName).map((text) => ["wheel", text] as const);
      const sdists = many(2500, 9, cases.sdistName).map((text) => ["sdist", text] as const);
      const answers = askPackaging([...wheels, ...sdists]) as ({ name: string } | null)[];
      // The library lets pass what is no name at all (PEP 508); we refuse it.
      const strict = answers.map((one) =>
        one !== null && orNull(() => parsePackageName(one.name)) === null ? null : one,
      );
      expect(strict.filter((one) => one !== null).length).toBeGreaterThan(1500 * TIMES);
      expect(differences(wheels, strict.slice(0, wheels.length), describeWheel)).toEqual([]);
      expect(differences(sdists, strict.slice(wheels.length), describeSdist)).toEqual([]);
    },
    TIMEOUT_MS,
  );
});

/** Another set that has to do with a given one, so that subsets are not rare. */
function related(dice: cases.Dice, text: string): string {
  const clauses = text.split(",");
  const one = dice.pick(clauses).trim();
  const other = dice.pick([">=", "<=", ">", "<", "==", "!="]);
  return dice.once(3) ? one : one.replace(/^[<>=!~]+/, other);
}

function describeWheel(filename: string): unknown {
  return orNull(() => {
    const { name, version, build, tags } = parseWheelName(filename);
    return {
      name,
      version: version.toString(),
      build: build === undefined ? [] : [String(build.number), build.suffix],
      tags: [
        ...new Set(tags.map(({ python, abi, platform }) => `${python}-${abi}-${platform}`)),
      ].sort(),
    };
  });
}

function describeSdist(filename: string): unknown {
  return orNull(() => {
    const { name, version } = parseSdistName(filename);
    return { name, version: version.toString() };
  });
}
