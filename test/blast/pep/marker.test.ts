import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { evaluateMarker, markerToString, parseMarker } from "../../../src/blast/pep/marker.ts";
import type { MarkerEnvironment } from "../../../src/blast/pep/marker-environment.ts";
import { mutated } from "../../support/mutated.ts";
import { needsOraclePython } from "../../support/python-tools.ts";
import { anyMarker, CASES, environment, LIMIT_MS, SEED } from "../../support/random-markers.ts";
import { askAboutRequirements } from "../../support/requirement-oracle.ts";
import { testUnless } from "../../support/skip.ts";

const LINUX: MarkerEnvironment = {
  python_version: "3.12",
  python_full_version: "3.12.1",
  os_name: "posix",
  sys_platform: "linux",
  platform_machine: "x86_64",
  platform_python_implementation: "CPython",
  platform_release: "6.18.0-generic",
  platform_system: "Linux",
  platform_version: "#1 SMP",
  implementation_name: "cpython",
  implementation_version: "3.12.1",
};

describe("markers hold or not", () => {
  test.each([
    ["python_version >= '3.8'", true],
    ["python_version < '3.8'", false],
    ["python_version >= '3.8.*'", false],
    ["'3.8' < python_version", true],
    ["python_version ~= '3.8'", true],
    ["python_version === '3.12'", true],
    ["python_version === '3.12.0'", false],
    ["python_version in '3.11 3.12'", true],
    ["python_version not in '3.11 3.12'", false],
    ["python_full_version == '3.12.*'", true],
    ["sys_platform == 'linux'", true],
    ["'linux' in sys_platform", true],
    ["sys_platform in 'linux darwin'", true],
    ["sys_platform >= 'linux'", true],
    ["sys_platform > 'a'", false],
    ["sys_platform ~= 'linux'", false],
    ["os.name == 'posix' and python_implementation == 'CPython'", true],
    ["platform_release >= '5'", false],
    ["platform_release != '5'", false],
    ["platform_release == '6.18.0-generic'", true],
    ["os_name == 'nt' or os_name == 'posix' and python_version < '3'", false],
    ["(os_name == 'nt' or os_name == 'posix') and python_version > '3'", true],
    ["extra == 'x'", false],
    ["extra == ''", true],
    ["'a' == 'b'", false],
  ])("%p: %p", (text, expected) => {
    expect(evaluateMarker(parseMarker(text), LINUX)).toBe(expected);
  });

  test("extras and groups are sets of normal names", () => {
    const asked = new Set(["x-y", "z"]);
    const holds = (text: string) => evaluateMarker(parseMarker(text), LINUX, asked, new Set(["d"]));
    expect(holds("extra == 'X_y' and extra == 'z'")).toBe(true);
    expect(holds("extra != 'z'")).toBe(false);
    expect(holds("'Z' in extras and 'w' not in extras")).toBe(true);
    expect(holds("'d' in dependency_groups")).toBe(true);
    expect(holds("'z' in dependency_groups")).toBe(false);
  });
});

describe("markers are written", () => {
  test.each([
    ["((os_name=='a'))", 'os_name == "a"'],
    ["(os_name=='a')and(os_name=='b'or os_name=='c')", null],
    ["os_name == 'it\"s'", "os_name == 'it\"s'"],
    ["extra == 'A_b'", 'extra == "a-b"'],
    ["os_name == '\\x41\\n'", 'os_name == "A\\n"'],
    ["os_name == '\\'", undefined],
  ])("%p", (text, expected) => {
    if (expected === undefined) {
      expect(() => parseMarker(text)).toThrow();
      return;
    }
    const both = 'os_name == "a" and (os_name == "b" or os_name == "c")';
    const written = markerToString(parseMarker(text));
    expect(written).toBe(expected ?? both);
    expect(markerToString(parseMarker(written))).toBe(written);
  });
});

interface MarkerAnswer {
  readonly text: string | null;
  readonly answers: readonly (boolean | null)[];
}

describe("as the packaging library does", () => {
  const against = (name: string, body: () => void) =>
    testUnless(needsOraclePython())(name, body, LIMIT_MS);

  against("reading, writing and evaluating", () => {
    const texts = fc.sample(anyMarker, { seed: SEED, numRuns: CASES });
    const environments = fc.sample(environment, { seed: SEED, numRuns: 40 });
    const questions = texts.map((text, index) => ({
      kind: "marker",
      text,
      environments: [0, 1, 2, 3].map((step) => ({
        ...environments[(index * 7 + step * 11) % environments.length],
        extra: step === 0 ? "" : "foo-bar",
        extras: step === 0 ? [] : ["foo-bar"],
        dependency_groups: step === 3 ? ["a"] : [],
      })),
    }));
    const answers = askAboutRequirements<MarkerAnswer | null>(questions);
    let evaluated = 0;
    questions.forEach(({ text, environments: places }, index) => {
      const answer = answers[index];
      if (answer === null || answer === undefined)
        throw new Error(`${text}: refused by the oracle`);
      const marker = parseMarker(text);
      if (answer.text !== null) expect(markerToString(marker)).toBe(answer.text);
      places.forEach(({ extras, dependency_groups, extra: _extra, ...place }, at) => {
        const expected = answer.answers[at];
        const mine = evaluateMarker(
          marker,
          place as MarkerEnvironment,
          new Set(extras),
          new Set(dependency_groups),
        );
        if (expected === null) return;
        evaluated += 1;
        if (mine !== expected) {
          throw new Error(`${text} in ${JSON.stringify(place)} with [${extras}]: not ${mine}`);
        }
      });
    });
    expect(evaluated).toBeGreaterThan(CASES);
  });

  against("what is no marker", () => {
    const texts = fc.sample(mutated(anyMarker), { seed: SEED, numRuns: CASES });
    const questions = texts.map((text) => ({ kind: "marker", text, environments: [] }));
    const answers = askAboutRequirements<MarkerAnswer | null>(questions);
    let refused = 0;
    texts.forEach((text, index) => {
      const expected = answers[index];
      let mine: string | undefined;
      try {
        mine = markerToString(parseMarker(text));
      } catch {
        refused += 1;
      }
      if ((mine === undefined) !== (expected === null)) {
        throw new Error(`${JSON.stringify(text)}: read as ${mine}, not ${expected?.text}`);
      }
    });
    expect(refused).toBeGreaterThan(0);
    expect(refused).toBeLessThan(CASES);
  });
});
