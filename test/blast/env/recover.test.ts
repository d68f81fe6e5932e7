import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Environment, openEnvironment } from "../../../src/blast/env/environment.ts";
import { recover } from "../../../src/blast/env/recover.ts";
import { applyChanges, type ChangePlan } from "../../../src/blast/env/transaction.ts";
import { undo } from "../../../src/blast/env/undo.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { createBareVenv, createWheel, snapshotTree } from "../../support/blast-env.ts";
import { disturbed, SimulatedCrash } from "../../support/crash.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

// Hundreds of small installs; a file system in memory makes each of them a few milliseconds.
setDefaultTimeout(120_000);
const parent = existsSync("/dev/shm") ? "/dev/shm" : tmpdir();

const command = "blast install";
const noStore = { get: () => undefined };

/** An environment with two packages, and a plan that upgrades, removes and installs. */
async function scene(work: Workspace): Promise<{ environment: Environment; plan: ChangePlan }> {
  const environment = openEnvironment(createBareVenv(work));
  const old = createWheel(work.at("store/old"), {
    name: "foo",
    version: "1.0",
    files: {
      "foo/__init__.py": "v = 1\n",
      "foo/gone.py": "",
      "space/a.py": "a = 1\n",
      "foo-1.0.data/data/share/foo/x.txt": "1",
    },
    entryPoints: "[console_scripts]\nfoo = foo:main\n",
  });
  const other = createWheel(work.at("store/other"), {
    name: "other",
    files: { "other.py": "", "space/b.py": "b = 1\n" },
  });
  const marked = ["asked", "unasked"].map((name) =>
    createWheel(work.at(`store/${name}`), {
      name,
      files: { [`${name}.py`]: "", [`${name}-1.0.dist-info/licenses/LICENSE`]: "free" },
    }),
  );
  const install = [old, other, ...marked].map((wheel) => ({
    wheel,
    requested: wheel.name !== "asked",
  }));
  await applyChanges(environment, { remove: [], install }, { command });
  const site = environment.paths.purelib;
  work.write(`${site.slice(work.path.length + 1)}/space/__pycache__/a.cpython-311.pyc`, "pyc");
  work.write(`${site.slice(work.path.length + 1)}/foo/mine.txt`, "the user's own");
  work.write("pyproject.toml", "before");
  const fresh = createWheel(work.at("store/new"), {
    name: "foo",
    version: "2.0",
    files: { "foo/__init__.py": "v = 2\n", "foo/new/deep.py": "", "space/a.py": "a = 2\n" },
    entryPoints: "[console_scripts]\nfoo = foo:main\nfoo2 = foo:main\n",
  });
  const third = createWheel(work.at("store/third"), {
    name: "third",
    files: { "third/__init__.py": "", "space/c.py": "" },
  });
  const removed = environment.installed().filter(({ name }) => name === "other");
  const mark = environment
    .installed()
    .filter(({ name }) => /asked/.test(name))
    .map((distribution) => ({ distribution, requested: distribution.name === "asked" }));
  return {
    environment,
    plan: {
      remove: removed,
      install: [fresh, third].map((wheel) => ({ wheel, requested: false })),
      mark,
    },
  };
}

/** What must hold at any moment: everything of a package is there that looks installed. */
function expectWholePackages(environment: Environment): void {
  for (const distribution of environment.installed()) {
    const record = distribution.record();
    expect(record?.length).toBeGreaterThan(0);
    const tree = snapshotTree(distribution.site);
    for (const { path } of record ?? []) {
      if (!path.startsWith("..")) expect(Object.keys(tree)).toContain(path);
    }
  }
}

function stateNames(environment: Environment): string[] {
  return readdirSync(`${environment.root}/.blast`).filter((name) => /^(open|trash)/.test(name));
}

/** The trees before and after, from an undisturbed run. */
async function bothStates(run: Run): Promise<{ old: object; fresh: object; calls: number }> {
  using work = createWorkspace(parent);
  const { environment, plan } = await scene(work);
  const go = await run(environment, plan, work);
  const old = visible(environment, work);
  const { calls, outcome } = await disturbed({ at: 1e9, kind: "crash" }, go);
  expect(outcome).not.toBeInstanceOf(Error);
  return { old, fresh: visible(environment, work), calls };
}

type Run = (e: Environment, plan: ChangePlan, work: Workspace) => Promise<() => Promise<unknown>>;

const applying: Run = async (environment, plan, work) => async () => {
  const manifests = [{ path: work.at("pyproject.toml"), before: "before", after: "after" }];
  return await applyChanges(environment, plan, { command, manifests });
};

const undoing: Run = async (environment, plan, work) => {
  await (await applying(environment, plan, work))();
  return async () => await undo(environment, noStore, { command: "blast undo" });
};

/** The environment and the manifest; the workspace's own path is in the scripts. */
function visible(environment: Environment, work: Workspace): Record<string, string> {
  const tree = snapshotTree(environment.root);
  tree["pyproject.toml"] = snapshotTree(work.path, /^(venv|store)$/)["pyproject.toml"] ?? "";
  for (const [path, content] of Object.entries(tree)) {
    tree[path] = content.replaceAll(work.path, "");
    // Hashes and sizes of scripts, which name the workspace.
    if (path.endsWith("/RECORD")) tree[path] = content.replaceAll(/(bin\/\w+,).*/g, "$1");
  }
  return tree;
}

for (const [name, run] of Object.entries({ applying, undoing })) {
  test(`${name}: a crash at any call leaves the old state or the new one`, async () => {
    const { old, fresh, calls } = await bothStates(run);
    expect(calls).toBeGreaterThan(40);
    let olds = 0;
    for (let at = 1; at <= calls; at++) {
      using work = createWorkspace(parent);
      const { environment, plan } = await scene(work);
      const go = await run(environment, plan, work);
      const { outcome } = await disturbed({ at, kind: "crash" }, go);
      expect(outcome).toBeInstanceOf(SimulatedCrash);
      expectWholePackages(environment);
      recover(environment, "blast list");
      const now = visible(environment, work);
      const isOld = Bun.deepEquals(now, old);
      if (!isOld) expect(now).toEqual(fresh as Record<string, string>);
      expect(stateNames(environment)).toEqual([]);
      if (isOld) olds++;
    }
    // Both ends were seen.
    expect(olds).toBeGreaterThan(20);
    expect(olds).toBeLessThan(calls);
  });

  test(`${name}: where any call fails, nothing is changed, or all of it`, async () => {
    const { old, fresh, calls } = await bothStates(run);
    for (const [index, kind] of (["EIO", "ENOSPC", "EACCES"] as const).entries()) {
      // Every call fails in one way or another.
      for (let at = 1 + index; at <= calls; at += 3) {
        using work = createWorkspace(parent);
        const { environment, plan } = await scene(work);
        const go = await run(environment, plan, work);
        const { outcome } = await disturbed({ at, kind }, go);
        if (outcome instanceof Error) expect(outcome).toBeInstanceOf(Fault);
        const expected = outcome instanceof Error ? old : fresh;
        expect(visible(environment, work)).toEqual(expected as Record<string, string>);
        recover(environment, "blast list");
        expect(visible(environment, work)).toEqual(expected as Record<string, string>);
      }
    }
  });
}

test("a recovery that is cut short itself is finished by the next one", async () => {
  const { old, calls } = await bothStates(applying);
  for (let first = 10; first <= calls; first += 7) {
    for (let second = 1; second < 40; second += 4) {
      using work = createWorkspace(parent);
      const { environment, plan } = await scene(work);
      const go = await applying(environment, plan, work);
      await disturbed({ at: first, kind: "crash" }, go);
      const wasDone = readdirSync(`${environment.root}/.blast`).includes("done-2");
      await disturbed({ at: second, kind: "crash" }, () => recover(environment, "a"));
      recover(environment, "b");
      if (!wasDone) expect(visible(environment, work)).toEqual(old as Record<string, string>);
    }
  }
});

test("a manifest that cannot be written takes the whole change back", async () => {
  using work = createWorkspace(parent);
  const { environment, plan } = await scene(work);
  const old = visible(environment, work);
  const manifests = [
    { path: work.at("pyproject.toml"), before: "before", after: "after" },
    { path: work.at("no/such/folder/blast.toml"), before: null, after: "x" },
  ];
  const failed = await applyChanges(environment, plan, { command, manifests }).catch(
    (error: unknown) => error,
  );
  expect(failed).toMatchObject({ code: "E_IO" });
  expect(visible(environment, work)).toEqual(old);
});

/** As if the machine had been started again since the last transaction. */
function reboot(work: Workspace): void {
  work.write("venv/.blast/unsettled", "another boot\n");
}

test("after a power cut, what has not reached the disk is taken back", async () => {
  for (const lost of ["foo/__init__.py", "foo-2.0.dist-info/RECORD", "../../../bin/foo2"]) {
    using work = createWorkspace(parent);
    const { environment, plan } = await scene(work);
    const old = visible(environment, work);
    await (await applying(environment, plan, work))();
    const path = join(environment.paths.purelib, lost);
    rmSync(path);
    writeFileSync(path, "");
    reboot(work);
    expect(recover(environment, "blast list").takenBack).toEqual([command]);
    expect(visible(environment, work)).toEqual(old);
    expect(readdirSync(`${environment.root}/.blast`).sort()).toEqual(["done-1", "lock"]);
  }
});

test("after a power cut that lost nothing, nothing happens, and only once", async () => {
  using work = createWorkspace(parent);
  const { environment, plan } = await scene(work);
  await (await applying(environment, plan, work))();
  const fresh = visible(environment, work);
  reboot(work);
  expect(recover(environment, "blast list").takenBack).toEqual([]);
  expect(visible(environment, work)).toEqual(fresh);
  expect(existsSync(`${environment.root}/.blast/unsettled`)).toBe(false);
});

test("a crash while a lost transaction is taken back is made good by the next one", async () => {
  for (let at = 1; at < 60; at++) {
    using work = createWorkspace(parent);
    const { environment, plan } = await scene(work);
    const old = visible(environment, work);
    await (await applying(environment, plan, work))();
    const path = join(environment.paths.purelib, "foo/new/deep.py");
    rmSync(path);
    writeFileSync(path, "torn");
    reboot(work);
    await disturbed({ at, kind: "crash" }, () => recover(environment, "a"));
    recover(environment, "b");
    expect(visible(environment, work)).toEqual(old);
  }
});

test("what somebody put in the place of an old file is not lost", async () => {
  using work = createWorkspace(parent);
  const { environment, plan } = await scene(work);
  const old = visible(environment, work);
  const { calls } = await bothStates(applying);
  for (let at = calls; at > 0; at--) {
    using other = createWorkspace(parent);
    const again = await scene(other);
    const go = await applying(again.environment, again.plan, other);
    await disturbed({ at, kind: "crash" }, go);
    const place = join(again.environment.paths.purelib, "other.py");
    const isOpen = stateNames(again.environment).some((name) => name.startsWith("open"));
    if (existsSync(place) || !isOpen) continue;
    // Here the old file lies aside, and another program makes a new one.
    writeFileSync(place, "intruder");
    const { displaced } = recover(again.environment, "blast list");
    expect(displaced).toEqual(["lib/python3.11/site-packages/other.py"]);
    expect(visible(again.environment, other)).toEqual(old);
    const kept = snapshotTree(join(again.environment.root, ".blast/displaced-2"));
    expect(Object.values(kept)).toEqual(["644 intruder"]);
    expect(plan.install).toHaveLength(2);
    return;
  }
  expect.unreachable();
});

test("a journal of another format, or tampered with, is not guessed at", async () => {
  for (const [from, to] of [
    ['"format":1', '"format":2'],
    ['".blast/open-2/old/0"', '"../../out"'],
  ] as const) {
    using work = createWorkspace(parent);
    const { environment, plan } = await scene(work);
    const go = await applying(environment, plan, work);
    // In the middle of the links: the journal is whole by then.
    await disturbed({ at: 40, kind: "crash" }, go);
    expect(stateNames(environment)).toEqual(["open-2"]);
    const path = work.at("venv/.blast/open-2/journal.json");
    const text = readFileSync(path, "utf8");
    expect(text).toContain(from);
    writeFileSync(path, text.replace(from, to));
    const before = snapshotTree(environment.root, /^$/);
    expect(() => recover(environment, "blast list")).toThrow("is of another format");
    delete before[".blast/lock"];
    expect(snapshotTree(environment.root, /^\.blast\/lock$/)).toEqual(before);
  }
});
