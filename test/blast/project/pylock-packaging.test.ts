/** Lock files read, refused and selected as `packaging.pylock` does it. */
import { afterAll, expect } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import type { MarkerEnvironment } from "../../../src/blast/pep/marker-environment.ts";
import { tagsForPlatform } from "../../../src/blast/pep/tag.ts";
import { checkPylock, pylockOf } from "../../../src/blast/project/pylock.ts";
import { readOwnPylock } from "../../../src/blast/project/pylock-own.ts";
import { selectForEnvironment } from "../../../src/blast/project/pylock-select.ts";
import { pylockText } from "../../../src/blast/project/pylock-write.ts";
import { parseToml } from "../../../src/kit/config/toml.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { needsOraclePython, oraclePython } from "../../support/python-tools.ts";
import { testUnless } from "../../support/skip.ts";

const folder = mkdtempSync(join(tmpdir(), "blast-pylock-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const ORACLE = `
import json, sys, tomllib, logging
logging.disable(logging.CRITICAL)
from packaging.pylock import Pylock, PylockSelectError, PylockValidationError
from packaging.pylock import PylockUnsupportedVersionError
from packaging.tags import parse_tag
question = json.load(open(sys.argv[1]))
tags = [tag for text in question["tags"] for tag in parse_tag(text)]
out = []
for one in question["locks"]:
    try:
        lock = Pylock.from_dict(tomllib.loads(one["text"]))
    except (PylockValidationError, PylockUnsupportedVersionError) as error:
        out.append(["refused", str(error)])
        continue
    try:
        selected = list(lock.select(
            environment=question["environment"], tags=tags, extras=one["extras"],
            dependency_groups=one["groups"],
        ))
    except PylockSelectError as error:
        out.append(["unselectable", str(error)])
        continue
    out.append(["selected", [
        [p.name, str(p.version) if p.version else None,
         s.filename if hasattr(s, "filename") else type(s).__name__]
        for p, s in selected
    ]])
json.dump(out, sys.stdout)
`;

const ENVIRONMENT: MarkerEnvironment = {
  python_version: "3.12",
  python_full_version: "3.12.1",
  os_name: "posix",
  sys_platform: "linux",
  platform_machine: "x86_64",
  platform_python_implementation: "CPython",
  platform_release: "6.1.0",
  platform_system: "Linux",
  platform_version: "1",
  implementation_name: "cpython",
  implementation_version: "3.12.1",
};

const rarely = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined, freq: 1 });
/** Of a file that belongs to "a", or of one that does not. */
const of = <T>(own: T[], other: T[]) =>
  fc.oneof(
    { weight: 30, arbitrary: fc.constantFrom(...own) },
    { weight: 1, arbitrary: fc.constantFrom(...other) },
  );
const bad = (value: fc.Arbitrary<unknown>) =>
  fc.oneof(
    { weight: 150, arbitrary: value },
    { weight: 1, arbitrary: fc.constantFrom<unknown>(1, true, "x y", "", [], {}, ["z"]) },
  );
const hashes = bad(fc.constantFrom({ sha256: "ab" }, { sha256: "ab", md5: "cd" }));
const marker = fc.constantFrom(
  "sys_platform == 'linux'",
  "sys_platform == 'win32'",
  "python_version < '3.12'",
  "'x' in extras",
  "'dev' in dependency_groups or 'x' not in extras",
  "python_full_version >= '3.12' and os_name != 'nt'",
);
const specifier = fc.constantFrom(">=3.8", "<4", "==3.12.*", ">=3.13", "~=3.11");

const place = { size: rarely(bad(fc.nat())), hashes };
const wheel = fc.record({
  name: fc.option(bad(of(["a-1-py3-none-any.whl"], ["b_c-1-py3-none-any.whl", "a-2.whl"])), {
    nil: undefined,
    freq: 8,
  }),
  url: bad(
    of(
      [
        "https://h/a-1-py3-none-any.whl?x#y",
        "https://h/a-1-cp312-cp312-manylinux_2_17_x86_64.whl",
        "https://h/a-1.0-cp39-abi3-manylinux2014_x86_64.whl",
        "https://h/a-1-cp311-cp311-win_amd64.whl",
        "https://h/%61-1-py2.py3-none-any.whl",
      ],
      ["https://h/b%5Fc-2.0-py3-none-any.whl", "https://h/", "https://h/a-2-py3-none-any.whl"],
    ),
  ),
  path: fc.option(bad(fc.constantFrom("w/a-1-py2.py3-none-any.whl", "a-1-py3-none-any.whl")), {
    nil: undefined,
    freq: 4,
  }),
  ...place,
});
const sdist = fc.record({
  url: of(["https://h/a-1.tar.gz", "https://h/A-1.0.zip"], ["https://h/b_c-2.0.zip", "x"]),
  ...place,
});
const lockedPackage = fc
  .record({
    name: bad(of(["a"], ["b-c", "B_c"])),
    version: rarely(bad(of(["1", "1.0"], ["2"]))),
    marker: rarely(bad(marker)),
    "requires-python": rarely(bad(specifier)),
    dependencies: rarely(bad(fc.constant([{ name: "a" }]))),
    index: rarely(bad(fc.constant("https://h/simple"))),
    source: fc.oneof(
      fc.record({ wheels: bad(fc.array(wheel, { maxLength: 3 })), sdist: rarely(bad(sdist)) }),
      fc.record({
        vcs: bad(
          fc.constantFrom<unknown>(
            { type: "git", url: "https://h/r", "commit-id": "c" },
            { type: "git", path: "../r", "commit-id": "c", subdirectory: "s" },
            { type: "git", url: "https://h/r" },
            { type: "git", "commit-id": "c" },
          ),
        ),
      }),
      fc.record({
        directory: bad(fc.constantFrom<unknown>({ path: "." }, { path: "x", editable: true }, {})),
        archive: rarely(fc.record({ url: bad(fc.constant("https://h/a.zip")), ...place })),
      }),
    ),
  })
  .map(({ source, ...rest }) => ({ ...rest, ...source }));
const lock = fc.record({
  "lock-version": fc.oneof(
    { weight: 30, arbitrary: fc.constant<unknown>("1.0") },
    { weight: 1, arbitrary: fc.constantFrom<unknown>("1.1", "2.0", "x", 1) },
  ),
  "created-by": bad(fc.constant("t")),
  environments: rarely(bad(fc.array(marker, { minLength: 1, maxLength: 2 }))),
  "requires-python": rarely(bad(specifier)),
  extras: rarely(bad(fc.constantFrom(["x"], ["X_y"]))),
  "dependency-groups": rarely(bad(fc.constant(["dev"]))),
  "default-groups": rarely(bad(fc.constantFrom(["dev"], []))),
  packages: bad(fc.array(lockedPackage, { maxLength: 3 })),
});
const question = fc.record({
  lock,
  extras: fc.constantFrom([], ["x"]),
  groups: fc.constantFrom(null, [], ["dev"]),
});

/** Without the keys that are undefined, which TOML has no word for. */
function plain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}

testUnless(needsOraclePython())(
  "generated lock files",
  async () => {
    const tags = tagsForPlatform({ python: "3.12", platform: "linux" });
    const asked = fc.sample(question, { numRuns: 4000 }).map(({ lock: of, extras, groups }) => ({
      text: Bun.TOML.stringify(plain(of) as object) ?? "",
      extras,
      groups,
    }));
    const input = join(folder, "question.json");
    const locks = asked;
    writeFileSync(input, JSON.stringify({ environment: ENVIRONMENT, tags: tags.list(), locks }));
    const done = Bun.spawnSync([oraclePython() ?? "", "-I", "-c", ORACLE, input], {
      env: { PYTHONUTF8: "1" },
    });
    expect(done.stderr.toString()).toBe("");
    const theirs = JSON.parse(done.stdout.toString()) as [string, unknown][];
    const seen: Record<string, number> = {};
    for (const [index, one] of asked.entries()) {
      const [outcome, detail] = theirs[index] ?? ["", ""];
      seen[outcome] = (seen[outcome] ?? 0) + 1;
      const wanted = outcome === "selected" ? detail : outcome;
      const got = await ours(one.text, one.extras, one.groups);
      expect([one, detail, got]).toEqual([one, detail, wanted]);
    }
    for (const outcome of ["refused", "unselectable", "selected"]) {
      expect(seen[outcome]).toBeGreaterThan(200);
    }
  },
  60_000,
);

async function ours(
  text: string,
  extras: readonly string[],
  groups: readonly string[] | null,
): Promise<unknown> {
  let read: ReturnType<typeof pylockOf>;
  try {
    read = pylockOf(await parseToml("pylock.toml", text), folder);
    checkPylock(read);
  } catch (error) {
    if (error instanceof Fault && error.code === "E_CONFIG") return "refused";
    throw error;
  }
  // What we write of it says the same.
  const again = pylockOf(await parseToml("pylock.toml", pylockText(read)), folder);
  expect(pylockText(again)).toBe(pylockText(read));
  const quick = readOwnPylock(pylockText(read), "pylock.toml", folder);
  expect(quick === undefined).toBe(read.packages.length === 0);
  if (quick !== undefined) expect(pylockText(quick)).toBe(pylockText(read));
  try {
    const selected = selectForEnvironment(read, {
      markers: ENVIRONMENT,
      tags: tagsForPlatform({ python: "3.12", platform: "linux" }),
      extras: new Set(extras),
      ...(groups === null ? {} : { groups: new Set(groups) }),
    });
    return selected.map(({ locked: { name, version, source }, from }) => [
      name,
      version?.toString() ?? null,
      from.kind === "file" ? from.file.filename : KINDS[source.kind],
    ]);
  } catch (error) {
    if (error instanceof Fault) return "unselectable";
    throw error;
  }
}

const KINDS: Readonly<Record<string, string>> = {
  vcs: "PackageVcs",
  directory: "PackageDirectory",
  archive: "PackageArchive",
};
