import { describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { MarkerEnvironment } from "../../../src/blast/pep/marker-environment.ts";
import { parsePackageName } from "../../../src/blast/pep/name.ts";
import { tagsForPlatform } from "../../../src/blast/pep/tag.ts";
import { parseVersion } from "../../../src/blast/pep/version.ts";
import {
  checkPylock,
  isPylockName,
  type LockedPackage,
  type Pylock,
  type PylockContent,
  pylockOf,
  readPylock,
} from "../../../src/blast/project/pylock.ts";
import { readOwnPylock } from "../../../src/blast/project/pylock-own.ts";
import {
  type PylockTarget,
  selectForEnvironment,
} from "../../../src/blast/project/pylock-select.ts";
import { pylockText } from "../../../src/blast/project/pylock-write.ts";
import { parseToml } from "../../../src/kit/config/toml.ts";
import { causeMessages, Fault } from "../../../src/kit/fault/fault.ts";

async function read(text: string): Promise<Pylock> {
  const lock = pylockOf(await parseToml("pylock.toml", text), "/project");
  checkPylock(lock);
  return lock;
}

async function problem(text: string, use: (lock: Pylock) => unknown = () => 0) {
  try {
    use(await read(text));
  } catch (error) {
    if (error instanceof Fault) return [error.message, ...causeMessages(error)];
    throw error;
  }
  throw new Error("no fault");
}

/** Shaped as the example of the standard. */
const EXAMPLE = `lock-version = '1.0'
environments = ["sys_platform == 'win32'", "sys_platform == 'linux'"]
requires-python = '== 3.12'
created-by = 'mousebender'

[[packages]]
name = 'attrs'
version = '25.1.0'
requires-python = '>=3.8'
[[packages.wheels]]
name = 'attrs-25.1.0-py3-none-any.whl'
upload-time = 2025-01-25T11:30:10.164985+00:00
url = 'https://h/attrs-25.1.0-py3-none-any.whl'
size = 63152
hashes = {sha256 = 'C75A69'}
[[packages.attestation-identities]]
environment = 'release-pypi'
kind = 'GitHub'

[[packages]]
name = 'cattrs'
version = '24.1.2'
dependencies = [
    {name = 'attrs'},
]
wheels = [
  {url = 'https://h/cattrs-24.1.2-py3-none-any.whl', hashes = {sha256 = '67c7495'}},
]
sdist = {path = 'dist/cattrs-24.1.2.tar.gz', hashes = {sha512 = 'ab'}}

[[packages]]
name = 'repo'
vcs = {type = 'git', url = 'https://h/r.git', requested-revision = 'main', commit-id = '3f1'}

[packages.tool.x]
a = [1]

[tool.mousebender]
command = ['.', 'lock']
run-on = 2025-03-06T12:28:57.760769
`;

const LINUX: MarkerEnvironment = {
  python_version: "3.12",
  python_full_version: "3.12.0",
  os_name: "posix",
  sys_platform: "linux",
  platform_machine: "x86_64",
  platform_python_implementation: "CPython",
  platform_release: "6.1",
  platform_system: "Linux",
  platform_version: "#1",
  implementation_name: "cpython",
  implementation_version: "3.12.0",
};
const TARGET: PylockTarget = {
  markers: LINUX,
  tags: tagsForPlatform({ python: "3.12", platform: "linux" }),
};

test("names of lock files", () => {
  expect(["pylock.toml", "pylock.dev.toml"].map(isPylockName)).toEqual([true, true]);
  const bad = ["pylock..toml", "pylock.a.b.toml", "xpylock.toml", "pylock.tomlx", "pylock.dev"];
  expect(bad.some(isPylockName)).toBe(false);
});

test("the example is read", async () => {
  const lock = await read(EXAMPLE);
  expect([lock.lockVersion, lock.createdBy, lock.requiresPython]).toEqual([
    "1.0",
    "mousebender",
    "== 3.12",
  ]);
  const [attrs, cattrs, repo] = lock.packages;
  expect(attrs?.source).toEqual({
    kind: "files",
    wheels: [
      {
        name: "attrs-25.1.0-py3-none-any.whl",
        uploadTime: "2025-01-25T11:30:10.164985Z",
        url: "https://h/attrs-25.1.0-py3-none-any.whl",
        size: 63152,
        hashes: { sha256: "c75a69" },
      },
    ],
  });
  expect(cattrs?.dependencies).toEqual([{ name: "attrs" }]);
  expect(cattrs?.source.kind === "files" && cattrs.source.sdist?.name).toBe("cattrs-24.1.2.tar.gz");
  expect(repo?.source).toEqual({
    kind: "vcs",
    type: "git",
    url: "https://h/r.git",
    requestedRevision: "main",
    commit: "3f1",
  });
  expect([repo?.tool, Object.keys(lock.tool ?? {})]).toEqual([{ x: { a: [1] } }, ["mousebender"]]);
});

const content: PylockContent = {
  environments: ["sys_platform == 'linux'"],
  requiresPython: ">=3.9",
  extras: ["b", "a"],
  dependencyGroups: ["dev"],
  defaultGroups: [],
  packages: [
    {
      name: parsePackageName("zeta"),
      version: parseVersion("2"),
      marker: "python_version < '3.10'",
      dependencies: [{ name: "alpha", version: "1" }, { name: "a" }],
      index: "https://h/simple",
      source: {
        kind: "files",
        sdist: { name: "zeta-2.tar.gz", url: "https://h/zeta-2.tar.gz", hashes: { sha256: "1" } },
        wheels: [
          {
            name: "zeta-2-py3-none-any.whl",
            path: "w/zeta-2-py3-none-any.whl",
            size: 3,
            hashes: { sha256: "2", md5: "0" },
          },
          {
            name: "zeta-2-py2-none-any.whl",
            url: "https://h/b",
            uploadTime: "2020-01-02T03:04:05.123456789+01:00",
            hashes: { sha256: "3" },
          },
        ],
      },
    },
    {
      name: parsePackageName("alpha"),
      version: parseVersion("1.10"),
      dependencies: [],
      requiresPython: ">=3.8",
      source: {
        kind: "archive",
        url: "https://h/a.zip",
        subdirectory: "s",
        hashes: { sha256: "4" },
      },
    },
    {
      name: parsePackageName("alpha"),
      version: parseVersion("1.9"),
      dependencies: [],
      source: {
        kind: "vcs",
        type: "git",
        url: "https://h/r",
        commit: "abc",
        requestedRevision: 'v"1',
      },
    },
    {
      name: parsePackageName("here"),
      dependencies: [],
      source: { kind: "directory", path: ".", editable: true },
    },
  ],
  tool: { blast: { inputs: ["x"], nested: { "a b": 1.5 } } },
};

const PY2 = [
  "upload-time = 2020-01-02T02:04:05.123456Z",
  'url = "https://h/b"',
  'hashes = { sha256 = "3" }',
].join(", ");
const PY3 = [
  'path = "w/zeta-2-py3-none-any.whl"',
  "size = 3",
  'hashes = { md5 = "0", sha256 = "2" }',
].join(", ");
const TEXT = `lock-version = "1.0"
environments = ["sys_platform == 'linux'"]
requires-python = ">=3.9"
extras = ["a", "b"]
dependency-groups = ["dev"]
created-by = "blast"

[[packages]]
name = "alpha"
version = "1.9"
vcs = { type = "git", url = "https://h/r", requested-revision = "v\\"1", commit-id = "abc" }

[[packages]]
name = "alpha"
version = "1.10"
requires-python = ">=3.8"
archive = { url = "https://h/a.zip", hashes = { sha256 = "4" }, subdirectory = "s" }

[[packages]]
name = "here"
directory = { path = ".", editable = true }

[[packages]]
name = "zeta"
version = "2"
marker = "python_version < '3.10'"
dependencies = [
    { name = "a" },
    { name = "alpha", version = "1" },
]
index = "https://h/simple"
sdist = { name = "zeta-2.tar.gz", url = "https://h/zeta-2.tar.gz", hashes = { sha256 = "1" } }
wheels = [
    { name = "zeta-2-py2-none-any.whl", ${PY2} },
    { name = "zeta-2-py3-none-any.whl", ${PY3} },
]

[tool.blast]
inputs = ["x"]
nested = { "a b" = 1.5 }
`;

test("content is written in one order, and reads back", async () => {
  expect(pylockText(content)).toBe(TEXT);
  const lock = await read(TEXT);
  expect(pylockText(lock)).toBe(TEXT);
  expect(pylockText({ ...lock, packages: lock.packages.toReversed() })).toBe(TEXT);
});

describe("the quick way through what blast has written", () => {
  const own = (text: string) => readOwnPylock(text, "pylock.toml", "/project");

  test("reads the same", async () => {
    const lock = own(TEXT);
    const { packages, ...head } = lock ?? (await read(""));
    const { packages: wanted, ...wantedHead } = await read(TEXT);
    expect(head as object).toEqual(wantedHead);
    expect(packages.map((one) => ({ ...one }))).toEqual(wanted.map((one) => ({ ...one })));
  });

  test("leaves alone what may be something else", () => {
    const zeta = 'name = "zeta"\n';
    for (const text of [
      EXAMPLE,
      TEXT.replaceAll("\n", "\r\n"),
      TEXT.replace('"1.9"', '"""1.9"""'),
      TEXT.replace('"1.9"', "'''1.9'''"),
      TEXT.replace('"1.9"', ""),
      TEXT.replace(zeta, ""),
      TEXT.replace(`[[packages]]\n${zeta}`, `[tool.x]\n\n[[packages]]\n${zeta}`),
      TEXT.replace('"1.0"', '"1.0'),
    ]) {
      expect(own(text)).toBeUndefined();
    }
  });

  test("says file and line of what is wrong, as far as it looks", () => {
    expect(() => own(TEXT.replace('"2"', '"two"'))).toThrow('"pylock.toml:25:11"');
    const lock = own(TEXT.replace("size = 3", "size = 3.5"));
    expect(() => lock?.packages.at(-1)?.source).toThrow('Cannot use "pylock.toml:35:');
    const broken = own(TEXT.replace("size = 3", "size = "));
    expect(() => broken?.packages.at(-1)?.source).toThrow('the entry of "zeta" is no TOML');
  });

  test("is taken for files", async () => {
    const folder = mkdtempSync(join(tmpdir(), "blast-pylock-"));
    try {
      writeFileSync(join(folder, "pylock.toml"), TEXT);
      writeFileSync(join(folder, "pylock.x.toml"), EXAMPLE);
      const lock = await readPylock(join(folder, "pylock.toml"), "pylock.toml");
      expect([lock?.folder, lock?.shown, lock?.packages.length]).toEqual([
        folder,
        "pylock.toml",
        4,
      ]);
      expect((await readPylock(join(folder, "pylock.x.toml")))?.packages.length).toBe(3);
      expect(await readPylock(join(folder, "pylock.y.toml"))).toBeUndefined();
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

test("a lock without packages", async () => {
  const empty = pylockText({ ...content, packages: [], tool: {} });
  expect((await read(empty)).packages).toEqual([]);
});

describe("what the standard does not allow is told with file and line", () => {
  const head = 'lock-version = "1.0"\ncreated-by = "x"\n';
  const wheel = 'url = "https://h/a-1-py3-none-any.whl", hashes = { sha256 = "1" }';
  const cases: [text: string, message: string, cause?: string][] = [
    ["", 'Cannot use "pylock.toml": the file has no "lock-version"'],
    [head, 'Cannot use "pylock.toml": the file has no "packages"'],
    [
      'lock-version = "2.0"\ncreated-by = "x"\npackages = []\n',
      'Cannot use "pylock.toml:1:16": "lock-version": version "2.0" is not known, only "1.0"',
    ],
    [
      `${head}[[packages]]\nname = "A"\n`,
      'Cannot use "pylock.toml:4:8": "packages[0].name": "A" is not in its normal form ' +
        '(lower case, "-")',
    ],
    [
      `${head}[[packages]]\nname = "a"\nmarker = "x"\n`,
      'Cannot use "pylock.toml:5:10": "packages[0].marker": it cannot be read',
    ],
    [
      `${head}[[packages]]\nname = "a"\n`,
      'Cannot use "pylock.toml:3:3": "packages[0]": it must have one of "vcs", "directory", ' +
        '"archive" and files',
    ],
    [
      `${head}[[packages]]\nname = "a"\nwheels = [\n { ${wheel} },\n { url = "https://h/x" },\n]\n`,
      'Cannot use "pylock.toml:7:2": "packages[0].wheels[1]" has no "hashes"',
    ],
    [
      `${head}[[packages]]\nname = "b"\nwheels = [{ ${wheel} }]\n`,
      'Cannot use "pylock.toml:5:11": "packages[0].wheels[0]": it cannot be read',
      'Cannot take "a-1-py3-none-any.whl" for the package "b"',
    ],
    [
      `${head}[[packages]]\nname = "a"\nversion = "2"\nwheels = [{ ${wheel} }]\n`,
      'Cannot use "pylock.toml:6:11": "packages[0].wheels[0]": it cannot be read',
      'Cannot take "a-1-py3-none-any.whl" for the version "2"',
    ],
    [
      `${head}[[packages]]\nname = "a"\narchive = { url = "https://h/x", hashes = {} }\n`,
      'Cannot use "pylock.toml:5:43": "packages[0].archive.hashes": there must be at least one ' +
        "hash",
    ],
    [
      `${head}[[packages]]\nname = "a"\nvcs = { type = "git", url = "https://h/x" }\n`,
      'Cannot use "pylock.toml:5:7": "packages[0].vcs" has no "commit-id"',
    ],
  ];
  for (const [text, message, cause] of cases) {
    test(message, async () => {
      const told = await problem(text);
      expect(told[0]).toBe(message);
      if (cause !== undefined) expect(told[1]).toBe(cause);
    });
  }

  test("a later minor version is told, not refused", async () => {
    const lock = await read(`${head.replace("1.0", "1.1")}packages = []\n`);
    expect(lock.notes).toEqual([
      '"pylock.toml" has the format "1.1", of which only "1.0" is known',
    ]);
  });
});

describe("selection", () => {
  const lockOf = async (...packages: Partial<LockedPackage>[]): Promise<Pylock> =>
    read(
      pylockText({
        environments: [],
        extras: ["x"],
        dependencyGroups: ["dev"],
        defaultGroups: ["dev"],
        packages: packages.map((one) => ({
          name: parsePackageName("a"),
          dependencies: [],
          source: { kind: "archive", url: "https://h/a.zip", hashes: { sha256: "1" } },
          ...one,
        })),
      }),
    );
  const names = (lock: Pylock, more: Partial<PylockTarget> = {}) =>
    selectForEnvironment(lock, { ...TARGET, ...more }).map(({ locked }) => locked.name as string);

  test("markers, extras, default groups", async () => {
    const lock = await lockOf(
      { name: parsePackageName("always") },
      { name: parsePackageName("win"), marker: "sys_platform == 'win32'" },
      { name: parsePackageName("extra"), marker: "'x' in extras" },
      { name: parsePackageName("dev"), marker: "'dev' in dependency_groups" },
    );
    expect(names(lock)).toEqual(["always", "dev"]);
    expect(names(lock, { extras: new Set(["x"]), groups: new Set() })).toEqual(["always", "extra"]);
  });

  const files = (...list: string[]): LockedPackage["source"] => ({
    kind: "files",
    wheels: list
      .filter((name) => name.endsWith(".whl"))
      .map((name) => ({ name, url: `https://h/${name}`, hashes: { sha256: "1" } })),
    ...(list.includes("a-1.tar.gz")
      ? { sdist: { name: "a-1.tar.gz", path: "d/a-1.tar.gz", hashes: { sha256: "2" } } }
      : {}),
  });
  const chosen = (lock: Pylock, more: Partial<PylockTarget> = {}) => {
    const [one] = selectForEnvironment(lock, { ...TARGET, ...more });
    return one?.from.kind === "file" ? [one.from.file.filename, one.from.file.url] : one?.from;
  };

  test("the best wheel, else the sdist", async () => {
    const native = "a-1-cp312-cp312-manylinux_2_17_x86_64.whl";
    const any = "a-1-py3-none-any.whl";
    const built = "a-1-2-py3-none-any.whl";
    const lock = await lockOf({ source: files(any, native, "a-1.tar.gz") });
    expect(chosen(lock)).toEqual([native, `https://h/${native}`]);
    expect(chosen(lock, { noBinary: () => true })).toEqual([
      "a-1.tar.gz",
      "file:///project/d/a-1.tar.gz",
    ]);
    expect(chosen(await lockOf({ source: files(any, built) }))).toEqual([
      built,
      `https://h/${built}`,
    ]);
    const foreign = await lockOf({ source: files("a-1-cp39-cp39-win32.whl", "a-1.tar.gz") });
    expect(chosen(foreign)).toEqual(["a-1.tar.gz", "file:///project/d/a-1.tar.gz"]);
    expect(() => chosen(foreign, { onlyBinary: () => true })).toThrow("no file of it fits");
  });

  test("sources that are named by place", async () => {
    const vcs = await lockOf({
      source: { kind: "vcs", type: "git", path: "../r", commit: "c1", requestedRevision: "main" },
    });
    expect(chosen(vcs)).toEqual({
      kind: "direct",
      source: { kind: "git", url: "file:///r", revision: "c1" },
      requestedRevision: "main",
      hashes: {},
    });
    const directory = await lockOf({
      source: { kind: "directory", path: "lib", editable: true, subdirectory: "sub" },
    });
    expect(chosen(directory)).toEqual({
      kind: "direct",
      source: { kind: "directory", path: "/project/lib/sub", editable: true },
      hashes: {},
    });
  });

  test("what is refused", async () => {
    const two = await lockOf({ version: parseVersion("1") }, { version: parseVersion("2") });
    expect(() => names(two)).toThrow('two entries of "a" hold at the same time');
    const weak = await lockOf({
      source: { kind: "archive", url: "https://h/a.zip", hashes: { md5: "1" } },
    });
    expect(() => names(weak)).toThrow("its file has no hash to be trusted");
    const python = await lockOf({ requiresPython: ">=3.13" });
    expect(() => names(python)).toThrow("it needs Python >=3.13, this is Python 3.12.0");
    expect((await problem(EXAMPLE.replace("3.12", "3.11"), (lock) => names(lock)))[0]).toBe(
      'Cannot use "pylock.toml": it needs Python == 3.11, this is Python 3.12.0',
    );
    const elsewhere = EXAMPLE.replace(/environments.*/, "environments = [\"os_name == 'nt'\"]");
    expect((await problem(elsewhere, (lock) => names(lock)))[0]).toContain("other environments");
  });
});
