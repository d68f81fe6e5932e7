/** The verbs that only tell: list, tree, why, outdated, status, export. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runCommand } from "../../support/binary.ts";
import { type BlastWorld, basePython, blastWorld } from "../../support/blast-world.ts";

setDefaultTimeout(60_000);

function offer({ index }: BlastWorld): void {
  index.add({ name: "top", version: "1.0", requires: ["mid>=1", "low"] });
  index.add({ name: "mid", version: "1.2", requires: ["low<2"], extras: { x: ["plus"] } });
  index.add({ name: "low", version: "1.0" });
  index.add({ name: "low", version: "2.0" });
  index.add({ name: "plus", version: "0.1", requires: ["top"] });
}

async function filled(): Promise<BlastWorld> {
  const world = await blastWorld();
  offer(world);
  await world.ok("install", "top", "mid[x]");
  return world;
}

const lines = (text: string): unknown[] =>
  text
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line));

describe("list", () => {
  test("names and versions on standard output", async () => {
    await using world = await filled();
    const { stdout, stderr } = await world.ok("list");
    expect(stdout.split("\n").map((line) => line.trim().split(/ +/).join(" "))).toEqual([
      "package version",
      "low 1.0",
      "mid 1.2",
      "plus 0.1",
      "top 1.0",
      "",
    ]);
    expect(stderr).toBe("");
    const requested = await world.ok("list", "--requested", "--json");
    expect(lines(requested.stdout)).toMatchObject([
      { schema: "blast.list/1", name: "mid", version: "1.2", requested: true, installer: "blast" },
      { name: "top" },
    ]);
  });

  test("no environment: exit 1 and what to do", async () => {
    await using world = await blastWorld();
    const { stderr } = await world.fails("list");
    expect(stderr).toContain("blast start");
    await world.ok("start");
    expect((await world.ok("list")).stdout).toBe("");
  });

  test("--envs: every environment of the user, also those that are gone", async () => {
    await using world = await blastWorld();
    for (const name of ["one", "two"]) {
      await world.ok("start", "--path", world.work.folder(`projects/${name}`), name.toUpperCase());
    }
    Bun.spawnSync(["rm", "-rf", world.work.at("projects/two")]);
    const { stdout } = await world.ok("list", "--envs", "--json");
    const found = lines(stdout) as { name: string; state: string; path: string }[];
    const sorted = found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
    expect(sorted).toMatchObject([
      { schema: "blast.envs/1", name: "ONE", path: world.work.at("projects/one/.venv") },
      { name: "TWO", state: "gone" },
    ]);
    expect((await world.ok("list", "--envs")).stdout).toContain(world.work.at("projects/one"));
    const { stderr } = await world.ok("clean");
    expect(stderr).toContain("Forgotten");
    expect(lines((await world.ok("list", "--envs", "--json")).stdout)).toHaveLength(1);
  });
});

describe("tree", () => {
  test("what needs what, each branch once", async () => {
    await using world = await filled();
    const { stdout } = await world.ok("tree");
    // plus and top need each other by way of mid's extra: a circle begins with what was asked for.
    expect(stdout.split("\n")[0]).toBe("mid 1.2");
    expect(stdout).toMatch(/├── low 1\.0|└── low 1\.0/);
    expect(stdout).toContain("(*)");
    const below = await world.ok("tree", "mid", "--depth", "1");
    expect(below.stdout).toBe("mid 1.2\n├── low 1.0 (<2)\n└── plus 0.1 [extra x]\n");
    const inverted = await world.ok("tree", "--invert", "low", "--depth", "1");
    expect(inverted.stdout).toContain(
      "low 1.0\n├── mid 1.2 (needs low<2)\n└── top 1.0 (needs low)",
    );
  });

  test("what is missing or does not fit is told", async () => {
    await using world = await filled();
    Bun.spawnSync(["sh", "-c", `rm -r ${world.site()}/low*`]);
    expect((await world.ok("tree", "mid", "--depth", "1")).stdout).toContain(
      "low (<2): not installed",
    );
    await world.ok("install", "--no-record", "--no-deps", "low==2.0");
    const { stdout } = await world.ok("tree", "mid", "--depth", "1");
    expect(stdout).toContain("low 2.0 (<2): does not fit");
    const json = JSON.parse((await world.ok("tree", "--json", "mid")).stdout);
    expect(json).toMatchObject({ schema: "blast.tree/1", name: "mid", version: "1.2" });
    expect(json.needs[0]).toMatchObject({ name: "low", requires: "low<2", fits: false });
  });

  test("of what is not there: exit 1", async () => {
    await using world = await filled();
    expect((await world.fails("tree", "nobody")).stderr).toContain('"nobody"');
  });
});

test("a package whose metadata nobody can read stands in nobody's way", async () => {
  await using world = await filled();
  const info = join(world.site(), "odd-1.0.dist-info");
  const metadata = "Metadata-Version: 2.1\nName: odd\nVersion: 1.0\nRequires-Dist: !!!\n";
  const files = {
    METADATA: metadata,
    RECORD: "odd-1.0.dist-info/METADATA,,\n",
    INSTALLER: "pip\n",
  };
  mkdirSync(info);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(info, name), text);
  expect((await world.ok("tree")).stdout).toContain("odd 1.0");
  await world.ok("why", "low");
  await world.ok("outdated");
  await world.ok("remove", "odd");
  expect(Object.keys(world.installed())).not.toContain("odd");
});

test("why: the chains that lead to a package, and who asked", async () => {
  await using world = await filled();
  const { stdout } = await world.ok("why", "low");
  expect(stdout).toStartWith("low 1.0\n");
  expect(stdout).toContain("  mid 1.2 -> low<2\n");
  expect(stdout).toContain("  top 1.0 -> low\n");
  const top = await world.ok("why", "top");
  expect(top.stdout).toContain("asked for: top>=1.0 (blast.toml:");
  const json = JSON.parse((await world.ok("why", "--json", "low")).stdout);
  expect(json).toMatchObject({ schema: "blast.why/1", name: "low", requested: false });
  await world.fails("why", "nobody");
  await world.fails(2, "why");
});

describe("outdated", () => {
  test("newer versions, and who forbids them", async () => {
    await using world = await filled();
    world.index.add({ name: "top", version: "3.0" });
    world.index.add({ name: "plus", version: "9.0a1" });
    world.index.add({ name: "mid", version: "7.0" }, { yanked: "bad" });
    const { stdout } = await world.ok("outdated", "--json");
    expect(lines(stdout)).toEqual([
      {
        schema: "blast.outdated/1",
        name: "low",
        version: "1.0",
        newest: "2.0",
        forbiddenBy: ["mid"],
      },
      { schema: "blast.outdated/1", name: "top", version: "1.0", newest: "3.0", forbiddenBy: [] },
    ]);
    const text = (await world.ok("outdated")).stdout;
    expect(text).toMatch(/low +1\.0 +2\.0 +not allowed by mid/);
    const pre = await world.ok("outdated", "--pre", "--json");
    expect(lines(pre.stdout)).toHaveLength(3);
  });

  test("nothing newer", async () => {
    await using world = await blastWorld();
    world.index.add({ name: "a" });
    await world.ok("install", "a");
    const { stdout, stderr } = await world.ok("outdated");
    expect([stdout, stderr]).toEqual(["", "Everything is of the newest version\n"]);
  });
});

describe("status", () => {
  test("from nothing to in sync to stale", async () => {
    await using world = await blastWorld();
    offer(world);
    const status = async () => JSON.parse((await world.ok("status", "--json")).stdout);
    expect(await status()).toMatchObject({
      schema: "blast.status/1",
      project: null,
      environment: null,
      sync: "absent",
    });
    await world.ok("install", "top");
    await world.ok("sync");
    expect(await status()).toMatchObject({
      project: { folder: world.project },
      environment: { path: world.venv, packages: 3, active: false },
      lock: "fits the project",
      sync: "yes",
      last: { command: "blast install top" },
    });
    world.write("blast.toml", world.read("blast.toml").replace("top", "mid"));
    const stale = await status();
    expect(stale.lock).toContain("stale");
    expect(stale.sync).not.toBe("yes");
    const { stdout } = await world.ok("status");
    expect(stdout).toMatch(/^lock file +stale/m);
    expect(world.index.asked.filter(({ path }) => path.includes("mid")).length).toBeLessThan(5);
  });

  test("asks no server", async () => {
    await using world = await filled();
    await world.index[Symbol.asyncDispose]();
    await world.ok("status");
    await world.ok("list");
    await world.ok("tree");
    await world.ok("why", "low");
    await world.ok("check");
  });
});

describe("export", () => {
  test("pip installs what it prints, with hashes", async () => {
    await using world = await filled();
    await world.ok("export", "-o", "out.txt");
    const text = world.read("out.txt");
    expect(text).toContain("top==1.0 \\\n    --hash=sha256:");
    await world.ok("start", "--path", world.work.folder("pip"));
    const target = world.work.at("pip/.venv");
    const run = await runCommand(
      [
        ...[basePython(), "-m", "pip", "--python", join(target, "bin/python"), "install"],
        ...["--no-deps", "--require-hashes", "-r", join(world.project, "out.txt")],
      ],
      { env: { ...world.env, PIP_DISABLE_PIP_VERSION_CHECK: "1" } },
    );
    expect([run.code, run.stderr]).toEqual([0, ""]);
    expect(world.installed(target)).toEqual(world.installed());
    await world.ok("install", "--python", target, "-U", "-r", "out.txt");
    const bare = await world.ok("export", "--no-hashes");
    expect(bare.stdout).toBe(
      "# Made by blast from pylock.toml\nlow==1.0\nmid==1.2\nplus==0.1\ntop==1.0\n",
    );
    expect((await world.ok("export", "--format", "pylock.toml")).stdout).toBe(
      world.read("pylock.toml"),
    );
  });

  test("extras and groups by name; no lock: exit 1", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write(
      "pyproject.toml",
      `
      [project]
      name = "x"
      version = "0"
      dependencies = ["low"]
      [project.optional-dependencies]
      more = ["plus"]
      [dependency-groups]
      dev = ["mid"]
      test = ["top"]
      `,
    );
    expect((await world.fails("export")).stderr).toContain("`blast lock`");
    await world.ok("lock");
    const names = async (...args: string[]) =>
      (await world.ok("export", "--no-hashes", ...args)).stdout.match(/^[a-z]+(?===)/gm);
    expect(await names()).toEqual(["low", "mid"]);
    expect(await names("--group", "test")).toEqual(["low", "mid", "top"]);
    expect(await names("--extra", "more", "--group", "dev")).toEqual(["low", "mid", "plus", "top"]);
    await world.fails("export", "--group", "nobody");
  });
});
