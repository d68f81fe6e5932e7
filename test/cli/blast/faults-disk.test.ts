/** Disks that are full or may not be written; end to end. */
import { describe, expect, setDefaultTimeout } from "bun:test";
import { join } from "node:path";
import { type BlastWorld, blastWorld } from "../../support/blast-world.ts";
import { cannotMount, mountFilesystem } from "../../support/loop-filesystem.ts";
import { testUnless } from "../../support/skip.ts";

setDefaultTimeout(60_000);

const MIB = 1024 * 1024;
const testMounted = testUnless(cannotMount("tmpfs"));

/** A package that does not become smaller by any means. */
function offer({ index }: BlastWorld, name: string, sizeBytes: number): void {
  const noise = Buffer.alloc(sizeBytes);
  for (let at = 0; at < sizeBytes; at += 65_536) {
    crypto.getRandomValues(noise.subarray(at, at + 65_536));
  }
  const files: Record<string, Uint8Array | string> = { [`${name}/__init__.py`]: "" };
  for (let part = 0; part < 8; part += 1) {
    files[`${name}/part${part}`] = noise.subarray(
      (part * sizeBytes) / 8,
      ((part + 1) * sizeBytes) / 8,
    );
  }
  index.add({ name, files });
}

function remount(path: string, mode: "ro" | "rw"): void {
  const run = Bun.spawnSync(["mount", "-o", `remount,${mode}`, path], { stderr: "pipe" });
  if (!run.success) throw new Error(run.stderr.toString());
}

describe("full", () => {
  testMounted("the environment's disk: told, and all as before", async () => {
    using disk = mountFilesystem({ kind: "tmpfs", sizeBytes: 4 * MIB });
    await using world = await blastWorld();
    offer(world, "small", 64 * 1024);
    offer(world, "large", 6 * MIB);
    world.write("blast.toml", `[env]\npath = "${disk.path}/venv"\n`);
    const venv = join(disk.path, "venv");
    await world.ok("install", "small");
    const before = [world.read("blast.toml"), world.read("pylock.toml")];
    const { stderr } = await world.fails("install", "large");
    expect(stderr).toMatch(/space/i);
    expect(stderr).toContain(disk.path);
    expect([world.read("blast.toml"), world.read("pylock.toml")]).toEqual(before);
    expect(world.installed(venv)).toEqual({ small: "1.0" });
    expect(world.flaws(venv)).toEqual([]);
    await world.ok("check");
    await world.ok("remove", "small");
    expect(world.installed(venv)).toEqual({});
  });

  testMounted("the store's disk: told, and all as before", async () => {
    using disk = mountFilesystem({ kind: "tmpfs", sizeBytes: 3 * MIB });
    await using world = await blastWorld();
    offer(world, "small", 64 * 1024);
    offer(world, "large", 6 * MIB);
    const env = { BLAST_CACHE_DIR: join(disk.path, "cache") };
    expect((await world.blast(["install", "small"], { env })).code).toBe(0);
    const before = world.read("blast.toml");
    const run = await world.blast(["install", "large"], { env });
    expect(run.code).toBe(1);
    expect(run.stderr).toMatch(/space/i);
    expect(run.stderr).toContain("blast clean");
    expect(world.read("blast.toml")).toBe(before);
    expect(world.installed()).toEqual({ small: "1.0" });
    expect((await world.blast(["clean", "--all"], { env })).code).toBe(0);
    offer(world, "next", 64 * 1024);
    expect((await world.blast(["install", "next"], { env })).code).toBe(0);
    expect(world.flaws()).toEqual([]);
  });

  testMounted(
    "the project's disk: the record cannot be written, nothing is installed",
    async () => {
      using disk = mountFilesystem({ kind: "tmpfs", sizeBytes: MIB });
      await using world = await blastWorld();
      offer(world, "small", 64 * 1024);
      const cwd = join(disk.path, "project");
      const venv = world.work.at("venv");
      const text = `[env]\npath = "${venv}"\n`;
      Bun.spawnSync(["mkdir", cwd]);
      await Bun.write(join(cwd, "blast.toml"), text);
      expect((await world.blast(["sync"], { cwd })).code).toBe(0);
      Bun.spawnSync(["sh", "-c", `dd if=/dev/zero of=${disk.path}/filler bs=4k 2>/dev/null; true`]);
      const run = await world.blast(["install", "small"], { cwd });
      expect(run.code).toBe(1);
      expect(run.stderr).toMatch(/space|write/i);
      expect(await Bun.file(join(cwd, "blast.toml")).text()).toBe(text);
      expect(await Bun.file(join(cwd, "pylock.toml")).exists()).toBe(false);
      expect(world.installed(venv)).toEqual({});
      expect(world.flaws(venv)).toEqual([]);
    },
  );
});

describe("read-only", () => {
  testMounted("the cache: what is in it is used, the rest goes without it", async () => {
    using disk = mountFilesystem({ kind: "tmpfs", sizeBytes: 8 * MIB });
    await using world = await blastWorld();
    offer(world, "stored", 64 * 1024);
    offer(world, "other", 64 * 1024);
    const env = { BLAST_CACHE_DIR: join(disk.path, "cache") };
    expect((await world.blast(["install", "stored"], { env })).code).toBe(0);
    remount(disk.path, "ro");
    Bun.spawnSync(["rm", "-rf", world.venv]);
    const again = await world.blast(["sync"], { env });
    expect([again.code, again.stderr]).toEqual([0, expect.stringContaining("Installed 1 package")]);
    expect(world.installed()).toEqual({ stored: "1.0" });
    expect(world.flaws()).toEqual([]);
    for (const verb of ["list", "tree", "status", "check"]) {
      expect((await world.blast([verb], { env })).code).toBe(0);
    }
    const fresh = await world.blast(["install", "other"], { env });
    // It works without the store, or says which folder cannot be written.
    if (fresh.code === 0) expect(world.installed()).toEqual({ other: "1.0", stored: "1.0" });
    else expect(fresh.stderr).toContain(disk.path);
    const clean = await world.blast(["clean", "--all"], { env });
    expect(clean.code).toBe(1);
    expect(clean.stderr).toContain(disk.path);
    expect(clean.stderr).not.toMatch(/\n\s+at /);
    remount(disk.path, "rw");
  });

  testMounted("the environment: readers read, writers are told", async () => {
    using disk = mountFilesystem({ kind: "tmpfs", sizeBytes: 8 * MIB });
    await using world = await blastWorld();
    offer(world, "small", 64 * 1024);
    offer(world, "other", 64 * 1024);
    const venv = join(disk.path, "venv");
    world.write("blast.toml", `[env]\npath = "${venv}"\n`);
    await world.ok("install", "small");
    const before = world.read("blast.toml");
    remount(disk.path, "ro");
    for (const args of [["list"], ["tree"], ["why", "small"], ["status"], ["check"], ["sync"]]) {
      await world.ok(...args);
    }
    expect((await world.ok("run", "python", "-c", "print(7)")).stdout).toBe("7\n");
    for (const args of [["install", "other"], ["remove", "small"], ["undo"]]) {
      const { stderr } = await world.fails(...args);
      expect(stderr).toMatch(/read-only|cannot be written/i);
      expect(stderr).not.toMatch(/\n\s+at /);
    }
    expect(world.read("blast.toml")).toBe(before);
    remount(disk.path, "rw");
    expect(world.flaws(venv)).toEqual([]);
    await world.ok("install", "other");
  });
});
