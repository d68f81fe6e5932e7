import { expect, test } from "bun:test";
import { readFileSync, statSync } from "node:fs";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { openEnvironment } from "../../../src/blast/env/environment.ts";
import { type LinkMode, linkList, workOnLinks } from "../../../src/blast/env/link.ts";
import { LinkHelpers } from "../../../src/blast/env/link-helpers.ts";
import { applyChanges } from "../../../src/blast/env/transaction.ts";
import { ports } from "../../../src/blast/ports.ts";
import { createInstallWorker } from "../../../src/workers.ts";
import { createBareVenv, createWheel, snapshotTree } from "../../support/blast-env.ts";
import { cannotMount, mountFilesystem } from "../../support/loop-filesystem.ts";
import { testUnless } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

const SITE = "venv/lib/python3.11/site-packages";
const FILES = {
  "foo/__init__.py": "v = 1\n",
  "foo/run*": "#!/bin/sh\n",
  "foo-1.0.data/data/d": "",
};

async function install(work: Workspace, store: Workspace, linkMode?: LinkMode) {
  const environment = openEnvironment(createBareVenv(work));
  const wheel = createWheel(store.at("store"), { name: "foo", files: FILES });
  const options = { command: "test", ...(linkMode === undefined ? {} : { linkMode }) };
  return await applyChanges(
    environment,
    { remove: [], install: [{ wheel, requested: true }] },
    options,
  );
}

test("on one file system files are linked, and those that are written are not", async () => {
  using work = createWorkspace();
  expect((await install(work, work, "hardlink")).linkMode).toBe("hardlink");
  expect(statSync(work.at(SITE, "foo/__init__.py")).nlink).toBe(2);
  for (const name of ["RECORD", "INSTALLER", "REQUESTED"]) {
    expect(statSync(work.at(SITE, "foo-1.0.dist-info", name)).nlink).toBe(1);
  }
});

test("copies share nothing, and keep permission to execute", async () => {
  using work = createWorkspace();
  expect((await install(work, work, "copy")).linkMode).toBe("copy");
  expect(statSync(work.at(SITE, "foo/__init__.py")).nlink).toBe(1);
  expect(statSync(work.at(SITE, "foo/run")).mode & 0o111).toBe(0o111 & ~process.umask());
  expect(statSync(work.at(SITE, "foo/__init__.py")).mode & 0o111).toBe(0);
});

testUnless(cannotMount("btrfs"))("where blocks can be shared, files are clones", async () => {
  using disk = mountFilesystem({ kind: "btrfs", sizeBytes: 128 << 20 });
  using work = createWorkspace(disk.path);
  expect((await install(work, work)).linkMode).toBe("clone");
  expect(statSync(work.at(SITE, "foo/__init__.py")).nlink).toBe(1);
  expect(statSync(work.at(SITE, "foo/run")).mode & 0o100).toBe(0o100);
  expect(readFileSync(work.at(SITE, "foo/__init__.py"), "utf8")).toBe("v = 1\n");
});

testUnless(cannotMount("tmpfs"))("from another file system files are copied", async () => {
  using disk = mountFilesystem({ kind: "tmpfs", sizeBytes: 4 << 20 });
  using work = createWorkspace(disk.path);
  using elsewhere = createWorkspace();
  expect((await install(work, elsewhere)).linkMode).toBe("copy");
});

test("a file with too many names already is copied, and the next ones are linked", async () => {
  using work = createWorkspace();
  const { linkat } = sys;
  let calls = 0;
  sys.linkat = (...args) => (++calls === 1 ? -errno.EMLINK : linkat(...args));
  try {
    expect((await install(work, work, "hardlink")).linkMode).toBe("hardlink");
  } finally {
    sys.linkat = linkat;
  }
  expect(statSync(work.at(SITE, "foo/__init__.py")).nlink).toBe(1);
  expect(statSync(work.at(SITE, "foo/run")).nlink).toBe(2);
});

/** Enough files for helpers to be worth it. */
function large(work: Workspace) {
  const files: Record<string, string> = {};
  for (let i = 0; i < 1700; i++) files[`pkg/d${i % 40}/e${i % 3}/f${i}.py`] = `${i}`;
  return createWheel(work.at("store/large"), { name: "pkg", files });
}

test("several threads make the same tree as one", async () => {
  using work = createWorkspace();
  const wheel = large(work);
  const trees = [];
  ports.createInstallWorker = createInstallWorker;
  try {
    for (const threads of [1, 3]) {
      const environment = openEnvironment(createBareVenv(work, `venv${threads}`));
      const install = [{ wheel, requested: false }];
      await applyChanges(environment, { remove: [], install }, { command: "test", threads });
      trees.push(snapshotTree(environment.paths.purelib));
    }
  } finally {
    ports.createInstallWorker = undefined;
  }
  expect(Object.keys(trees[0] ?? {}).length).toBeGreaterThan(1700);
  expect(trees[0]).toEqual(trees[1] as Record<string, string>);
});

test("a failure in a thread ends the others, and is told", async () => {
  using work = createWorkspace();
  const { folder: tree, pathBytes, files } = large(work);
  const flags = new Uint8Array(files.length);
  const source = { tree, site: "site", pathBytes, flags };
  const missing = { ...source, tree: work.at("store/nowhere") };
  const list = linkList(work.folder("staging"), [missing, source, source]);
  ports.createInstallWorker = createInstallWorker;
  try {
    using helpers = LinkHelpers.forFiles(list.files, 3);
    helpers?.start(list, "hardlink");
    const failure = await helpers?.finish().catch((error: unknown) => error);
    expect(String(failure)).toMatch(/Cannot (open|write) .*: (no such file|it exists already)/);
    expect(() => workOnLinks(list, "hardlink")).not.toThrow();
  } finally {
    ports.createInstallWorker = undefined;
  }
});

test("where a wheel of the store is not what was unpacked, nothing is changed", async () => {
  using work = createWorkspace();
  const wheel = large(work);
  const environment = openEnvironment(createBareVenv(work));
  ports.createInstallWorker = createInstallWorker;
  try {
    using helpers = LinkHelpers.forFiles(wheel.files.length, 3);
    helpers?.compare([work.at("store/nowhere")]);
    const plan = { remove: [], install: [{ wheel, requested: false }] };
    const change = applyChanges(environment, plan, { command: "test", helpers });
    await expect(change).rejects.toThrow("what is in the store was changed");
    expect(await helpers?.areSound()).toBe(false);
  } finally {
    ports.createInstallWorker = undefined;
  }
  expect(Object.keys(snapshotTree(environment.paths.purelib))).toEqual([]);
});
