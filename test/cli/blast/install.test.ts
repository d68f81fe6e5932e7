/** What can be named in `blast install`, end to end with the compiled executable. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { type BlastWorld, blastWorld } from "../../support/blast-world.ts";
import { sourceTree } from "../../support/test-packages.ts";

setDefaultTimeout(60_000);

/** app 1.0, 1.1, 2.0 and 3.0a1; app needs lib, and more by its extra. */
function offerApp({ index }: BlastWorld): void {
  for (const version of ["1.0", "1.1", "2.0", "3.0a1"]) {
    index.add({ name: "app", version, requires: ["lib>=1"], extras: { more: ["plus", "lib>=1"] } });
  }
  for (const version of ["1.0", "1.5", "2.0"]) index.add({ name: "lib", version });
  index.add({ name: "plus", version: "0.1" });
}

test("a name: the newest, with what it needs, importable", async () => {
  await using world = await blastWorld();
  offerApp(world);
  const { stderr, stdout } = await world.ok("install", "app");
  expect(world.installed()).toEqual({ app: "2.0", lib: "2.0" });
  expect(world.python("import app, lib; print(app.VERSION, lib.VERSION)")).toBe("2.0 2.0");
  expect(stdout).toBe("");
  expect(stderr).toMatch(/^ \+ app==2\.0\n \+ lib==2\.0\nInstalled 2 packages in [\d.]+ s\n$/);
  expect(world.requested()).toEqual(["app"]);
  expect(world.info("app", "INSTALLER")).toBe("blast\n");
  expect(world.flaws()).toEqual([]);
});

describe("requirements", () => {
  const cases: readonly (readonly [string, readonly string[], Record<string, string>])[] = [
    ["a bound", ["app<2"], { app: "1.1", lib: "2.0" }],
    ["an exact version", ["app==1.0"], { app: "1.0", lib: "2.0" }],
    ["two bounds on one name", ["app>=1", "app!=2.0"], { app: "1.1", lib: "2.0" }],
    ["other writing of a name", ["APP ~= 1.0"], { app: "1.1", lib: "2.0" }],
    ["an extra", ["app[more]"], { app: "2.0", lib: "2.0", plus: "0.1" }],
    ["an extra with a bound", ["app[MORE]<2"], { app: "1.1", lib: "2.0", plus: "0.1" }],
    ["a pre-release that is named", ["app>=3.0a0"], { app: "3.0a1", lib: "2.0" }],
    ["pre-releases by a flag", ["--pre", "app"], { app: "3.0a1", lib: "2.0" }],
    ["the lowest", ["app", "--resolution", "lowest"], { app: "1.0", lib: "1.0" }],
    ["lowest for direct ones", ["app", "--resolution=lowest-direct"], { app: "1.0", lib: "2.0" }],
    ["a marker that holds", ["app; python_version >= '3'"], { app: "2.0", lib: "2.0" }],
    ["a marker that does not", ["lib", "app; sys_platform == 'none'"], { lib: "2.0" }],
    ["no dependencies", ["--no-deps", "app", "--no-record"], { app: "2.0" }],
  ];
  for (const [name, args, installed] of cases) {
    test(name, async () => {
      await using world = await blastWorld();
      offerApp(world);
      await world.ok("install", ...args);
      expect(world.installed()).toEqual(installed);
      expect(world.flaws()).toEqual([]);
    });
  }

  test("what is installed is kept while it fits, and let go of by --upgrade", async () => {
    await using world = await blastWorld();
    offerApp(world);
    await world.ok("install", "--no-record", "app<2", "lib<2");
    const again = await world.ok("install", "--no-record", "app");
    expect(again.stderr).toContain("Nothing to do");
    expect(world.installed()).toEqual({ app: "1.1", lib: "1.5" });
    await world.ok("install", "--no-record", "--upgrade", "app");
    expect(world.installed()).toEqual({ app: "2.0", lib: "2.0" });
    expect(world.requested()).toEqual(["app", "lib"]);
    expect(world.flaws()).toEqual([]);
  });
});

describe("places", () => {
  test("a wheel by its address", async () => {
    await using world = await blastWorld();
    offerApp(world);
    const [wheel] = world.index.add({ name: "apart", requires: ["lib<2"] });
    const url = world.index.fileUrl(wheel!);
    world.index.remove("apart");
    await world.ok("install", url);
    expect(world.installed()).toEqual({ apart: "1.0", lib: "1.5" });
    expect(JSON.parse(world.info("apart", "direct_url.json") ?? "")).toEqual({
      url,
      archive_info: { hashes: { sha256: wheel!.sha256 }, hash: `sha256=${wheel!.sha256}` },
    });
    expect(world.flaws()).toEqual([]);
  });

  test("name @ address, with a hash that is right and one that is not", async () => {
    await using world = await blastWorld();
    const [wheel] = world.index.add({ name: "apart" });
    const url = world.index.fileUrl(wheel!);
    await world.ok("install", `apart @ ${url}#sha256=${wheel!.sha256}`);
    expect(world.installed()).toEqual({ apart: "1.0" });
    const [other] = world.index.add({ name: "other" });
    const wrong = `other @ ${world.index.fileUrl(other!)}#sha256=${"0".repeat(64)}`;
    const { stderr } = await world.fails("install", wrong);
    expect(stderr).toContain("sha256");
    expect(world.installed()).toEqual({ apart: "1.0" });
  });

  test("a wheel by its path", async () => {
    await using world = await blastWorld();
    offerApp(world);
    const [wheel] = world.index.add({ name: "apart", requires: ["lib"] });
    world.index.remove("apart");
    world.work.write(`project/dist/${wheel!.filename}`, wheel!.bytes);
    await world.ok("install", `./dist/${wheel!.filename}`);
    expect(world.installed()).toEqual({ apart: "1.0", lib: "2.0" });
    expect(world.read("blast.toml")).toContain("apart @ file:///");
    expect(world.flaws()).toEqual([]);
  });

  test("a folder with sources, and -e", async () => {
    await using world = await blastWorld();
    offerApp(world);
    const tree = sourceTree({ name: "own-lib", version: "0.3", requires: ["lib<2"] });
    for (const [path, text] of Object.entries(tree)) world.work.write(`own/${path}`, text);
    await world.ok("install", "--no-record", "../own");
    expect(world.installed()).toEqual({ lib: "1.5", "own-lib": "0.3" });
    const direct = JSON.parse(world.info("own-lib", "direct_url.json") ?? "");
    expect(direct).toEqual({ url: `file://${world.work.at("own")}`, dir_info: {} });
    expect(world.flaws()).toEqual([]);
  });

  test("a source archive from the index, built in its own environment", async () => {
    await using world = await blastWorld();
    offerApp(world);
    world.index.add({ name: "built", tags: [], sdist: true, requires: ["lib"] });
    await world.ok("install", "built");
    expect(world.installed()).toEqual({ built: "1.0", lib: "2.0" });
    expect(world.flaws()).toEqual([]);
    const { stderr } = await world.fails(
      "install",
      "--only-binary",
      ":all:",
      "--no-record",
      "-U",
      "built==1.0",
    );
    expect(stderr).toContain("built");
  });

  test("an existing environment by its path: nothing is recorded", async () => {
    await using world = await blastWorld();
    offerApp(world);
    const other = world.work.at("other");
    await world.ok("start", "--path", world.work.folder("elsewhere"));
    await world.ok("install", "--python", world.work.at("elsewhere/.venv"), "app");
    expect(world.installed(world.work.at("elsewhere/.venv"))).toEqual({ app: "2.0", lib: "2.0" });
    expect(world.has("blast.toml")).toBe(false);
    expect(world.has(".venv")).toBe(false);
    const { stderr } = await world.fails("install", "--python", other, "app");
    expect(stderr).toContain(other);
    expect(existsSync(other)).toBe(false);
  });
});

describe("what is only told", () => {
  test("--dry-run changes nothing", async () => {
    await using world = await blastWorld();
    offerApp(world);
    const { stderr } = await world.ok("install", "--dry-run", "app");
    expect(stderr).toMatch(/^Would install 2 packages/m);
    expect(world.has("blast.toml")).toBe(false);
    expect(world.has("pylock.toml")).toBe(false);
    expect(world.has(".venv") ? world.installed() : {}).toEqual({});
  });

  test("--json is one object, on standard output alone", async () => {
    await using world = await blastWorld();
    offerApp(world);
    const { stdout } = await world.ok("install", "--json", "app");
    const told = JSON.parse(stdout);
    expect(told).toMatchObject({
      schema: "blast.change/1",
      command: "install",
      dryRun: false,
      installed: [
        { name: "app", version: "2.0" },
        { name: "lib", version: "2.0" },
      ],
      removed: [],
    });
    expect(stdout.trim().split("\n")).toHaveLength(1);
  });

  test("a second install of the same asks no server", async () => {
    await using world = await blastWorld();
    offerApp(world);
    await world.ok("install", "app");
    await world.ok("install", "--no-record", "app");
    const before = world.index.asked.length;
    const { stderr } = await world.ok("install", "--no-record", "app");
    expect(stderr).toContain("Nothing to do");
    expect(world.index.asked).toHaveLength(before);
  });
});

describe("scripts and data", () => {
  test("entry points run, data files lie in the environment", async () => {
    await using world = await blastWorld();
    world.index.add({
      name: "tool",
      files: {
        "tool/__init__.py": "def main():\n    print('tool runs')\n    return 7\n",
        "tool-1.0.data/scripts/oldtool": "#!python\nprint('old runs')\n",
        "tool-1.0.data/data/share/tool/note": "a note",
      },
      entryPoints: "[console_scripts]\ntool = tool:main\n",
    });
    await world.ok("install", "tool");
    const run = Bun.spawnSync([join(world.venv, "bin/tool")]);
    expect([run.exitCode, run.stdout.toString()]).toEqual([7, "tool runs\n"]);
    const old = Bun.spawnSync([join(world.venv, "bin/oldtool")]);
    expect(old.stdout.toString()).toBe("old runs\n");
    expect(world.read(".venv/share/tool/note")).toBe("a note");
    expect(world.flaws()).toEqual([]);
    await world.ok("remove", "tool");
    expect(world.has(".venv/share/tool/note")).toBe(false);
    expect(world.has(".venv/bin/tool")).toBe(false);
  });

  test("--compile-bytecode compiles", async () => {
    await using world = await blastWorld();
    offerApp(world);
    await world.ok("install", "--compile-bytecode", "lib");
    expect(existsSync(join(world.site(), "lib/__pycache__"))).toBe(true);
    await world.ok("remove", "lib");
    expect(existsSync(join(world.site(), "lib"))).toBe(false);
  });
});
