/** blast sync, end to end. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { type BlastWorld, blastWorld } from "../../support/blast-world.ts";

setDefaultTimeout(60_000);

function offer({ index }: BlastWorld, version = "1.0"): void {
  index.add({ name: "app", version, requires: ["lib"] });
  index.add({ name: "lib", version });
  index.add({ name: "loose", version });
}

describe("what the project asks for", () => {
  const projects: Readonly<Record<string, readonly [file: string, text: string, lock: boolean]>> = {
    "pyproject.toml": [
      "pyproject.toml",
      '[project]\nname = "x"\nversion = "0"\ndependencies = ["app"]\n',
      true,
    ],
    "blast.toml": ["blast.toml", '[packages]\ndependencies = ["app"]\n', true],
    "[tool.blast]": [
      "pyproject.toml",
      '[project]\nname = "x"\nversion = "0"\n[tool.blast.packages]\ndependencies = ["app"]\n',
      true,
    ],
    "requirements.txt": ["requirements.txt", "app\n", false],
  };
  for (const [name, [file, text, isLocked]] of Object.entries(projects)) {
    test(`is installed, no more and no less: ${name}`, async () => {
      await using world = await blastWorld();
      offer(world);
      world.write(file, text);
      await world.ok("sync");
      expect(world.installed()).toEqual({ app: "1.0", lib: "1.0" });
      expect(world.requested()).toEqual(["app"]);
      expect(world.has("pylock.toml")).toBe(isLocked);
      await world.ok("install", "--no-record", "loose");
      await world.ok("sync", "--inexact");
      expect(world.installed()).toHaveProperty("loose");
      const dry = await world.ok("sync", "--dry-run");
      expect(dry.stderr).toContain("Would remove 1 package");
      expect(world.installed()).toHaveProperty("loose");
      const { stderr } = await world.ok("sync");
      expect(stderr).toContain(" - loose==1.0\nRemoved 1 package");
      expect(world.installed()).toEqual({ app: "1.0", lib: "1.0" });
      expect(world.read(file)).toBe(text);
      expect(world.flaws()).toEqual([]);
    });
  }

  test("blast start fills what it makes, in the same way", async () => {
    for (const [file, text] of Object.values(projects)) {
      await using world = await blastWorld();
      offer(world);
      world.write(file, text);
      const { stdout } = await world.ok("start");
      expect(stdout).toBe("");
      expect(world.installed()).toEqual({ app: "1.0", lib: "1.0" });
      expect(world.flaws()).toEqual([]);
      if (!world.has("pylock.toml")) continue;
      // A lock file alone is enough.
      const other = world.work.folder("other");
      world.work.write("other/pylock.toml", world.read("pylock.toml"));
      await world.ok("start", "--path", other);
      expect(world.installed(`${other}/.venv`)).toEqual({ app: "1.0", lib: "1.0" });
    }
  });

  test("constraints and overrides of blast.toml", async () => {
    await using world = await blastWorld();
    offer(world);
    offer(world, "2.0");
    world.index.add({ name: "strict", requires: ["app==9"] });
    world.write(
      "blast.toml",
      `
      [packages]
      dependencies = ["strict"]
      constraints = ["lib<2", "loose==1.0"]
      overrides = ["app==2.0"]
      `,
    );
    await world.ok("sync");
    expect(world.installed()).toEqual({ app: "2.0", lib: "1.0", strict: "1.0" });
  });

  test("from a folder below, and the environment's place by [env] path", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("blast.toml", '[env]\npath = "env/here"\n[packages]\ndependencies = ["app"]\n');
    const cwd = world.work.folder("project/deep/down");
    const { code } = await world.blast(["sync"], { cwd });
    expect(code).toBe(0);
    expect(world.installed(join(world.project, "env/here"))).toEqual({ app: "1.0", lib: "1.0" });
    expect(world.has(".venv")).toBe(false);
  });

  test("nothing at all", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("blast.toml", "[packages]\ndependencies = []\n");
    await world.ok("sync");
    expect(world.installed()).toEqual({});
  });
});

describe("a sync with nothing to do", () => {
  test("asks no server, writes nothing and says so", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("blast.toml", '[packages]\ndependencies = ["app"]\n');
    await world.ok("sync");
    const asked = world.index.asked.length;
    const times = (): string[] =>
      readdirSync(world.project).map((name) => {
        const { mtimeNs, ino } = statSync(join(world.project, name), { bigint: true });
        return `${name} ${ino} ${mtimeNs}`;
      });
    const before = times();
    for (const args of [["sync"], ["sync"], ["sync", "--json"]]) {
      const { stderr, stdout } = await world.ok(...args);
      if (args.length === 1) expect(stderr).toContain("Nothing to do: 2 packages are as wanted");
      else expect(JSON.parse(stdout)).toMatchObject({ installed: [], removed: [], kept: 2 });
    }
    expect(times()).toEqual(before);
    expect(world.index.asked).toHaveLength(asked);
  });

  test("what another tool has changed is seen", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("blast.toml", '[packages]\ndependencies = ["app"]\n');
    await world.ok("sync");
    Bun.spawnSync(["sh", "-c", `rm -r ${world.site()}/lib*`]);
    await world.ok("sync");
    expect(world.installed()).toEqual({ app: "1.0", lib: "1.0" });
    expect(world.flaws()).toEqual([]);
  });

  test("a change of the project's file is seen, also one of an included file", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("requirements.txt", "-r more.txt\n");
    world.write("more.txt", "app\n");
    await world.ok("sync");
    expect(world.installed()).toEqual({ app: "1.0", lib: "1.0" });
    world.write("more.txt", "lib\n");
    await world.ok("sync");
    expect(world.installed()).toEqual({ lib: "1.0" });
    expect(world.requested()).toEqual(["lib"]);
  });
});

test("what is edited while a sync is at work counts for the next one", async () => {
  await using world = await blastWorld();
  offer(world);
  for (const verb of ["sync", "install"]) {
    world.write("blast.toml", '[packages]\ndependencies = ["app"]\n');
    let edits = 0;
    const end = world.index.fault(/lib/, (_, answer) => {
      if (edits++ === 0) world.write("blast.toml", '[packages]\ndependencies = ["app", "loose"]\n');
      return answer();
    });
    const words = verb === "sync" ? ["sync"] : ["install", "app"];
    await world.ok(...words, "--no-cache");
    end();
    expect([verb, edits > 0]).toEqual([verb, true]);
    await world.ok("sync");
    expect([verb, world.installed()]).toEqual([verb, { app: "1.0", lib: "1.0", loose: "1.0" }]);
    Bun.spawnSync(["rm", "-rf", world.venv, join(world.project, "pylock.toml")]);
  }
});

describe("an environment whose Python is gone", () => {
  test("is told so, and made anew", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("blast.toml", '[packages]\ndependencies = ["app"]\n');
    await world.ok("sync");
    for (const name of readdirSync(join(world.venv, "bin"))) {
      if (!name.startsWith("python")) continue;
      Bun.spawnSync(["ln", "-sfn", "/nowhere/python3", join(world.venv, "bin", name)]);
    }
    const listed = await world.fails("list");
    expect(listed.stderr).toMatch(/its Python.* is gone/);
    expect(listed.stderr).toContain("blast sync");
    const { stderr } = await world.ok("sync");
    expect(stderr).toContain("made anew");
    expect(world.installed()).toEqual({ app: "1.0", lib: "1.0" });
    expect(world.python("import app; print(app.VERSION)")).toBe("1.0");
    expect(world.flaws()).toEqual([]);
  });
});

test("link modes: every one gives the same environment", async () => {
  await using world = await blastWorld();
  offer(world);
  for (const mode of ["clone", "hardlink", "copy", "auto"]) {
    Bun.spawnSync(["rm", "-rf", world.venv]);
    world.write(
      "blast.toml",
      `[install]\nlink_mode = "${mode}"\n[packages]\ndependencies = ["app"]\n`,
    );
    await world.ok("sync");
    expect(world.installed()).toEqual({ app: "1.0", lib: "1.0" });
    expect(world.python("import app; print(app.VERSION)")).toBe("1.0");
    expect(world.flaws()).toEqual([]);
  }
});
