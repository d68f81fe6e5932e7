import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openEnvironment } from "../../../src/blast/env/environment.ts";
import { createBareVenv, createWheel, snapshotTree } from "../../support/blast-env.ts";
import type { DriverPlan } from "../../support/env-driver.ts";
import { cannotMount, mountFilesystem } from "../../support/loop-filesystem.ts";
import { testUnless } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

// Processes that are killed: each of them takes a tenth of a second.
setDefaultTimeout(600_000);
const parent = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();
const DRIVER = join(import.meta.dir, "../../support/env-driver.ts");
const ROUNDS = process.env["TRIAD_TEST_SOAK"] === "1" ? 1000 : 12;

/** Old and new versions of packages with enough files for several threads. */
function scene(work: Workspace, filesEach: number) {
  const venv = createBareVenv(work);
  const files = (name: string, content: string): Record<string, string> => {
    const found: Record<string, string> = { [`${name}/__init__.py`]: content };
    for (let i = 0; i < filesEach; i++) found[`${name}/f${i % 7}/m${i}.py`] = `${content} ${i}`;
    return found;
  };
  const make = (name: string, version: string): string => {
    const folder = work.at(`store/${name}-${version}`);
    createWheel(folder, { name, version, files: files(name, version) });
    return folder;
  };
  const old = { venv, install: [make("a", "1"), make("b", "1")], remove: [] };
  const change = { venv, install: [make("a", "2"), make("c", "1")], remove: ["b"] };
  return { venv, old, change };
}

function start(work: Workspace, plan: DriverPlan, env: Record<string, string> = {}) {
  const path = work.write("plan.json", JSON.stringify(plan));
  return Bun.spawn([process.execPath, DRIVER, path], {
    env: { ...process.env, ...env },
    stdout: "pipe",
    stderr: "pipe",
  });
}

async function finish(child: ReturnType<typeof start>): Promise<string> {
  const text = await new Response(child.stderr).text();
  await child.exited;
  return text;
}

async function run(work: Workspace, plan: DriverPlan): Promise<string> {
  const child = start(work, plan);
  const text = await finish(child);
  if (child.exitCode !== 0) throw new Error(text);
  return text.trim();
}

test("SIGKILL at random moments of a threaded upgrade: the old state or the new", async () => {
  using work = createWorkspace(parent);
  const { venv, old, change } = scene(work, 800);
  await run(work, old);
  const oldTree = snapshotTree(venv);
  const startedMs = performance.now();
  await run(work, { ...change, threads: 3 });
  const spanMs = performance.now() - startedMs;
  const newTree = snapshotTree(venv);
  const seen = { old: 0, fresh: 0, open: 0 };
  for (let round = 0; round < ROUNDS; round++) {
    Bun.spawnSync(["rm", "-rf", venv]);
    createBareVenv(work);
    await run(work, old);
    const child = start(work, { ...change, threads: 3 });
    // Most of the time goes by before the first call: later moments are the interesting ones.
    await Bun.sleep(spanMs * (0.3 + 0.8 * Math.random()));
    child.kill("SIGKILL");
    await child.exited;
    if (readdirSync(join(venv, ".blast")).some((name) => name.startsWith("open"))) seen.open++;
    expectWholePackages(venv);
    await run(work, { ...change, recoverOnly: true });
    const now = snapshotTree(venv);
    const isOld = Bun.deepEquals(now, oldTree);
    if (!isOld) expect(Bun.deepEquals(now, newTree)).toBe(true);
    seen[isOld ? "old" : "fresh"]++;
  }
  expect(seen.old + seen.fresh).toBe(ROUNDS);
});

test("SIGKILL at chosen calls, by fault injection", async () => {
  using work = createWorkspace(parent);
  const { venv, old, change } = scene(work, 8);
  await run(work, old);
  const oldTree = snapshotTree(venv);
  await run(work, change);
  const newTree = snapshotTree(venv);
  const rules = ["renameat2:KILL@1", "renameat2:KILL@2", "renameat2:KILL@4", "renameat2:KILL@6"];
  for (const rule of [...rules, "linkat:KILL@5", "fsync:KILL@1", "mkdirat:KILL@2"]) {
    Bun.spawnSync(["rm", "-rf", venv]);
    createBareVenv(work);
    await run(work, old);
    const child = start(work, change, { TRIAD_FAULTS: rule });
    await finish(child);
    expect(child.signalCode).toBe("SIGKILL");
    expectWholePackages(venv);
    await run(work, { ...change, recoverOnly: true });
    const now = snapshotTree(venv);
    if (!Bun.deepEquals(now, oldTree)) expect(now).toEqual(newTree);
  }
});

testUnless(cannotMount("tmpfs"))("a full disk changes nothing", async () => {
  using disk = mountFilesystem({ kind: "tmpfs", sizeBytes: 4 << 20 });
  using work = createWorkspace(disk.path);
  using elsewhere = createWorkspace(parent);
  const venv = createBareVenv(work);
  const make = (version: string): string => {
    const folder = elsewhere.at(`store/a-${version}`);
    const files = { "a/__init__.py": version, "a/large.bin": version.repeat(3 << 20) };
    createWheel(folder, { name: "a", version, files });
    return folder;
  };
  const plan = { venv, remove: [], linkMode: "hardlink" as const };
  // On another file system, so by copies; two of them do not fit.
  expect(await run(elsewhere, { ...plan, install: [make("1")] })).toBe("copy");
  const before = snapshotTree(venv);
  const child = start(elsewhere, { ...plan, install: [make("2")] });
  expect(await finish(child)).toContain("no space left on device");
  expect(snapshotTree(venv)).toEqual(before);
  expect(readdirSync(join(venv, ".blast")).sort()).toEqual(["done-1", "lock", "unsettled"]);
});

function expectWholePackages(venv: string): void {
  const environment = openEnvironment(venv);
  const names = new Set(Object.keys(snapshotTree(environment.paths.purelib)));
  for (const distribution of environment.installed()) {
    const record = distribution.record() ?? [];
    expect(record.length).toBeGreaterThan(3);
    for (const { path } of record) expect(names.has(path)).toBe(true);
  }
}
