import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { PepError } from "../../../src/blast/pep/error.ts";
import { parseCoreMetadata } from "../../../src/blast/pep/metadata.ts";
import { requirementToString } from "../../../src/blast/pep/requirement.ts";
import { mutated } from "../../support/mutated.ts";
import { needsOraclePython } from "../../support/python-tools.ts";
import { askAboutRequirements } from "../../support/requirement-oracle.ts";
import { testUnless } from "../../support/skip.ts";

const PLAIN = `Metadata-Version: 2.4
Name: Some.Name
Version: 1.0.0rc1
Summary: with: colons
Requires-Python: >=3.8
Provides-Extra: Test_it
Provides-Extra: not valid!
Requires-Dist: b>=1
Requires-Dist: a ; extra == 'test_it'
Dynamic: Requires-Dist
Dynamic: Summary

Name: not this
Requires-Dist: nor-this
`;

describe("core metadata", () => {
  test("what resolving needs", () => {
    const metadata = parseCoreMetadata(PLAIN);
    expect<string>(metadata.name).toBe("some-name");
    expect(metadata.version.toString()).toBe("1.0.0rc1");
    expect(metadata.requiresPython).toBe(">=3.8");
    expect(metadata.requiresDist.map(requirementToString)).toEqual([
      "b>=1",
      'a; extra == "test-it"',
    ]);
    expect<readonly string[]>(metadata.providesExtra).toEqual(["test-it"]);
    expect(metadata.dynamic).toEqual(["requires-dist", "summary"]);
  });

  test.each(["\r\n", "\r", "\n"])("line ends %j", (end) => {
    const text = PLAIN.replaceAll("\n", end);
    expect(parseCoreMetadata(text).requiresDist).toHaveLength(2);
    expect(parseCoreMetadata(Buffer.from(text)).requiresDist).toHaveLength(2);
    expect(parseCoreMetadata(Buffer.from(`\ufeff${text}`)).requiresDist).toHaveLength(2);
  });

  test.each([
    ["any case", "NAME: a\nversion: 1\nrequires-DIST: b\n", ["b"]],
    [
      "folded lines",
      "Name: a\nVersion: 1\nRequires-Dist: b\n ; os_name\n\t== 'x'\n",
      ['b; os_name == "x"'],
    ],
    ["an empty field", "Name: a\nVersion: 1\nRequires-Dist:\n", []],
    ["UNKNOWN", "Name: a\nVersion: 1\nRequires-Dist: UNKNOWN\nRequires-Python: UNKNOWN\n", []],
    ["the first of two", "Name: a\nName: b\nVersion: 1\nVersion: 2\n", []],
    ["what is no field ends it", "Name: a\nVersion: 1\nno field\nRequires-Dist: b\n", []],
    ["the line of a mailbox", "From x\nName: a\nVersion: 1\nRequires-Dist: b\n", ["b"]],
  ])("%s", (_name, text, expected) => {
    const metadata = parseCoreMetadata(text);
    expect<string>(metadata.name).toBe("a");
    expect(metadata.version.toString()).toBe("1");
    expect(metadata.requiresPython).toBeUndefined();
    expect(metadata.requiresDist.map(requirementToString)).toEqual(expected);
  });

  test.each([
    ["", "it has no Name"],
    ["Name: a\n", "it has no Version"],
    ["Name: a\nVersion: x\n", 'Cannot read version "x"'],
    ["Name: a b\nVersion: 1\n", 'Cannot read package name "a b"'],
    ["Name: a\nVersion: 1\nRequires-Dist: b c\n", 'Cannot read requirement "b c"'],
    ["Metadata-Version: 3.0\nName: a\nVersion: 1\n", 'format "3.0": only 1 and 2 are known'],
    ["Metadata-Version: x\nName: a\nVersion: 1\n", 'format "x": it is no version'],
  ])("%j is refused", (text, message) => {
    expect(() => parseCoreMetadata(text)).toThrow(message);
    expect(() => parseCoreMetadata(text)).toThrow(PepError);
  });

  test("any bytes are read or refused", () => {
    fc.assert(
      fc.property(mutated(fc.constant(PLAIN)), (text) => {
        try {
          parseCoreMetadata(text);
        } catch (error) {
          expect(error).toBeInstanceOf(PepError);
        }
      }),
      { numRuns: 300 },
    );
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        expect(() => parseCoreMetadata(bytes)).toThrow(PepError);
      }),
      { numRuns: 300 },
    );
  });
});

interface Answer {
  readonly name: string;
  readonly version: string;
  readonly requiresPython: string | null;
  readonly requirements: readonly (string | null)[];
  readonly extras: readonly string[];
  readonly dynamic: readonly string[];
}

describe("real metadata", () => {
  testUnless(needsOraclePython())("is read as the packaging library reads it", () => {
    const [installed = []] = askAboutRequirements<string[]>([{ kind: "installed" }]);
    const paths = [...installed, ...moreFiles(process.env["PEP_METADATA"])];
    const answers = askAboutRequirements<Answer>(paths.map((path) => ({ kind: "metadata", path })));
    let requirements = 0;
    paths.forEach((path, index) => {
      const expected = answers[index] as Answer;
      const mine = parseCoreMetadata(readFileSync(path));
      expect<string>(mine.name).toBe(expected.name);
      expect(mine.version.toString()).toBe(expected.version);
      expect(mine.requiresPython ?? null).toBe(expected.requiresPython);
      expect<readonly string[]>(mine.providesExtra).toEqual(expected.extras);
      expect(mine.dynamic).toEqual(expected.dynamic);
      expect(mine.requiresDist).toHaveLength(expected.requirements.length);
      expected.requirements.forEach((text, at) => {
        const requirement = mine.requiresDist[at];
        if (text === null || requirement === undefined) return;
        expect(requirementToString(requirement)).toBe(text);
        requirements += 1;
      });
    });
    expect(paths.length).toBeGreaterThan(2);
    expect(requirements).toBeGreaterThan(5);
  });
});

/** For more than the tools bring: every METADATA below a folder. */
function moreFiles(folder: string | undefined): string[] {
  if (folder === undefined) return [];
  return [...new Bun.Glob("**/*.dist-info/METADATA").scanSync(folder)].map((path) =>
    join(folder, path),
  );
}
