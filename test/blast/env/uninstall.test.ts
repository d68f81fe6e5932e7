import { expect, test } from "bun:test";
import { symlinkSync } from "node:fs";
import { openEnvironment } from "../../../src/blast/env/environment.ts";
import { applyChanges } from "../../../src/blast/env/transaction.ts";
import { createBareVenv, createWheel, snapshotTree } from "../../support/blast-env.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

const SITE = "venv/lib/python3.11/site-packages";

function scene(work: Workspace) {
  const environment = openEnvironment(createBareVenv(work));
  const before = snapshotTree(environment.root);
  const removeAll = async () => {
    const remove = environment.installed();
    return await applyChanges(environment, { remove, install: [] }, { command: "test" });
  };
  return { environment, before, removeAll };
}

/** A distribution by its RECORD alone, as any installer may have left it. */
function record(work: Workspace, lines: readonly string[]): void {
  work.write(`${SITE}/foo-1.0.dist-info/METADATA`, "Name: foo\nVersion: 1.0\n");
  const all = [...lines, "foo-1.0.dist-info/METADATA", "foo-1.0.dist-info/RECORD"];
  work.write(`${SITE}/foo-1.0.dist-info/RECORD`, all.map((path) => `${path},,\n`).join(""));
}

test("paths that leave the environment are left alone, and told", async () => {
  using work = createWorkspace();
  const { environment, before, removeAll } = scene(work);
  const outside = work.write("precious", "x");
  const relative = "../../../../precious";
  record(work, ["foo.py", relative, outside, "a/../../../../../precious", "..", "/"]);
  work.write(`${SITE}/foo.py`);
  const { notes } = await removeAll();
  expect(notes.filter((note) => note.includes("outside of the environment"))).toHaveLength(4);
  expect(snapshotTree(environment.root)).toEqual(before);
  expect(snapshotTree(work.path, /^venv$/)).toEqual({ precious: "644 x" });
});

test("the environment's own folders and interpreter do not go with a package", async () => {
  using work = createWorkspace();
  const { environment, before, removeAll } = scene(work);
  record(work, ["../../../bin", "../../../lib", "../site-packages", "../../../pyvenv.cfg/x"]);
  await removeAll();
  expect(snapshotTree(environment.root)).toEqual(before);
});

test("nothing is removed through a symbolic link", async () => {
  using work = createWorkspace();
  const { removeAll } = scene(work);
  work.write("sources/foo/__init__.py", "mine");
  symlinkSync(work.at("sources/foo"), work.at(SITE, "foo"));
  symlinkSync(work.at("sources"), work.at(SITE, "link.py"));
  record(work, ["foo/__init__.py", "link.py"]);
  const { notes } = await removeAll();
  expect(notes).toEqual([
    'left what RECORD lists below "lib/python3.11/site-packages/foo", which is no folder',
  ]);
  expect(snapshotTree(work.at("sources"))).toMatchObject({ "foo/__init__.py": "644 mine" });
  // The link itself was listed.
  expect(Object.keys(snapshotTree(work.at(SITE)))).toEqual(["foo"]);
});

test("files that nobody lists stay, with their folders", async () => {
  using work = createWorkspace();
  const { environment, removeAll } = scene(work);
  const wheel = createWheel(work.at("store"), {
    name: "foo",
    files: { "foo/__init__.py": "", "foo/sub/a.py": "", "foo/other/b.py": "" },
  });
  const install = [{ wheel, requested: true }];
  await applyChanges(environment, { remove: [], install }, { command: "test" });
  work.write(`${SITE}/foo/sub/cache.db`, "user data");
  work.write(`${SITE}/foo/sub/__pycache__/a.cpython-311.pyc`, "");
  work.write(`${SITE}/foo/sub/__pycache__/a.cpython-311.opt-2.pyc`, "");
  work.write(`${SITE}/foo/other/__pycache__/b.cpython-312.pyc`, "");
  work.write(`${SITE}/foo/other/__pycache__/numba.nbi`, "");
  await removeAll();
  const left = Object.keys(snapshotTree(work.at(SITE)));
  expect(left.filter((path) => !path.endsWith("/"))).toEqual([
    "foo/other/__pycache__/numba.nbi",
    "foo/sub/cache.db",
  ]);
});

test("what pip's old way installed is removed by its list", async () => {
  using work = createWorkspace();
  const { environment, before, removeAll } = scene(work);
  work.write(`${SITE}/old-1.0-py3.11.egg-info/PKG-INFO`, "Name: old\nVersion: 1.0\n");
  work.write(
    `${SITE}/old-1.0-py3.11.egg-info/installed-files.txt`,
    "../old/__init__.py\n../../../../bin/old\nPKG-INFO\n",
  );
  work.write(`${SITE}/old/__init__.py`);
  work.write("venv/bin/old");
  await removeAll();
  expect(snapshotTree(environment.root)).toEqual(before);
});

test("what does not say which files it has is refused, with what to do", async () => {
  using work = createWorkspace();
  const { environment, removeAll } = scene(work);
  const cases: Record<string, [path: string, content: string, message: string]> = {
    egg: ["w-1.0.egg/EGG-INFO/PKG-INFO", "Name: w\nVersion: 1\n", "it is an egg"],
    distutils: ["d-1.0.egg-info", "Name: d\nVersion: 1\n", "distutils does not say"],
    info: ["i-1.0.egg-info/PKG-INFO", "Name: i\nVersion: 1\n", "nothing says which files"],
    noRecord: ["n-1.0.dist-info/METADATA", "Name: n\nVersion: 1\n", "has no RECORD"],
    link: ["l.egg-link", `${work.path}\n`, "development install"],
  };
  work.write("l.egg-info/PKG-INFO", "Name: l\nVersion: 1\n");
  for (const [path, content, message] of Object.values(cases)) {
    work.write(`${SITE}/${path}`, content);
    const before = snapshotTree(environment.root);
    await expect(removeAll()).rejects.toThrow(message);
    expect(snapshotTree(environment.root)).toEqual(before);
    Bun.spawnSync(["rm", "-r", work.at(SITE, path.split("/")[0] ?? "")]);
  }
});

test("a lost RECORD: whoever installed it can write it again", async () => {
  using work = createWorkspace();
  const { removeAll } = scene(work);
  work.write(`${SITE}/n-1.0.dist-info/METADATA`, "Name: n\nVersion: 1\n");
  await expect(removeAll()).rejects.toMatchObject({
    hint: "put it in order with: blast check --repair",
  });
  work.write(`${SITE}/n-1.0.dist-info/INSTALLER`, "pip\n");
  await expect(removeAll()).rejects.toMatchObject({
    hint: "put it in order with: pip install --force-reinstall --no-deps n==1.0",
  });
});
