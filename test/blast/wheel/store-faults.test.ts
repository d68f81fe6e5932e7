import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { FaultCount } from "../../../ffi/fault-count.ts";
import { parsePackageName } from "../../../src/blast/pep/name.ts";
import { openStore } from "../../../src/blast/wheel/store.ts";
import { cannotMount, mountFilesystem } from "../../support/loop-filesystem.ts";
import { openBelow } from "../../support/open-descriptors.ts";
import { testUnless } from "../../support/skip.ts";
import { makeWheel, writeWheel } from "../../support/wheel-writer.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

setDefaultTimeout(300_000);

const SOURCE = join(import.meta.dir, "../../../src");
const MIB = 1024 * 1024;
/** Faults and kills at so many moments each; a soak sets it higher. */
const moments = Number(process.env["TRIAD_WHEEL_MOMENTS"] ?? 6);

/** A program that adds wheels to a store, on its main thread or in threads. */
function adder(work: Workspace, archives: readonly string[], options: { threads: boolean }) {
  return `
    const { openStore } = await import("${SOURCE}/blast/wheel/store.ts");
    const { createUnpackWorker } = await import("${SOURCE}/workers.ts");
    const createWorker = ${options.threads} ? createUnpackWorker : undefined;
    const store = openStore(${JSON.stringify(work.at("cache"))}, { createWorker, workers: 2 });
    if (${options.threads}) await store.warm();
    const jobs = ${JSON.stringify(archives)}.map((archivePath) => ({
      archivePath, expected: { name: archivePath.match(/([a-z0-9]+)-1.0-/)[1] },
    }));
    const settled = await Promise.allSettled(jobs.map((job) => store.add(job.archivePath, job)));
    for (const { status, reason } of settled) {
      console.log(status === "fulfilled" ? "added" : reason.code ?? String(reason.stack));
    }`;
}

function start(source: string, faults: Readonly<Record<string, string>> = {}) {
  return Bun.spawn([process.execPath, "-e", source], {
    env: { ...process.env, ...faults },
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function outcome(child: ReturnType<typeof start>): Promise<string[]> {
  const [text, error] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  await child.exited;
  expect(error).toBe("");
  return text.split("\n").slice(0, -1);
}

/** Whatever the store says it has is there as a whole. Returns how many wheels that are. */
async function checkStore(folder: string): Promise<number> {
  const store = openStore(folder);
  const entries = store.entries();
  for (const { sha256 } of entries) {
    const wheel = store.get(sha256);
    expect(wheel?.sha256).toBe(sha256);
    if (wheel !== undefined) expect(await store.verify(wheel, { full: true })).toEqual([]);
  }
  return entries.length;
}

function leftovers(folder: string): string[] {
  const parent = join(folder, "wheels-v1/.unpacking");
  return existsSync(parent) ? readdirSync(parent) : [];
}

/** After a run that went wrong another one completes the work and leaves nothing behind. */
async function complete(work: Workspace, archives: readonly string[]): Promise<void> {
  await checkStore(work.at("cache"));
  const again = await outcome(start(adder(work, archives, { threads: false })));
  expect(again).toEqual(archives.map(() => "added"));
  expect(await checkStore(work.at("cache"))).toBe(archives.length);
  expect(leftovers(work.at("cache"))).toEqual([]);
}

function wheelsIn(work: Workspace, count: number): string[] {
  return Array.from({ length: count }, (_, index) => {
    const name = `demo${index}`;
    const files = Object.fromEntries(
      Array.from({ length: 20 }, (_, at) => [`${name}/${at % 3}/${at}.py`, `x = ${at}\n`]),
    );
    return writeWheel(work.path, makeWheel({ name, files }));
  });
}

async function countCalls(): Promise<FaultCount> {
  using work = createWorkspace();
  const source = adder(work, wheelsIn(work, 1), { threads: false });
  await outcome(start(source, { TRIAD_FAULTS_COUNT: work.at("count") }));
  return JSON.parse(readFileSync(work.at("count"), "utf8")) as FaultCount;
}

describe("whatever call fails, it is told, and the store holds all of a wheel or nothing", () => {
  for (const effect of ["EIO", "ENOSPC", "EINTR", "EACCES"]) {
    test(`${effect}, at moments all over the run`, async () => {
      const { threads } = await countCalls();
      const calls = threads[0]?.total ?? 0;
      expect(calls).toBeGreaterThan(100);
      const told = new Set<string>();
      for (let moment = 0; moment < moments; moment++) {
        using work = createWorkspace();
        const archives = wheelsIn(work, 1);
        const at = 1 + Math.floor(((moment + 0.5) * calls) / moments);
        const env = { TRIAD_FAULTS: `*:${effect}@${at}`, TRIAD_FAULTS_COUNT: work.at("count") };
        const [result = ""] = await outcome(start(adder(work, archives, { threads: false }), env));
        expect(["added", "E_IO", "E_NO_SPACE"]).toContain(result);
        told.add(result);
        const { open } = JSON.parse(readFileSync(work.at("count"), "utf8")) as FaultCount;
        expect(
          open.filter((path) => path.startsWith(work.path) && path !== work.at("count")),
        ).toEqual([]);
        await complete(work, archives);
      }
      if (effect === "EINTR") expect([...told]).toEqual(["added"]);
      else expect([...told].some((result) => result !== "added")).toBeTrue();
    });
  }

  test("short reads and writes change nothing", async () => {
    using work = createWorkspace();
    const archives = wheelsIn(work, 2);
    const faults = "read:short@1+,pread:short@1+,write:short@1+";
    const source = adder(work, archives, { threads: false });
    expect(await outcome(start(source, { TRIAD_FAULTS: faults }))).toEqual(["added", "added"]);
    expect(await checkStore(work.at("cache"))).toBe(2);
  });
});

describe("kill -9", () => {
  test("before calls all over the run", async () => {
    const { threads } = await countCalls();
    const calls = threads[0]?.total ?? 0;
    let killed = 0;
    for (let moment = 0; moment < moments; moment++) {
      using work = createWorkspace();
      const archives = wheelsIn(work, 1);
      const at = 1 + Math.floor(((moment + 0.25) * calls) / moments);
      const child = start(adder(work, archives, { threads: false }), {
        TRIAD_FAULTS: `*:KILL@${at}`,
      });
      await child.exited;
      if (child.signalCode === "SIGKILL") killed++;
      await complete(work, archives);
    }
    expect(killed).toBeGreaterThan(moments / 2);
  });

  test("while threads unpack many wheels", async () => {
    let interrupted = 0;
    const rounds = Math.max(3, moments / 3);
    // On a slow machine all may be done by the time that the first ones are seen here.
    for (let round = 0; round < rounds || (interrupted === 0 && round < 10 * rounds); round++) {
      using work = createWorkspace();
      const archives = wheelsIn(work, 12);
      const child = start(adder(work, archives, { threads: true }), {
        TRIAD_FAULTS: "write:delay:1ms@1+",
      });
      const wanted = 1 + (round % 5);
      while (openStore(work.at("cache")).entries().length < wanted) await Bun.sleep(2);
      child.kill("SIGKILL");
      await child.exited;
      if (leftovers(work.at("cache")).length > 0) interrupted++;
      expect(await checkStore(work.at("cache"))).toBeGreaterThanOrEqual(wanted);
      await complete(work, archives);
    }
    expect(interrupted).toBeGreaterThan(0);
  });
});

describe("a store on a disk", () => {
  testUnless(cannotMount("tmpfs"))("that is full", async () => {
    using disk = mountFilesystem({ kind: "tmpfs", sizeBytes: 2 * MIB });
    using work = createWorkspace();
    const store = openStore(disk.path);
    const noise = Buffer.from(Array.from({ length: 3 * MIB }, (_, at) => (at * at) >> 7));
    const large = writeWheel(work.path, makeWheel({ name: "large", files: { "a.bin": noise } }));
    const adding = store.add(large, { expected: { name: parsePackageName("large") } });
    await expect(adding).rejects.toMatchObject({
      code: "E_NO_SPACE",
      message: 'Cannot unpack "large-1.0-py3-none-any.whl" to "a.bin": no space left on device',
      hint: "make room, or free what is not used any more with: blast clean",
    });
    expect(store.entries()).toEqual([]);
    expect(leftovers(disk.path)).toEqual([]);
    const small = writeWheel(work.path, makeWheel({ name: "small" }));
    await store.add(small, { expected: { name: parsePackageName("small") } });
    expect(await checkStore(disk.path)).toBe(1);
  });

  testUnless(cannotMount("tmpfs"))("that cannot be written", async () => {
    using disk = mountFilesystem({ kind: "tmpfs", sizeBytes: 2 * MIB });
    using work = createWorkspace();
    const expected = { name: parsePackageName("demo") };
    const wheel = makeWheel();
    const stored = await openStore(disk.path).add(writeWheel(work.path, wheel), { expected });
    const remount = (how: string) => Bun.spawnSync(["mount", "-o", `remount,${how}`, disk.path]);
    expect(remount("ro").exitCode).toBe(0);
    try {
      // Two days later: the use cannot be noted.
      const store = openStore(disk.path, { nowMs: () => Date.now() + 2 * 24 * 3600 * 1000 });
      expect(store.get(wheel.sha256)?.files.length).toBe(4);
      expect(await store.verify(stored, { full: true })).toEqual([]);
      using _hold = await store.hold();
      const other = writeWheel(work.path, makeWheel({ stored: true }));
      await expect(store.add(other, { expected })).rejects.toMatchObject({
        code: "E_IO",
        message: expect.stringContaining("read-only file system"),
        hint: expect.stringContaining("cache_dir"),
      });
      await expect(store.remove(wheel.sha256)).rejects.toMatchObject({ code: "E_IO" });
    } finally {
      remount("rw");
    }
  });
});

test("refused wheels leave no descriptor open", async () => {
  using work = createWorkspace();
  const store = openStore(work.at("cache"));
  const bad = writeWheel(work.path, makeWheel({ editRecord: (lines) => lines.slice(1) }));
  const expected = { name: parsePackageName("demo") };
  await store.add(bad, { expected }).catch(() => undefined);
  const before = openBelow(work.path);
  writeFileSync(work.at("text.whl"), "text");
  for (let round = 0; round < 20; round++) {
    for (const path of [bad, work.at("text.whl"), work.at("gone.whl")]) {
      await expect(store.add(path, { expected })).rejects.toThrow();
    }
  }
  expect(openBelow(work.path)).toBe(before);
});
