import { describe, expect, test } from "bun:test";
import { parsePackageName } from "../../../src/blast/pep/name.ts";
import { parseSpecifierSet } from "../../../src/blast/pep/specifier.ts";
import { tagsForPlatform } from "../../../src/blast/pep/tag.ts";
import { NoSolution } from "../../../src/blast/resolve/no-solution.ts";
import type { ResolveRequest } from "../../../src/blast/resolve/port.ts";
import { explain } from "../../../src/blast/resolve/report.ts";
import { resolve } from "../../../src/blast/resolve/resolve.ts";
import { MemoryIndex, type Universe } from "../../support/memory-index.ts";
import { linuxMarkers, requestFor, roots } from "../../support/resolve-request.ts";

async function explained(
  universe: Universe,
  requires: readonly string[],
  options: Partial<ResolveRequest> = {},
): Promise<string> {
  const requirements = requires.flatMap((text, at) => roots([text], `r.txt:${at + 1}`));
  try {
    await resolve(requestFor([], { requirements, ...options }), new MemoryIndex(universe));
    return "solved";
  } catch (error) {
    if (!(error instanceof NoSolution)) throw error;
    const { message, facts = [], hint } = explain(error);
    const lines = [message, ...facts.map((fact) => `- ${fact}`)];
    if (hint !== undefined) lines.push(`hint: ${hint}`);
    return lines.join("\n");
  }
}

describe("failures are told", () => {
  test("by the requirements that clash, with where they stand and what would help", async () => {
    const universe: Universe = {
      flask: { "2.0": { requires: ["werkzeug>=2"] }, "3.0": { requires: ["werkzeug>=3"] } },
      werkzeug: { "1.0": {}, "2.0": {}, "3.0": {} },
    };
    expect(await explained(universe, ["flask==3.0", "werkzeug<2"])).toBe(
      "you require flask==3.0 (r.txt:1), which requires werkzeug>=3, " +
        "but you require werkzeug<2 (r.txt:2)\n" +
        'hint: it would work if "werkzeug<2" (r.txt:2) allowed 3.0',
    );
    expect(await explained(universe, ["flask", "werkzeug<2"])).toBe(
      "you require flask (r.txt:1), " +
        "flask==3.0 requires werkzeug>=3 and flask==2.0 werkzeug>=2, " +
        "but you require werkzeug<2 (r.txt:2)\n" +
        'hint: it would work if "werkzeug<2" (r.txt:2) allowed 3.0',
    );
    const constraints = roots(["werkzeug<2"], "c.txt:7");
    expect(await explained(universe, ["flask>2"], { constraints })).toBe(
      "you require flask>2 (r.txt:1), flask==3.0 requires werkzeug>=3, " +
        "but c.txt:7 allows only werkzeug<2\n" +
        'hint: it would work if "werkzeug<2" (c.txt:7) allowed 3.0',
    );
  });

  test("as a list where it takes more than three facts", async () => {
    const universe: Universe = {
      a: { "1": { requires: ["c<2"] } },
      b: { "1": { requires: ["c>=2"] }, "2": { requires: ["c>=2"] } },
      c: { "1": {}, "2": {} },
    };
    expect(await explained(universe, ["a", "b"])).toBe(
      "these cannot all hold\n" +
        "- you require a (r.txt:1)\n" +
        "- a==1 requires c<2\n" +
        "- you require b (r.txt:2)\n" +
        "- every version of b requires c>=2",
    );
  });

  test("by versions in a row, however many", async () => {
    const versions: Record<string, Universe[string][string]> = {};
    for (let at = 1; at <= 60; at += 1) versions[`${at}`] = { requires: [`b==${at}`] };
    const others = Object.fromEntries(Object.keys(versions).map((version) => [version, {}]));
    const universe: Universe = { a: versions, b: { ...others, "99": {} } };
    expect(await explained(universe, ["a", "b==99"])).toBe(
      "you require a (r.txt:1), every version of a requires a b that does not fit: " +
        "a==60 requires b==60, and so on, but you require b==99 (r.txt:2)\n" +
        'hint: it would work if "b==99" (r.txt:2) allowed 60',
    );
  });
});

describe("failures of one package are told", () => {
  test("a name that is not there, a version that is not there", async () => {
    expect(await explained({}, ["reqeusts"])).toBe(
      'you require reqeusts (r.txt:1), but no index has a package named "reqeusts"\n' +
        'hint: check the spelling of "reqeusts", and which indexes are asked',
    );
    expect(await explained({ a: { "1": {}, "2": {} } }, ["a>=3"])).toBe(
      "you require a>=3 (r.txt:1), but a has only 1, 2\n" +
        'hint: it would work if "a>=3" (r.txt:1) allowed 2',
    );
  });

  test("Pythons", async () => {
    const universe: Universe = {
      a: { "1": { requiresPython: ">=3.13" }, "2": { requiresPython: ">=3.14" } },
    };
    expect(await explained(universe, ["a"])).toBe(
      "you require a (r.txt:1), " +
        "but a==2 needs Python >=3.14, a==1 >=3.13, and this is for Python 3.12.1\n" +
        "hint: use a Python that fits >=3.14, or another version of a",
    );
  });

  test("yanked versions, pre-releases, dates", async () => {
    expect(await explained({ a: { "1": { yanked: "it deletes files" } } }, ["a"])).toBe(
      'you require a (r.txt:1), but a==1 was yanked by its authors ("it deletes files")\n' +
        "hint: name the version to take it nevertheless: a==1",
    );
    const preReleases = "disallow";
    expect(await explained({ a: { "1rc1": {} } }, ["a"], { preReleases })).toBe(
      "you require a (r.txt:1), but a==1rc1 is a pre-release, and these are not allowed\n" +
        "hint: allow pre-releases with --pre",
    );
    expect(await explained({ a: { "1": {} } }, ["a"], { excludeNewerMs: 0 })).toContain(
      "a==1 was uploaded after the date that is asked for",
    );
  });

  test("files that do not fit", async () => {
    const tags = tagsForPlatform({ python: "3.12", platform: "x86_64-manylinux_2_28" });
    const target = { kind: "environment", markers: linuxMarkers(), tags } as const;
    const wheels = ["cp39-cp39-win_amd64", "cp310-cp310-win_amd64"];
    expect(await explained({ a: { "1": { wheels, sdist: false } } }, ["a"], { target })).toBe(
      "you require a (r.txt:1), but a==1 has no wheel for this Python and platform, " +
        "and no source: its wheels are for CPython 3.9 and 3.10 on Windows",
    );
    const onlyBinary = new Set([parsePackageName("a")]);
    expect(await explained({ a: { "1": { wheels: [] } } }, ["a"], { onlyBinary })).toContain(
      "a==1 comes as source only, which is ruled out for it\nhint: allow a==1 to be built",
    );
    const noBinary = "all";
    expect(await explained({ a: { "1": { sdist: false } } }, ["a"], { noBinary })).toContain(
      "a==1 comes as wheels only, which are ruled out for it\nhint: allow wheels of a",
    );
  });

  test("places", async () => {
    const universe = { a: { "1": { requires: ["b @ https://h.test/b.zip"] } } };
    expect(await explained(universe, ["a"])).toBe(
      "you require a (r.txt:1), but a==1 requires b from https://h.test/b.zip, " +
        "which only you can ask for\n" +
        "hint: require b from that place yourself if you trust it",
    );
    const both = ["b @ https://h.test/1.zip", "b @ https://h.test/2.zip"];
    expect(await explained({}, both)).toBe(
      "you require b from https://h.test/2.zip (r.txt:2) and from https://h.test/1.zip",
    );
  });

  test("the part of the environments where it happens", async () => {
    const requiresPython = parseSpecifierSet(">=3.9").toRange();
    const universe: Universe = { a: { "1": { requires: ["b"] }, "2": {} } };
    const requires = ["a==1; sys_platform == 'win32'", "a==2; sys_platform != 'win32'"];
    const target = { kind: "universal", requiresPython } as const;
    expect(await explained(universe, requires, { target })).toStartWith(
      "where python_version >= '3.9' and sys_platform == 'win32', you require a==1",
    );
  });
});
