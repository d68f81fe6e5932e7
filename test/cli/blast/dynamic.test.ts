/** Projects that leave what they depend on to their build. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync } from "node:fs";
import { type BlastWorld, blastWorld } from "../../support/blast-world.ts";
import { buildTree, callsIn, type TreeSpec } from "../../support/build-tree.ts";

setDefaultTimeout(120_000);

const METADATA = [
  "Requires-Dist: lib>=1",
  'Requires-Dist: win ; sys_platform == "win32"',
  "Provides-Extra: fast",
  'Requires-Dist: quick ; extra == "fast"',
  'Requires-Dist: win ; sys_platform == "win32" and extra == "fast"',
  "",
].join("\n");

const DYNAMIC = `
[project]
name = "demo"
version = "1.0"
dynamic = ["dependencies", "optional-dependencies"]
`;

function writeProject(world: BlastWorld, spec: TreeSpec = {}): void {
  const tree = buildTree({ metadata: METADATA, pyproject: DYNAMIC, ...spec });
  for (const [path, text] of Object.entries(tree)) world.write(path, text);
}

function offer({ index }: BlastWorld): void {
  for (const name of ["lib", "quick", "win", "loose", "tool"]) index.add({ name });
}

describe("dynamic dependencies", () => {
  test("are installed by sync, kept by it, and locked", async () => {
    await using world = await blastWorld();
    offer(world);
    writeProject(world);
    await world.ok("sync");
    expect(world.installed()).toEqual({ demo: "1.0", lib: "1.0" });
    expect(world.requested()).toContain("lib");
    expect(world.read("pylock.toml")).toContain('extras = ["fast"]');
    await world.ok("install", "--no-record", "loose");
    const { stderr } = await world.ok("sync");
    expect(stderr).toContain(" - loose==1.0\nRemoved 1 package");
    expect(world.installed()).toEqual({ demo: "1.0", lib: "1.0" });
    await world.ok("lock", "--check");
    expect(world.flaws()).toEqual([]);
  });

  test("what `install -e .` has brought stays", async () => {
    await using world = await blastWorld();
    offer(world);
    writeProject(world);
    await world.ok("install", "--no-record", "-e", ".");
    expect(world.installed()).toEqual({ demo: "1.0", lib: "1.0" });
    await world.ok("sync");
    expect(world.installed()).toEqual({ demo: "1.0", lib: "1.0" });
  });

  test("optional ones by --extra, also from the lock file alone", async () => {
    await using world = await blastWorld();
    offer(world);
    writeProject(world);
    await world.ok("sync", "--extra", "fast");
    expect(world.installed()).toEqual({ demo: "1.0", lib: "1.0", quick: "1.0" });
    await world.ok("sync");
    expect(world.installed()).toEqual({ demo: "1.0", lib: "1.0" });
    const env = { TEST_CALLS: world.work.at("calls") };
    const frozen = ["sync", "--frozen", "--extra", "fast"];
    expect((await world.blast(frozen, { env })).code).toBe(0);
    expect(world.installed()).toEqual({ demo: "1.0", lib: "1.0", quick: "1.0" });
    expect(callsIn(env.TEST_CALLS)).toEqual([]);
    const { stderr } = await world.fails("sync", "--extra", "slow");
    expect(stderr).toContain('the extra "slow"');
    const { stdout } = await world.ok("export", "--extra", "fast", "--no-hashes");
    expect(stdout).toContain("quick==1.0");
  });

  test("one part alone: what the file says is taken from the file", async () => {
    await using world = await blastWorld();
    offer(world);
    const pyproject = `
[project]
name = "demo"
version = "1.0"
dynamic = ["dependencies"]
[project.optional-dependencies]
fast = ["quick"]
`;
    writeProject(world, { pyproject });
    await world.ok("sync");
    expect(world.installed()).toEqual({ demo: "1.0", lib: "1.0" });
    await world.ok("sync", "--extra", "fast");
    expect(world.installed()).toEqual({ demo: "1.0", lib: "1.0", quick: "1.0" });
  });

  test("that change are seen, with no change of pyproject.toml", async () => {
    await using world = await blastWorld();
    offer(world);
    writeProject(world);
    await world.ok("sync");
    writeProject(world, { metadata: "Requires-Dist: tool\n" });
    const { stdout } = await world.ok("status");
    expect(stdout).toContain("only a build can tell");
    await world.fails("lock", "--check");
    await world.ok("run", "python", "-c", "import tool");
    expect(world.info("demo", "METADATA")).toContain("Requires-Dist: tool");
    await world.ok("sync");
    expect(world.installed()).toEqual({ demo: "1.0", tool: "1.0" });
  });

  test("`run` asks for them where a file has changed that they may come from", async () => {
    await using world = await blastWorld();
    offer(world);
    writeProject(world);
    const env = { TEST_CALLS: world.work.at("calls") };
    const run = async (...args: string[]) => {
      const before = callsIn(env.TEST_CALLS).length;
      const { code } = await world.blast(args, { env });
      return [code, callsIn(env.TEST_CALLS).length > before];
    };
    expect(await run("sync")).toEqual([0, true]);
    expect(await run("run", "python", "-c", "import lib")).toEqual([0, false]);
    world.write("src/demo.py", "X = 1\n");
    expect(await run("run", "python", "-c", "import demo")).toEqual([0, false]);
    world.write("requirements.in", "lib\n");
    expect(await run("run", "python", "-c", "import lib")).toEqual([0, true]);
    expect(await run("run", "python", "-c", "import lib")).toEqual([0, false]);
    expect(await run("sync")).toEqual([0, true]);
  });

  test("of a build that fails, or cannot be made: told, and nothing changes", async () => {
    await using world = await blastWorld();
    offer(world);
    writeProject(world);
    await world.ok("sync");
    const lock = world.read("pylock.toml");
    const told = 'Cannot tell what "demo" asks for: its dependencies and optional-dependencies';
    writeProject(world, { code: "raise Exception('no way')" });
    const failed = await world.fails("sync");
    expect(failed.stderr).toContain(told);
    expect(failed.stderr).toContain("no way");
    writeProject(world, { buildSystem: 'requires = ["tool"]' });
    const offline = await world.fails("sync", "--offline");
    expect(offline.stderr).toContain(told);
    expect(world.installed()).toEqual({ demo: "1.0", lib: "1.0" });
    expect(world.read("pylock.toml")).toBe(lock);
    await world.ok("sync");
    expect(world.installed()).toEqual({ demo: "1.0", lib: "1.0" });
  });

  test("an extra cannot be recorded where they are dynamic", async () => {
    await using world = await blastWorld();
    offer(world);
    writeProject(world);
    const { stderr } = await world.fails("install", "--optional", "fast", "loose");
    expect(stderr).toContain("its optional-dependencies are dynamic");
    await world.ok("install", "--group", "dev", "loose");
    expect(world.installed()).toEqual({ demo: "1.0", lib: "1.0", loose: "1.0" });
  });

  test("compile asks for them, too", async () => {
    await using world = await blastWorld();
    offer(world);
    writeProject(world);
    const { stdout } = await world.ok("compile", "--no-header", "--no-annotate", "pyproject.toml");
    expect(stdout).toBe("lib==1.0\n");
  });
});

describe("where nobody can tell what the project asks for", () => {
  const files: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    "[build-system] alone": {
      "pyproject.toml": '[build-system]\nrequires = ["tool"]\nbuild-backend = "tool"\n',
    },
    "setup.py alone": { "setup.py": "from setuptools import setup\nsetup()\n" },
    "dynamic, without [build-system]": { "pyproject.toml": DYNAMIC },
  };
  for (const [name, texts] of Object.entries(files)) {
    test(`sync removes nothing: ${name}`, async () => {
      await using world = await blastWorld();
      offer(world);
      await world.ok("install", "--no-record", "lib");
      for (const [path, text] of Object.entries(texts)) world.write(path, text);
      const { stderr } = await world.fails("sync");
      expect(stderr).toMatch(/^error: Cannot sync ".*": (?:only its build|its dependencies are)/m);
      await world.ok("sync", "--inexact");
      expect(world.installed()).toEqual({ lib: "1.0" });
      rmSync(world.venv, { recursive: true });
      await world.ok("sync");
      expect(world.installed()).toEqual({});
    });
  }
});
