/** blast clean and [cache] max_size, end to end. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { type BlastWorld, blastWorld } from "../../support/blast-world.ts";

setDefaultTimeout(60_000);

const MIB = 1024 * 1024;

async function filled(): Promise<BlastWorld> {
  const world = await blastWorld();
  for (const name of ["one", "two", "three"]) {
    // Noise, which no file system makes smaller.
    const noise = crypto.getRandomValues(new Uint8Array(65_536));
    const files = {
      [`${name}/__init__.py`]: "",
      [`${name}/noise`]: Buffer.concat(Array(16).fill(noise)),
    };
    world.index.add({ name, files });
    await world.ok("install", name);
  }
  return world;
}

/** The wheels of the store by their names, the least used first. */
function stored(world: BlastWorld): Map<string, string> {
  const folder = join(world.cache, "wheels-v1");
  const found = new Map<string, string>();
  const glob = new Bun.Glob("??/*/tree/*.dist-info");
  for (const path of glob.scanSync({ cwd: folder, onlyFiles: false })) {
    const name = /([a-z]+)-1\.0\.dist-info$/.exec(path)?.[1] ?? path;
    found.set(name, join(folder, path, "../.."));
  }
  return found;
}

function lastUsed(world: BlastWorld, name: string, daysAgo: number): void {
  const time = Date.now() / 1000 - daysAgo * 86_400;
  utimesSync(stored(world).get(name) ?? "", time, time);
}

describe("clean", () => {
  test("with a limit: what was not used for longest goes", async () => {
    await using world = await filled();
    lastUsed(world, "two", 50);
    lastUsed(world, "one", 20);
    const unlimited = await world.ok("clean");
    expect(unlimited.stderr).toContain("Removed 0 wheels");
    world.write("blast.toml", `${world.read("blast.toml")}\n[cache]\nmax_size = "2 MiB"\n`);
    const dry = await world.ok("clean", "--dry-run");
    expect(dry.stderr).toContain("Would remove 2 wheels");
    expect(stored(world).size).toBe(3);
    const { stdout } = await world.ok("clean", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ schema: "blast.clean/1", folder: world.cache });
    expect([...stored(world).keys()]).toEqual(["three"]);
    // Environments keep their files.
    expect(world.installed()).toEqual({ one: "1.0", three: "1.0", two: "1.0" });
    expect(world.flaws()).toEqual([]);
    await world.ok("check");
    const again = await world.ok("clean");
    expect(again.stderr).toContain("Removed 0 wheels");
  });

  test("a package by name, and everything; --dry-run removes nothing", async () => {
    await using world = await filled();
    const dry = await world.ok("clean", "--all", "--dry-run", "--json");
    const told = JSON.parse(dry.stdout);
    expect(told).toMatchObject({ dryRun: true, wheels: 3 });
    expect(told.bytes).toBeGreaterThan(3 * MIB);
    expect([...stored(world).keys()].sort()).toEqual(["one", "three", "two"]);
    await world.ok("clean", "Two");
    expect([...stored(world).keys()].sort()).toEqual(["one", "three"]);
    await world.ok("clean", "--all");
    expect(stored(world).size).toBe(0);
    expect(existsSync(join(world.cache, "simple-v1"))).toBe(false);
    await world.ok("check");
    // All of it can be fetched again.
    Bun.spawnSync(["rm", "-rf", world.venv]);
    await world.ok("sync");
    expect(world.installed()).toEqual({ one: "1.0", three: "1.0", two: "1.0" });
  });

  test("what is not blast's own stays, where somebody named a folder of theirs", async () => {
    await using world = await filled();
    world.work.write("cache/mine/notes.txt", "of years");
    world.work.write("cache/thesis-v1.odt", "all of it");
    await world.ok("clean", "--all");
    // The locks stay, and what they lie in.
    const left = ["locks-v1", "mine", "thesis-v1.odt", "wheels-v1"];
    expect(readdirSync(world.cache).sort()).toEqual(left);
    expect(stored(world).size).toBe(0);
    expect(existsSync(join(world.cache, "mine/notes.txt"))).toBe(true);
  });

  test("where there is no cache, and in a folder without a project", async () => {
    await using world = await blastWorld();
    await world.ok("clean");
    await world.ok("clean", "--all");
    expect((await world.fails(2, "clean", "a b")).stderr).toContain('"a b"');
  });

  test("leftovers of runs that were killed", async () => {
    await using world = await filled();
    const staging = join(world.cache, "wheels-v1");
    const before = readdirSync(staging).sort();
    expect(before.length).toBeGreaterThan(0);
    await world.ok("clean");
    expect(readdirSync(staging).filter((name) => /tmp|stag/.test(name))).toEqual([]);
  });
});

test("an install keeps to the limit by itself, once a day", async () => {
  await using world = await filled();
  for (const [name, days] of [
    ["one", 9],
    ["two", 8],
    ["three", 7],
  ] as const) {
    lastUsed(world, name, days);
  }
  world.index.add({ name: "four" });
  Bun.spawnSync(["rm", "-f", join(world.cache, "trimmed")]);
  world.write("blast.toml", `${world.read("blast.toml")}\n[cache]\nmax_size = "1500 KiB"\n`);
  await world.ok("install", "four");
  expect([...stored(world).keys()].sort()).toEqual(["four", "three"]);
  await world.ok("check");
});

test("the cache by BLAST_CACHE_DIR, [cache] cache_dir, XDG_CACHE_HOME", async () => {
  await using world = await blastWorld();
  world.index.add({ name: "one" });
  const at = async (env: Record<string, string | undefined>, folder: string): Promise<void> => {
    Bun.spawnSync(["rm", "-rf", world.venv]);
    const run = await world.blast(["install", "--no-record", "one"], { env });
    expect([run.code, run.stderr]).toEqual([0, run.stderr]);
    expect(existsSync(join(folder, "wheels-v1"))).toBe(true);
  };
  await at({ BLAST_CACHE_DIR: world.work.at("a") }, world.work.at("a"));
  await at({ BLAST_CACHE_DIR: undefined }, world.work.at("home/.cache/blast"));
  const xdg = { BLAST_CACHE_DIR: undefined, XDG_CACHE_HOME: world.work.at("b") };
  await at(xdg, world.work.at("b/blast"));
  world.write("blast.toml", '[cache]\ncache_dir = "here"\n');
  await at(xdg, join(world.project, "here"));
});
