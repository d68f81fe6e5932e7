/** blast check and --repair, end to end. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type BlastWorld, blastWorld } from "../../support/blast-world.ts";
import { recordLine } from "../../support/wheel-writer.ts";

setDefaultTimeout(60_000);

async function filled(): Promise<BlastWorld> {
  const world = await blastWorld();
  const files = { "app/__init__.py": "A = 1\n", "app/data.txt": "data", "app/sub/x.py": "" };
  world.index.add({
    name: "app",
    files,
    requires: ["lib"],
    entryPoints: "[console_scripts]\napp = app:main\n",
  });
  for (const version of ["1.0", "2.0"]) world.index.add({ name: "lib", version });
  await world.ok("install", "app", "lib<2");
  return world;
}

/** Writes a file of its own in place of a link to the store's. */
function overwrite(path: string, text: string): void {
  rmSync(path, { force: true });
  writeFileSync(path, text);
}

async function kinds(world: BlastWorld): Promise<string[]> {
  const { stdout } = await world.fails("check", "--json");
  const found = stdout.trim().split("\n");
  return found.map((line) => (JSON.parse(line) as { kind: string }).kind).sort();
}

test("all is as it was installed: exit 0", async () => {
  await using world = await filled();
  const { stdout, stderr } = await world.ok("check");
  expect([stdout, stderr]).toEqual(["", "2 packages are as they were installed\n"]);
  expect((await world.ok("check", "--json")).stdout).toBe("");
});

test("what the project asks for counts too", async () => {
  await using world = await filled();
  world.write("blast.toml", '[packages]\ndependencies = ["app", "lib>=2", "more"]\n');
  const { stdout, stderr } = await world.fails("check");
  expect(stdout.split("\n").sort()).toEqual([
    "",
    'conflict: the project asks for "lib>=2", and 1.0 is installed',
    'unmet: the project asks for "more", which is not installed',
  ]);
  expect(stderr).toContain("`blast sync` installs what is asked for");
  const never = "never; python_version < '3'";
  world.write("blast.toml", `[packages]\ndependencies = ["app", "lib", "${never}"]\n`);
  await world.ok("check");
});

interface Damage {
  readonly damage: (world: BlastWorld) => void;
  readonly kind: string;
  readonly tells: string;
  /** Whether --repair can do something about it. */
  readonly mends: boolean;
}

const DAMAGES: Readonly<Record<string, Damage>> = {
  "a changed file": {
    damage: (world) => overwrite(join(world.site(), "app/__init__.py"), "A = 2\n"),
    kind: "changed",
    tells: "app/__init__.py",
    mends: true,
  },
  "a file of another size": {
    damage: (world) => overwrite(join(world.site(), "app/data.txt"), "more data"),
    kind: "changed",
    tells: "app/data.txt",
    mends: true,
  },
  "a missing file": {
    damage: (world) => rmSync(join(world.site(), "app/data.txt")),
    kind: "missing",
    tells: "app/data.txt",
    mends: true,
  },
  "a missing script": {
    damage: (world) => rmSync(join(world.venv, "bin/app")),
    kind: "missing",
    tells: "bin/app",
    mends: true,
  },
  "a missing RECORD": {
    damage: (world) => rmSync(join(world.site(), "app-1.0.dist-info/RECORD")),
    kind: "missing",
    tells: "RECORD",
    mends: true,
  },
  "a file of nobody's": {
    damage: (world) => overwrite(join(world.site(), "app/mine.py"), "x = 1\n"),
    kind: "foreign",
    tells: "app/mine.py",
    mends: false,
  },
  "a requirement that is not there": {
    damage: (world) =>
      Bun.spawnSync(["sh", "-c", `rm -r ${world.site()}/lib ${world.site()}/lib-*`]),
    kind: "unmet",
    tells: "lib",
    mends: false,
  },
};

describe("each kind of damage is told, with exit 1", () => {
  for (const [name, { damage, kind, tells, mends }] of Object.entries(DAMAGES)) {
    test(`${name}: ${kind}`, async () => {
      await using world = await filled();
      damage(world);
      const { stdout, stderr } = await world.fails("check");
      expect(stdout).toContain(`${kind}: `);
      expect(stdout).toContain(tells);
      expect(stderr).toContain("blast check --repair");
      expect(await kinds(world)).toContain(kind);
      if (!mends) {
        await world.fails("check", "--repair");
        return;
      }
      await world.ok("check", "--repair");
      expect(world.flaws()).toEqual([]);
      expect(world.python("import app; print(app.A)")).toBe("1");
      await world.ok("check");
    });
  }

  test("two packages that own one file", async () => {
    await using world = await filled();
    const record = join(world.site(), "lib-1.0.dist-info/RECORD");
    const text = readFileSync(record, "utf8");
    // As an installer would have left it that overwrites what is there.
    overwrite(record, `${recordLine("app/data.txt", "other")}\n${text}`);
    rmSync(join(world.venv, ".blast"), { recursive: true });
    const { stdout } = await world.fails("check");
    expect(stdout).toMatch(/^doubly-owned: .*app\/data\.txt" belongs to "app" and "lib"/m);
  });
});

test("a file that was edited through its link to the store is mended from the index", async () => {
  await using world = await filled();
  // With hard links the store's own file changes with it.
  appendFileSync(join(world.site(), "app/__init__.py"), "A = 99\n");
  await world.fails("check");
  await world.ok("check", "--repair");
  expect(world.python("import app; print(app.A)")).toBe("1");
  await world.ok("start", "--path", world.work.folder("other"));
  const other = world.work.at("other/.venv");
  await world.ok("install", "--python", other, "app");
  expect(world.python("import app; print(app.A)", other)).toBe("1");
});

test("several at once, and what is left is said", async () => {
  await using world = await filled();
  for (const name of ["a missing file", "a file of nobody's", "a missing script"]) {
    DAMAGES[name]?.damage(world);
  }
  expect(await kinds(world)).toEqual(["foreign", "missing", "missing"]);
  const { stderr, stdout } = await world.fails("check", "--repair");
  expect(stderr).toContain("Mended: app");
  expect(stdout).toContain("mine.py");
  expect(existsSync(join(world.site(), "app/mine.py"))).toBe(true);
  expect(await kinds(world)).toEqual(["foreign"]);
});

test("an environment of pip's is checked by its RECORDs", async () => {
  await using world = await filled();
  overwrite(join(world.site(), "lib-1.0.dist-info/INSTALLER"), "pip\n");
  rmSync(join(world.venv, ".blast"), { recursive: true });
  const fine = await world.blast(["check"]);
  expect(fine.stdout).not.toContain("app/");
  rmSync(join(world.site(), "app/data.txt"));
  expect((await world.fails("check")).stdout).toContain("app/data.txt");
});

test("bytecode that Python has written is no finding", async () => {
  await using world = await filled();
  world.python("import app, app.sub.x, lib");
  expect(existsSync(join(world.site(), "app/__pycache__"))).toBe(true);
  await world.ok("check");
});

test("another interpreter than the one that it was made with", async () => {
  await using world = await filled();
  const config = join(world.venv, "pyvenv.cfg");
  const text = readFileSync(config, "utf8");
  writeFileSync(config, text.replaceAll(/= 3\.\d+\.\d+/g, "= 3.2.1"));
  const { stdout, stderr } = await world.fails("check");
  expect(stdout + stderr).toMatch(/upgraded|3\.2/);
  await world.fails("list");
  expect((await world.ok("sync")).stderr).toContain("made anew");
  expect(world.installed()).toEqual({ app: "1.0", lib: "1.0" });
  await world.ok("check");
});
