/** Wheels that are hostile or broken, and packages that own the same file; end to end. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type BlastWorld, blastWorld } from "../../support/blast-world.ts";
import { type PackageSpec, packageWheel } from "../../support/test-packages.ts";
import type { ZipEntry } from "../../support/zip-writer.ts";

setDefaultTimeout(60_000);

const INFO = "evil-1.0.dist-info";

/** Adds members behind RECORD's back. */
function withMember(...members: ZipEntry[]): PackageSpec["wheel"] {
  return { edit: (entries) => [...entries, ...members] };
}

const HOSTILE: Readonly<Record<string, PackageSpec["wheel"]>> = {
  "a member above its folder": withMember({ name: "../escaped.py", content: "x" }),
  "a member above, recorded": { files: { "../escaped.py": "x", "evil/__init__.py": "" } },
  "an absolute member": withMember({ name: "/tmp/escaped-of-blast", content: "x" }),
  "a backslash": withMember({ name: "..\\escaped.py", content: "x" }),
  "a symbolic link": withMember({ name: "evil/link", content: "/etc/passwd", mode: 0o120777 }),
  "a link and a member below it": withMember(
    { name: "evil/out", content: "../../..", mode: 0o120777 },
    { name: "evil/out/escaped.py", content: "x" },
  ),
  "data above the environment": {
    files: { "evil-1.0.data/data/../../../escaped": "x", "evil/__init__.py": "" },
  },
  "a scheme of its own": { files: { "evil-1.0.data/home/escaped": "x", "evil/__init__.py": "" } },
  "two members of one name": withMember({ name: "evil/__init__.py", content: "other" }),
  "a member that RECORD does not list": withMember({ name: "evil/hidden.py", content: "x" }),
  "a wrong hash in RECORD": {
    editRecord: (lines) => lines.map((line) => line.replace(/sha256=.{4}/, "sha256=AAAA")),
  },
  "a file of RECORD that is not there": { editRecord: (lines) => ["evil/gone.py,,", ...lines] },
  "no RECORD": { record: undefined },
  "no METADATA": { metadata: undefined },
  "no WHEEL": { wheel: undefined },
  "a wheel of the future": { wheel: "Wheel-Version: 9.0\nRoot-Is-Purelib: true\n" },
  "no zip at all": { edit: () => [] },
  "a size that is a lie": {
    edit: (entries) =>
      entries.map((entry) =>
        entry.name === "evil/__init__.py" ? { ...entry, fields: { sizeBytes: 2 ** 31 } } : entry,
      ),
  },
  "a pth for everybody's start": {
    files: {
      "evil/__init__.py": "",
      [`${INFO}/entry_points.txt`]: "[console_scripts]\n../x = a:b\n",
    },
  },
};

describe("refused with nothing installed", () => {
  for (const [name, wheel] of Object.entries(HOSTILE)) {
    test(name, async () => {
      await using world = await blastWorld();
      world.index.add({ name: "fine" });
      await world.ok("install", "fine");
      const before = everything(world);
      world.index.add({ name: "evil", wheel: wheel ?? {} });
      const { stderr, stdout } = await world.fails("install", "evil");
      expect(stdout).toBe("");
      expect(stderr).toMatch(/^error: /);
      expect(stderr).toContain("evil");
      expect(stderr).not.toMatch(/\n\s+at /);
      expect(everything(world)).toEqual(before);
      expect(world.installed()).toEqual({ fine: "1.0" });
      expect(world.flaws()).toEqual([]);
      await world.ok("check");
      expect(existsSync("/tmp/escaped-of-blast")).toBe(false);
    });
  }
});

/** All names below the workspace, but for the cache and blast's own notes. */
function everything(world: BlastWorld): string[] {
  const glob = new Bun.Glob("**/*");
  const found = [...glob.scanSync({ cwd: world.work.path, dot: true, onlyFiles: false })];
  return found.filter((path) => !/^(cache|home)(\/|$)|\/\.blast\//.test(path)).sort();
}

describe("two packages that own one file", () => {
  const spec = (name: string, text: string): PackageSpec => ({
    name,
    files: { [`${name}/__init__.py`]: "", "shared/common.py": text },
  });

  test("of other content: refused before anything is written", async () => {
    await using world = await blastWorld();
    world.index.add(spec("one", "a = 1\n"));
    world.index.add(spec("two", "a = 2\n"));
    const { stderr } = await world.fails("install", "one", "two");
    for (const word of ["one", "two", "shared/common.py"]) expect(stderr).toContain(word);
    expect(world.installed()).toEqual({});
    expect(readdirSync(world.site())).toEqual([]);
    expect(world.has("blast.toml")).toBe(false);
    await world.ok("install", "one");
    const later = await world.fails("install", "two");
    expect(later.stderr).toContain("shared/common.py");
    expect(world.installed()).toEqual({ one: "1.0" });
    expect(world.flaws()).toEqual([]);
    expect(world.read("blast.toml")).not.toContain("two");
  });

  test("of the same content: shared, and it stays with the last one", async () => {
    await using world = await blastWorld();
    world.index.add(spec("one", "a = 1\n"));
    world.index.add(spec("two", "a = 1\n"));
    await world.ok("install", "one", "two");
    await world.ok("check");
    await world.ok("remove", "one");
    expect(existsSync(join(world.site(), "shared/common.py"))).toBe(true);
    await world.ok("check");
    await world.ok("remove", "two");
    expect(existsSync(join(world.site(), "shared"))).toBe(false);
  });

  test("a file of nobody's in the way", async () => {
    await using world = await blastWorld();
    world.index.add(spec("one", "a = 1\n"));
    await world.ok("start");
    const path = join(world.site().slice(world.project.length + 1), "shared/common.py");
    world.write(path, "mine\n");
    const { stderr } = await world.fails("install", "one");
    expect(stderr).toContain("shared/common.py");
    expect(world.read(path)).toBe("mine\n");
    expect(world.installed()).toEqual({});
  });

  test("scripts of one name", async () => {
    await using world = await blastWorld();
    for (const name of ["one", "two"]) {
      world.index.add({ name, entryPoints: `[console_scripts]\nrun = ${name}:main\n` });
    }
    const { stderr } = await world.fails("install", "one", "two");
    expect(stderr).toContain("bin/run");
    expect(world.installed()).toEqual({});
  });
});

test("one bad wheel among good ones: none of them is installed", async () => {
  await using world = await blastWorld();
  for (const name of ["a", "b", "c"]) world.index.add({ name });
  world.index.add({ name: "evil", wheel: HOSTILE["no RECORD"] ?? {} });
  await world.fails("install", "a", "b", "c", "evil");
  expect(world.installed()).toEqual({});
  expect(world.has("blast.toml")).toBe(false);
  await world.ok("install", "a", "b", "c");
});

test("a wheel named by its address is looked at just as well", async () => {
  await using world = await blastWorld();
  const wheel = packageWheel({ name: "evil", wheel: HOSTILE["a member above its folder"] ?? {} });
  world.index.addFile("evil", wheel);
  await world.fails("install", world.index.fileUrl(wheel));
  await world.fails("install", world.work.write(wheel.filename, wheel.bytes));
  expect(world.has(".venv") ? world.installed() : {}).toEqual({});
  expect(existsSync(world.work.at("escaped.py"))).toBe(false);
});
