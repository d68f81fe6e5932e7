/** --dry-run writes nothing but the cache, whatever would have to be made; end to end. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { type BlastWorld, blastWorld } from "../../support/blast-world.ts";
import { fakePython } from "../../support/fake-python.ts";

setDefaultTimeout(60_000);

/** Every file of the project and the home, as it lies there; a dry run may fill caches. */
function stateOf(world: BlastWorld): string[] {
  return ["project", "home"].flatMap((top) =>
    readdirSync(world.work.at(top), { recursive: true, encoding: "utf8" })
      .filter((path) => !/^\.(?:cache|pyenv)\b/.test(path))
      .map((path) => {
        const { ino, mtimeNs, size } = lstatSync(world.work.at(`${top}/${path}`), { bigint: true });
        return `${top}/${path} ${ino} ${mtimeNs} ${size}`;
      })
      .sort(),
  );
}

/** A project whose environment has a package that was asked for beside it. */
async function filled(): Promise<BlastWorld> {
  const world = await blastWorld();
  fakePython(world.work, "home/.pyenv/versions/3.73.1", { version: "3.73.1" });
  for (const name of ["app", "extra"]) world.index.add({ name });
  world.write("blast.toml", '[packages]\ndependencies = ["app"]\n');
  await world.ok("sync");
  await world.ok("install", "--no-record", "extra");
  return world;
}

function losePython({ venv }: BlastWorld): void {
  for (const name of readdirSync(join(venv, "bin"))) {
    if (!name.startsWith("python")) continue;
    Bun.spawnSync(["ln", "-sfn", "/nowhere/python3", join(venv, "bin", name)]);
  }
}

const COMMANDS = ["sync", "install", "install extra", "update", "update app"];

describe.each(COMMANDS)("%s", (command) => {
  const words = command.split(" ");

  test("where there is no environment", async () => {
    await using world = await blastWorld();
    for (const name of ["app", "extra"]) world.index.add({ name });
    world.write("blast.toml", '[packages]\ndependencies = ["app"]\n');
    const before = stateOf(world);
    const { stderr } = await world.ok(...words, "--dry-run");
    expect(stderr).toMatch(/^Would make "\/.*\/project\/\.venv" with Python 3\.[\d.]+$/m);
    expect(stderr).toContain(" + app==1.0\n");
    expect(stderr).toMatch(/^Would install \d package/m);
    expect(stateOf(world)).toEqual(before);
    await world.ok(...words);
    expect(world.installed()).toHaveProperty("app");
  });

  test("where the project asks for another Python now", async () => {
    await using world = await filled();
    world.write(".python-version", "3.73\n");
    const before = stateOf(world);
    const { stderr } = await world.ok(...words, "--dry-run");
    expect(stderr).toMatch(
      /^Would make "\/.*\/\.venv" anew with Python 3\.73\.1: .* asks for 3\.73$/m,
    );
    expect(stderr).toContain("Would install again what was asked for by name: app, extra\n");
    expect(stderr).toContain(" + app==1.0\n");
    expect(stderr).not.toContain(" - ");
    expect(stateOf(world)).toEqual(before);
  });

  test("where its Python is gone", async () => {
    await using world = await filled();
    losePython(world);
    const before = stateOf(world);
    const { stderr } = await world.ok(...words, "--dry-run");
    expect(stderr).toMatch(/^Would make "\/.*\/\.venv" anew .*: The Python .* is gone/m);
    expect(stderr).toContain(" + app==1.0\n");
    expect(stateOf(world)).toEqual(before);
    await world.ok("sync", "--inexact");
    expect(world.installed()).toEqual({ app: "1.0", extra: "1.0" });
  });
});

test("--python that the environment does not have", async () => {
  await using world = await filled();
  const before = stateOf(world);
  for (const args of [["sync"], ["install", "--no-record", "extra"], ["update"]]) {
    const { stderr } = await world.ok(...args, "--python", "3.73", "--dry-run");
    expect(stderr).toContain("anew with Python 3.73.1");
  }
  const { stdout } = await world.ok("sync", "--python", "3.73", "--dry-run", "--json");
  expect(JSON.parse(stdout)).toMatchObject({
    dryRun: true,
    environment: world.venv,
    installed: [{ name: "app", version: "1.0" }],
    removed: [],
  });
  const { stderr } = await world.fails("sync", "--python", "3.99", "--dry-run");
  expect(stderr).toContain("Cannot find Python 3.99");
  expect(stateOf(world)).toEqual(before);
});

test("outside of projects: what was asked for is planned in its newest version", async () => {
  await using world = await filled();
  rmSync(join(world.project, "blast.toml"));
  rmSync(join(world.project, "pylock.toml"));
  world.index.add({ name: "extra", version: "2.0" });
  losePython(world);
  const before = stateOf(world);
  const { stderr } = await world.ok("update", "extra", "--dry-run");
  expect(stderr).toContain(" + extra==2.0\n");
  expect(stateOf(world)).toEqual(before);
});

test("what would refuse to be made is refused", async () => {
  await using world = await filled();
  rmSync(world.venv, { recursive: true });
  world.write(".venv/mine.txt", "");
  const { stderr } = await world.fails("sync", "--dry-run");
  expect(stderr).toContain(`Cannot make the environment "${world.venv}"`);
  expect(world.read(".venv/mine.txt")).toBe("\n");
});

test("with nothing to do, no note is left either", async () => {
  await using world = await filled();
  const before = stateOf(world);
  for (const args of [["sync"], ["install", "--no-record", "app"], ["remove", "app"], ["lock"]]) {
    await world.ok(...args, "--dry-run");
    expect([args, stateOf(world)]).toEqual([args, before]);
  }
});

test("what was cut short is told, and taken back by the next command", async () => {
  await using world = await filled();
  const open = join(world.venv, ".blast/open-99");
  mkdirSync(open);
  const before = stateOf(world);
  const { stderr } = await world.ok("remove", "extra", "--dry-run");
  expect(stderr).toContain("A command was cut short");
  expect(stateOf(world)).toEqual(before);
  await world.ok("remove", "extra");
  expect(existsSync(open)).toBe(false);
});
