import { describe, expect, test } from "bun:test";
import { parsePackageName } from "../../../src/blast/pep/name.ts";
import { tagsForPlatform } from "../../../src/blast/pep/tag.ts";
import { parseVersion } from "../../../src/blast/pep/version.ts";
import { NoSolution } from "../../../src/blast/resolve/no-solution.ts";
import type { DirectSource, ResolveRequest } from "../../../src/blast/resolve/port.ts";
import { resolve } from "../../../src/blast/resolve/resolve.ts";
import { MetadataUnusable } from "../../../src/blast/resolve/unusable.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { MemoryIndex, type Universe } from "../../support/memory-index.ts";
import { linuxMarkers, pinsOf, requestFor, roots } from "../../support/resolve-request.ts";

const NAMED = (...names: string[]) => new Set(names.map(parsePackageName));
const PLATFORM = "x86_64-manylinux_2_28";

async function pins(
  universe: Universe,
  requires: readonly string[],
  options: Partial<ResolveRequest> = {},
): Promise<string[]> {
  return pinsOf(await resolve(requestFor(requires, options), new MemoryIndex(universe)));
}

function linux(python: string): ResolveRequest["target"] {
  const tags = tagsForPlatform({ python, platform: PLATFORM });
  return { kind: "environment", markers: linuxMarkers(python), tags };
}

describe("which version is taken", () => {
  const universe: Universe = {
    a: { "1.0": { requires: ["b>=1"] }, "2.0": { requires: ["b>=2,<3", "c[x]"] } },
    b: { "1.0": {}, "2.0": {}, "3.0": {} },
    c: { "1.0": { extras: { x: ["d"] } } },
    d: { "1.0": {} },
  };

  test("the newest that fit together; the lowest; the lowest of what was named", async () => {
    expect(await pins(universe, ["a"])).toEqual(["a==2.0", "b==2.0", "c==1.0", "d==1.0"]);
    expect(await pins(universe, ["a"], { strategy: "lowest" })).toEqual(["a==1.0", "b==1.0"]);
    const direct = await pins(universe, ["a"], { strategy: "lowest-direct" });
    expect(direct).toEqual(["a==1.0", "b==3.0"]);
  });

  test("preferences, as long as they fit", async () => {
    const preferences = new Map([
      [parsePackageName("a"), [parseVersion("1.0")]],
      [parsePackageName("b"), [parseVersion("9"), parseVersion("2.0")]],
    ]);
    expect(await pins(universe, ["a"], { preferences })).toEqual(["a==1.0", "b==2.0"]);
    expect(await pins(universe, ["a", "b==3.0"], { preferences })).toEqual(["a==1.0", "b==3.0"]);
    expect(await pins(universe, ["a>1"], { preferences })).toContain("a==2.0");
  });

  test("constraints narrow, but ask for nothing; overrides replace", async () => {
    const constraints = roots(["b<2", "d==7"], "constraints.txt");
    expect(await pins(universe, ["a"], { constraints })).toEqual(["a==1.0", "b==1.0"]);
    const overrides = roots(["b==3.0", "c"], "overrides.txt");
    expect(await pins(universe, ["a"], { overrides })).toEqual(["a==2.0", "b==3.0", "c==1.0"]);
  });

  test("pre-releases: when named, when nothing else fits, when allowed", async () => {
    const pre = { a: { "1.0": {}, "2.0rc1": {} }, b: { "1.0b1": {} } };
    expect(await pins(pre, ["a"])).toEqual(["a==1.0"]);
    expect(await pins(pre, ["a>=2.0rc1"])).toEqual(["a==2.0rc1"]);
    expect(await pins(pre, ["a!=1.0", "b"])).toEqual(["a==2.0rc1", "b==1.0b1"]);
    expect(await pins(pre, ["a"], { preReleases: "allow" })).toEqual(["a==2.0rc1"]);
    expect(pins(pre, ["b"], { preReleases: "disallow" })).rejects.toThrow(NoSolution);
  });

  test("a pre-release that a requirement of a package names", async () => {
    const pre: Universe = {
      a: { "1": { requires: ["b>=1.0rc1"] }, "2": { requires: ["b>=0.5"] } },
      b: { "0.9": {}, "1.0": {}, "1.1rc1": {} },
    };
    expect(await pins(pre, ["a==1"])).toEqual(["a==1", "b==1.1rc1"]);
    expect(await pins(pre, ["a==2"])).toEqual(["a==2", "b==1.0"]);
  });

  test("a yanked version: when the user names it, with a warning", async () => {
    const yanked = { a: { "1.0": {}, "2.0": { yanked: "broken" } } };
    expect(await pins(yanked, ["a"])).toEqual(["a==1.0"]);
    expect(pins(yanked, ["a>1"])).rejects.toThrow(NoSolution);
    const found = await resolve(requestFor(["a==2.0"]), new MemoryIndex(yanked));
    expect(pinsOf(found)).toEqual(["a==2.0"]);
    expect(found.warnings).toEqual(["a 2.0 was yanked by its authors: broken"]);
  });

  test("what needs another Python: an upper bound counts, but not for a pin", async () => {
    const pythons: Universe = {
      a: {
        "1.0": {},
        "2.0": { requiresPython: ">=3.8,<3.12" },
        "3.0": { requiresPython: ">=3.13" },
      },
    };
    expect(await pins(pythons, ["a"])).toEqual(["a==1.0"]);
    const found = await resolve(requestFor(["a==2.0"]), new MemoryIndex(pythons));
    expect(found.warnings).toEqual(["a 2.0 is not meant for this Python: it wants >=3.8,<3.12"]);
    expect(pins(pythons, ["a==3.0"])).rejects.toThrow(NoSolution);
  });

  test("what the files allow", async () => {
    const files: Universe = {
      a: {
        "1.0": { wheels: ["py3-none-any"] },
        "2.0": { wheels: ["cp311-cp311-manylinux_2_17_x86_64"], sdist: true },
        "3.0": { wheels: ["cp311-cp311-manylinux_2_17_x86_64"], sdist: false },
        "4.0": { wheels: ["cp312-cp312-win_amd64"], sdist: false },
      },
    };
    expect(await pins(files, ["a"], { target: linux("3.11.2") })).toEqual(["a==3.0"]);
    expect(await pins(files, ["a"], { target: linux("3.12.1") })).toEqual(["a==2.0"]);
    const target = linux("3.12.1");
    expect(await pins(files, ["a"], { target, onlyBinary: "all" })).toEqual(["a==1.0"]);
    expect(await pins(files, ["a"], { target, onlyBinary: NAMED("a") })).toEqual(["a==1.0"]);
    const found = await resolve(
      requestFor(["a==1.0"], { target, noBinary: "all" }),
      new MemoryIndex(files),
    );
    expect(found.packages[0]?.files.map(({ kind }) => kind)).toEqual(["sdist"]);
  });

  test("files come best first: nearest tags, highest build, sources last", async () => {
    const tags = ["py3-none-any", "cp312-cp312-manylinux_2_17_x86_64", "1-py3-none-any"];
    const universe = { a: { "1.0": { wheels: tags } } };
    const found = await resolve(
      requestFor(["a"], { target: linux("3.12.1") }),
      new MemoryIndex(universe),
    );
    expect(found.packages[0]?.files.map(({ filename }) => filename)).toEqual([
      "a-1.0-cp312-cp312-manylinux_2_17_x86_64.whl",
      "a-1.0-1-py3-none-any.whl",
      "a-1.0-py3-none-any.whl",
      "a-1.0.tar.gz",
    ]);
  });

  test("files uploaded later than asked for, or nobody knows when, do not exist", async () => {
    const times: Universe = {
      a: {
        "1.0": { uploadTime: "2024-01-01T00:00:00Z" },
        "2.0": { uploadTime: "2024-06-01T00:00:00Z" },
        "3.0": {},
      },
    };
    const excludeNewerMs = Date.parse("2024-03-01T00:00:00Z");
    expect(await pins(times, ["a"], { excludeNewerMs })).toEqual(["a==1.0"]);
  });
});

describe("extras", () => {
  test("that ask for others of their own package, and some that do not exist", async () => {
    const universe: Universe = {
      a: { "1.0": { extras: { all: ["a[x]", "a[y]"], x: ["b"], y: ["c; sys_platform == 'x'"] } } },
      b: { "1.0": {} },
      c: { "1.0": {} },
    };
    const found = await resolve(requestFor(["a[all,none]"]), new MemoryIndex(universe));
    expect(pinsOf(found)).toEqual(["a==1.0", "b==1.0"]);
    expect(found.packages[0]?.extras.map(String)).toEqual(["all", "none", "x", "y"]);
    expect(found.warnings).toEqual(['a 1.0 has no extra "none"']);
    expect(found.packages[0]?.dependencies.map(({ name }) => String(name))).toEqual(["b"]);
  });

  test("an extra that is wanted late counts for the version that stands", async () => {
    const universe: Universe = {
      a: { "1.0": { extras: { x: ["c<2"] } } },
      b: { "1.0": { requires: ["a[x]"] } },
      c: { "1.0": {}, "2.0": {} },
    };
    expect(await pins(universe, ["a", "c", "b"])).toEqual(["a==1.0", "b==1.0", "c==1.0"]);
  });
});

describe("places", () => {
  const here: DirectSource = { kind: "directory", path: "/src/a", editable: true };
  const universe: Universe = { a: { "1.0": {}, "9.0": {} }, b: { "1.0": { requires: ["a>=1"] } } };

  test("what is named by its place is taken from there", async () => {
    const index = new MemoryIndex(universe).addDirect(here, "a", "5.0", { requires: ["b"] });
    const requirements = roots(["b", "a"]).map((item, at) =>
      at === 1 ? { ...item, source: here } : item,
    );
    const found = await resolve(requestFor([], { requirements }), index);
    expect(pinsOf(found)).toEqual(["a==5.0", "b==1.0"]);
    expect(found.packages[0]?.source).toEqual(here);
    expect(index.asked.projects).toEqual(["b"]);
  });

  test("a place that only the metadata of another place tells, and late", async () => {
    const url = "https://host.test/a-5.0-py3-none-any.whl";
    const index = new MemoryIndex(universe)
      .addDirect({ kind: "archive", url: "https://host.test/c.zip" }, "c", "1.0", {
        requires: ["d"],
      })
      .addDirect({ kind: "directory", path: "/d", editable: false }, "d", "1.0")
      .addDirect({ kind: "archive", url }, "a", "5.0");
    const late = new MemoryIndex({ ...universe, d: { "1.0": {} } })
      .addDirect({ kind: "archive", url: "https://host.test/c.zip" }, "c", "1.0", {
        requires: [`a @ ${url}`],
      })
      .addDirect({ kind: "archive", url }, "a", "5.0");
    const first = await resolve(requestFor(["b", "c @ https://host.test/c.zip"]), late);
    expect(pinsOf(first)).toEqual(["a==5.0", "b==1.0", "c==1.0"]);
    // Nothing at that place asks for d, which no index has.
    expect(resolve(requestFor(["c @ https://host.test/c.zip"]), index)).rejects.toThrow(NoSolution);
  });

  test("a package of an index cannot send anybody to a place; two places are one too many", () => {
    const universe = { a: { "1.0": { requires: ["b @ https://evil.test/b.zip"] } } };
    expect(resolve(requestFor(["a"]), new MemoryIndex(universe))).rejects.toThrow(NoSolution);
    const both = ["b @ https://host.test/1.zip", "b @ https://host.test/2.zip"];
    expect(resolve(requestFor(both), new MemoryIndex({}))).rejects.toThrow(NoSolution);
  });
});

describe("the index", () => {
  const universe: Universe = {
    a: { "1.0": { requires: ["b", "c"] } },
    b: { "1.0": {}, "2.0": { requires: ["c<1"] } },
    c: { "1.0": {} },
  };

  test("may answer late, and hears of names and files before they are asked for", async () => {
    const index = new MemoryIndex(universe, true);
    expect(pinsOf(await resolve(requestFor(["a"]), index))).toEqual(["a==1.0", "b==1.0", "c==1.0"]);
    expect(index.prefetched.projects).toEqual(["a", "b", "c"]);
    expect(index.prefetched.metadata).toContain("c-1.0-py3-none-any.whl");
    expect(index.asked.projects).toEqual(["a", "b", "c"]);
  });

  test("metadata of no use rules a version out; other failures are the caller's", async () => {
    const index = new MemoryIndex(universe);
    const read = index.metadata.bind(index);
    index.metadata = (file) => {
      if (file.filename.startsWith("b-2.0")) throw new MetadataUnusable("it is broken");
      return read(file);
    };
    expect(pinsOf(await resolve(requestFor(["b"]), index))).toEqual(["b==1.0"]);
    index.metadata = (file) => {
      if (!file.filename.startsWith("b-2.0")) return read(file);
      const details = { metadata: true, reason: "it is broken" };
      throw new Fault({ code: "E_INTEGRITY", message: "as the index tells it", details });
    };
    expect(pinsOf(await resolve(requestFor(["b"]), index))).toEqual(["b==1.0"]);
    index.metadata = () => Promise.reject(new Error("no network"));
    expect(resolve(requestFor(["b"]), index)).rejects.toThrow("no network");
  });

  test("metadata of something else rules a version out", async () => {
    const index = new MemoryIndex(universe);
    const read = index.metadata.bind(index);
    index.metadata = (file) =>
      file.filename.startsWith("b-2.0")
        ? read({ ...file, filename: "c-1.0-py3-none-any.whl" })
        : read(file);
    expect(pinsOf(await resolve(requestFor(["b"]), index))).toEqual(["b==1.0"]);
  });
});

test("packages that fit no version of a long list are found with few looks at it", async () => {
  const versions: Record<string, Universe[string][string]> = {};
  for (let at = 1; at <= 400; at += 1) versions[`1.${at}`] = { requires: ["c>=2"] };
  const universe: Universe = { a: { ...versions, "0.9": {} }, c: { "1.0": {}, "2.0": {} } };
  const index = new MemoryIndex(universe);
  expect(pinsOf(await resolve(requestFor(["c<2", "a"]), index))).toEqual(["a==0.9", "c==1.0"]);
  // Many were asked for at once, and each at most once.
  expect(index.prefetched.metadata.length).toBeGreaterThan(300);
  expect(new Set(index.asked.metadata).size).toBe(index.asked.metadata.length);
});

test("sources, which may have to be built, are not asked for by the dozen", async () => {
  const versions: Record<string, Universe[string][string]> = {};
  for (let at = 1; at <= 100; at += 1) {
    versions[`1.${at}`] = { requires: ["c>=2"], wheels: [], sdist: true };
  }
  const universe: Universe = { a: { ...versions, "0.9": {} }, c: { "1.0": {}, "2.0": {} } };
  const index = new MemoryIndex(universe);
  expect(pinsOf(await resolve(requestFor(["c<2", "a"]), index))).toEqual(["a==0.9", "c==1.0"]);
  expect(index.prefetched.metadata.filter((name) => name.endsWith(".tar.gz")).length).toBeLessThan(
    3,
  );
});
