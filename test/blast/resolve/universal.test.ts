import { describe, expect, test } from "bun:test";
import { parsePackageName } from "../../../src/blast/pep/name.ts";
import { parseSpecifierSet } from "../../../src/blast/pep/specifier.ts";
import { parseVersion } from "../../../src/blast/pep/version.ts";
import type { ResolveRequest } from "../../../src/blast/resolve/port.ts";
import { resolve } from "../../../src/blast/resolve/resolve.ts";
import { MemoryIndex, type Universe } from "../../support/memory-index.ts";
import { requestFor } from "../../support/resolve-request.ts";

async function lines(
  universe: Universe,
  requires: readonly string[],
  options: Partial<ResolveRequest> & { readonly python?: string; readonly atHand?: string } = {},
): Promise<string[]> {
  const { python = ">=3.9", atHand, ...rest } = options;
  const requiresPython = parseSpecifierSet(python).toRange();
  const target = {
    kind: "universal",
    requiresPython,
    ...(atHand === undefined ? {} : { python: atHand }),
  } as const;
  const found = await resolve(requestFor(requires, { target, ...rest }), new MemoryIndex(universe));
  return found.packages.map(({ name, version, marker }) => {
    const where = marker === undefined ? "" : ` ; ${marker.toMarkerString()}`;
    return `${name}==${version}${where}`;
  });
}

const NUMPY: Universe = {
  numpy: {
    "1.26": { requiresPython: ">=3.9" },
    "2.0": { requiresPython: ">=3.10" },
    "2.3": { requiresPython: ">=3.11" },
  },
};
const NUMPY_LINES = [
  "numpy==1.26 ; python_version < '3.10'",
  "numpy==2.0 ; python_version == '3.10'",
  "numpy==2.3 ; python_version >= '3.11'",
];

describe("universal answers", () => {
  test("hold the newest version for each Python", async () => {
    expect(await lines(NUMPY, ["numpy"])).toEqual(NUMPY_LINES);
    expect(await lines(NUMPY, ["numpy"], { python: ">=3.11" })).toEqual(["numpy==2.3"]);
    expect(await lines(NUMPY, ["numpy<2"])).toEqual(["numpy==1.26"]);
  });

  test("stay as they are when their versions are preferred", async () => {
    const preferences = new Map([
      [parsePackageName("numpy"), ["2.3", "2.0", "1.26"].map(parseVersion)],
    ]);
    const newer = { numpy: { ...NUMPY["numpy"], "2.4": { requiresPython: ">=3.11" } } };
    expect(await lines(newer, ["numpy"], { preferences })).toEqual(NUMPY_LINES);
  });

  test("carry conditions along, and leave out what is never reached", async () => {
    const universe: Universe = {
      a: { "1": { requires: ["b; python_version < '3.11'", "c; sys_platform == 'linux'"] } },
      b: { "1": { requires: ["c; sys_platform != 'linux'", "d; python_version >= '3.12'"] } },
      c: { "1": {} },
      d: { "1": {} },
    };
    expect(await lines(universe, ["a; sys_platform != 'win32'"])).toEqual([
      "a==1 ; sys_platform != 'win32'",
      "b==1 ; python_version < '3.11' and sys_platform != 'win32'",
      expect.stringContaining("c==1 ; "),
    ]);
  });

  test("constraints with conditions part the environments, too", async () => {
    const universe: Universe = { a: { "1": {}, "2": {} } };
    const constraints = requestFor(["a<2; sys_platform == 'win32'"]).requirements;
    // What one part takes is taken in the others as well, where it fits.
    expect(await lines(universe, ["a"], { constraints })).toEqual(["a==1"]);
    const requires = ["a>1; sys_platform != 'win32'", "a; sys_platform == 'win32'"];
    expect(await lines(universe, requires, { constraints })).toEqual([
      "a==1 ; sys_platform == 'win32'",
      "a==2 ; sys_platform != 'win32'",
    ]);
  });

  test("upper bounds count for the Python at hand only", async () => {
    const universe: Universe = { a: { "1": {}, "2": { requiresPython: ">=3.8,<3.12" } } };
    expect(await lines(universe, ["a"])).toEqual(["a==2"]);
    expect(await lines(universe, ["a"], { atHand: "3.11.4" })).toEqual(["a==2"]);
    expect(await lines(universe, ["a"], { atHand: "3.12.1" })).toEqual(["a==1"]);
    expect(await lines(universe, ["a==2"], { atHand: "3.12.1" })).toEqual(["a==2"]);
  });

  test("edges tell where a requirement counts, inside of its package", async () => {
    const universe: Universe = {
      a: { "1": { requires: ["b; sys_platform == 'linux'", "c"] } },
      b: { "1": {} },
      c: { "1": {} },
    };
    const requiresPython = parseSpecifierSet(">=3.9").toRange();
    const found = await resolve(
      requestFor(["a; python_version < '3.12'"], { target: { kind: "universal", requiresPython } }),
      new MemoryIndex(universe),
    );
    const [a] = found.packages;
    expect(a?.direct).toBe(true);
    expect(a?.dependencies.map(({ name, marker }) => `${name} ${marker}`)).toEqual([
      "b sys_platform == 'linux'",
      "c undefined",
    ]);
  });
});
