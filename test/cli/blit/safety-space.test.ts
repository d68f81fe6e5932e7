import { expect, setDefaultTimeout } from "bun:test";
import { readdirSync } from "node:fs";
import { runBlit, runCommand } from "../../support/binary.ts";
import {
  cannotMount,
  type MountedFilesystem,
  mountFilesystem,
} from "../../support/loop-filesystem.ts";
import { type Holding, leftovers, partial, readHolding } from "../../support/safety.ts";
import { firstReason, testUnless } from "../../support/skip.ts";
import { differences, makeTree, type TreeOperation, treeToolsMissing } from "../../support/tree.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

// Other work on the machine may slow these down; none of them depends on time.
setDefaultTimeout(60_000);

/** A target that fills up: the run stops, what is complete stays, and a second run goes on. */

const KIB = 1024;
const MIB = 1024 * KIB;
const NEW = "1700000000123456789";
const OLD = "1600000000123456789";
const testFull = testUnless(firstReason(treeToolsMissing(), cannotMount("tmpfs")));

function files(count: number, size: number, mtimeNs = NEW): TreeOperation[] {
  return Array.from({ length: count }, (_, index) => ({
    op: "file",
    path: `folder-${index % 8}/file-${index}`,
    size,
    seed: index + (mtimeNs === OLD ? 1000 : 0),
    mtimeNs,
  }));
}

function flat(count: number, size: number): TreeOperation[] {
  return files(count, size).map((file, index) => ({ ...file, path: `flat-${index}` }));
}

/** Takes the limits of a tmpfs away, and goes on. */
async function makeRoom(full: MountedFilesystem): Promise<void> {
  const command = ["mount", "-o", "remount,size=512M,nr_inodes=100000", full.path];
  expect((await runCommand(command)).stderr).toBe("");
}

function checkStopped(work: Workspace, full: MountedFilesystem, before: Holding = new Map()): void {
  const now = readHolding(`${full.path}/target`);
  expect(partial(now, before, readHolding(work.at("source")))).toEqual([]);
  expect(leftovers(full.path)).toEqual([]);
}

testFull("a tree that does not fit", async () => {
  using work = createWorkspace();
  using full = mountFilesystem({ kind: "tmpfs", sizeBytes: 12 * MIB });
  makeTree(work.folder("source"), files(64, 400 * KIB));
  const command = ["copy", work.at("source/"), `${full.path}/target`];
  const run = await runBlit(command);
  expect(run.code).toBe(4);
  expect(run.stderr).toContain("no space left on device");
  expect(run.stderr).toContain(
    "warning: the target is full: the transfer was stopped, unfinished files were removed\n" +
      "hint: make room and run the same command again; it goes on where this one stopped\n",
  );
  checkStopped(work, full);
  const kept = [...readHolding(`${full.path}/target`).values()].filter((e) => e.type === "file");
  // How many were whole by then is the scheduler's.
  expect(kept.length).toBeGreaterThan(0);
  await makeRoom(full);
  const again = await runBlit([...command, "--json"]);
  expect([again.code, JSON.parse(again.stdout).upToDate]).toEqual([0, kept.length]);
  expect(differences(work.at("source"), `${full.path}/target`)).toBe("");
});

for (const size of [5 * KIB, 300 * KIB]) {
  testFull(`new folders keep the files of ${size} bytes that are counted`, async () => {
    using work = createWorkspace();
    using full = mountFilesystem({ kind: "tmpfs", sizeBytes: 200 * size });
    makeTree(work.folder("source"), files(400, size));
    const command = ["copy", "--json", work.at("source/"), `${full.path}/target`];
    const run = await runBlit(command);
    const told = JSON.parse(run.stdout);
    checkStopped(work, full);
    const kept = [...readHolding(`${full.path}/target`).values()].filter((e) => e.type === "file");
    expect([run.code, told.files, told.bytes]).toEqual([4, kept.length, kept.length * size]);
    expect(kept.length).toBeGreaterThan(0);
    await makeRoom(full);
    const again = await runBlit(command);
    expect([again.code, JSON.parse(again.stdout).upToDate]).toEqual([0, kept.length]);
    expect(differences(work.at("source"), `${full.path}/target`)).toBe("");
  });
}

testFull("a folder that has become the target goes on by its content", async () => {
  using work = createWorkspace();
  using full = mountFilesystem({ kind: "tmpfs", sizeBytes: 2 * MIB });
  makeTree(work.folder("source"), [...files(8, KIB), ...flat(60, 50 * KIB)]);
  const target = `${full.path}/target`;
  const run = await runBlit(["copy", work.at("source"), target]);
  expect([run.code, run.stderr]).toEqual([
    4,
    expect.stringContaining(
      `run the same command with "${work.at("source")}/" as its source again;`,
    ),
  ]);
  await makeRoom(full);
  expect((await runBlit(["copy", `${work.at("source")}/`, target])).code).toBe(0);
  expect(differences(work.at("source"), target)).toBe("");
});

testFull("a single file that does not fit leaves nothing", async () => {
  using work = createWorkspace();
  using full = mountFilesystem({ kind: "tmpfs", sizeBytes: 16 * MIB });
  makeTree(work.path, [{ op: "file", path: "huge", size: 80 * MIB, mtimeNs: NEW }]);
  const run = await runBlit(["copy", work.at("huge"), full.path]);
  expect([run.code, run.stderr]).toEqual([1, expect.stringContaining("the target is full")]);
  expect(readdirSync(full.path)).toEqual([]);
});

testFull(
  "a mirror that runs out of space deletes nothing and replaces only whole files",
  async () => {
    using work = createWorkspace();
    using full = mountFilesystem({ kind: "tmpfs", sizeBytes: 12 * MIB });
    makeTree(work.folder("source"), files(40, 500 * KIB));
    makeTree(work.folder("older"), [
      ...files(8, 600 * KIB, OLD),
      { op: "file", path: "stray", size: 200 * KIB, mtimeNs: OLD },
    ]);
    const before = readHolding(work.at("older"));
    await runCommand(["cp", "-a", work.at("older"), `${full.path}/target`]);
    const command = ["mirror", "--yes", work.at("source/"), `${full.path}/target`];
    const run = await runBlit(command);
    expect([run.code, run.stderr]).toEqual([4, expect.stringContaining("the target is full")]);
    expect(run.stderr).toContain("nothing was deleted: the target is full");
    checkStopped(work, full, before);
    expect(readHolding(`${full.path}/target`).get("stray")).toEqual(before.get("stray"));
    await makeRoom(full);
    const again = await runBlit(command);
    expect([again.code, again.stderr]).toEqual([0, again.stderr]);
    expect(differences(work.at("source"), `${full.path}/target`)).toBe("");
  },
);

testFull("no inodes left are no space left", async () => {
  using work = createWorkspace();
  const mountOptions = "nr_inodes=40";
  using full = mountFilesystem({ kind: "tmpfs", sizeBytes: 64 * MIB, mountOptions });
  makeTree(work.folder("source"), files(200, KIB));
  const command = ["copy", work.at("source/"), `${full.path}/target`];
  const run = await runBlit(command);
  expect([run.code, run.stderr]).toEqual([4, expect.stringContaining("the target is full")]);
  checkStopped(work, full);
  await makeRoom(full);
  expect((await runBlit(command)).code).toBe(0);
  expect(differences(work.at("source"), `${full.path}/target`)).toBe("");
});

testFull("a move to where it does not fit keeps every file", async () => {
  using work = createWorkspace();
  using full = mountFilesystem({ kind: "tmpfs", sizeBytes: 12 * MIB });
  makeTree(work.folder("source"), files(40, 500 * KIB));
  await runCommand(["cp", "-a", work.at("source"), work.at("pristine")]);
  const command = ["move", work.at("source/"), `${full.path}/target`];
  const run = await runBlit(command);
  expect([run.code, run.stderr]).toEqual([4, expect.stringContaining("the target is full")]);
  // Nothing is removed from a source of which a part has not arrived.
  expect(differences(work.at("pristine"), work.at("source"))).toBe("");
  await makeRoom(full);
  expect((await runBlit(command)).code).toBe(0);
  expect(differences(work.at("pristine"), `${full.path}/target`)).toBe("");
  expect(readHolding(work.at("source")).size).toBe(0);
});
