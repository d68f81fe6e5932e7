import { expect, test } from "bun:test";
import { appendFileSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { checkEnvironment } from "../../../src/blast/env/check.ts";
import { openEnvironment } from "../../../src/blast/env/environment.ts";
import type { WheelSource } from "../../../src/blast/env/install-item.ts";
import { repair } from "../../../src/blast/env/repair.ts";
import { applyChanges } from "../../../src/blast/env/transaction.ts";
import { createBareVenv, createWheel, snapshotTree } from "../../support/blast-env.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

const command = "test";

/** Two packages in an environment, by copies, so that nothing here reaches the store. */
async function scene(work: Workspace) {
  const environment = openEnvironment(createBareVenv(work));
  const wheels = [
    createWheel(work.at("store/foo"), {
      name: "foo",
      files: { "foo/__init__.py": "v = 1\n", "foo/data.bin": "data", "single.py": "" },
      entryPoints: "[console_scripts]\nfoo = foo:main\n",
    }),
    createWheel(work.at("store/bar"), { name: "bar", files: { "bar/__init__.py": "" } }),
  ];
  const store = new Map<string, WheelSource>(wheels.map((wheel) => [wheel.sha256, wheel]));
  const install = wheels.map((wheel) => ({ wheel, requested: wheel.name === "foo" }));
  await applyChanges(environment, { remove: [], install }, { command, linkMode: "copy" });
  const site = environment.paths.purelib;
  const found = () =>
    checkEnvironment(environment, { store }).map(({ kind, path }) => [kind, path]);
  return { environment, store, site, found };
}

const SITE = "lib/python3.11/site-packages";

test("a fresh install is as it was recorded, bytecode and all", async () => {
  using work = createWorkspace();
  const { found, site } = await scene(work);
  mkdirSync(join(site, "foo/__pycache__"));
  writeFileSync(join(site, "foo/__pycache__/__init__.cpython-311.pyc"), "x");
  mkdirSync(join(site, "__pycache__"));
  writeFileSync(join(site, "__pycache__/single.cpython-311.opt-1.pyc"), "x");
  expect(found()).toEqual([]);
});

test("missing, changed and foreign files are found, and what is ours is mended", async () => {
  using work = createWorkspace();
  const { environment, store, site, found } = await scene(work);
  const before = snapshotTree(environment.root);
  rmSync(join(site, "foo/data.bin"));
  // Of the same size: only the content tells.
  writeFileSync(join(site, "foo/__init__.py"), "v = 2\n");
  appendFileSync(join(site, "bar/__init__.py"), "more");
  writeFileSync(join(environment.root, "bin/foo"), "#!/nowhere/bin/python\n");
  rmSync(join(site, "bar-1.0.dist-info/RECORD"));
  writeFileSync(join(site, "evil.pth"), "import os");
  mkdirSync(join(site, "~oo-1.0.dist-info"));
  mkdirSync(join(site, "foreign/deep"), { recursive: true });
  mkdirSync(join(site, "foo/__pycache__"));
  writeFileSync(join(site, "foo/__pycache__/vanished.cpython-311.pyc"), "x");
  expect(found().sort()).toEqual(
    [
      ["broken-record", `${SITE}/bar-1.0.dist-info`],
      ["broken-script", "bin/foo"],
      ["changed", "bin/foo"],
      ["changed", `${SITE}/bar/__init__.py`],
      ["changed", `${SITE}/foo/__init__.py`],
      ["foreign", `${SITE}/evil.pth`],
      ["foreign", `${SITE}/foo/__pycache__/vanished.cpython-311.pyc`],
      ["foreign", `${SITE}/foreign`],
      ["foreign", `${SITE}/~oo-1.0.dist-info`],
      ["missing", `${SITE}/bar-1.0.dist-info/RECORD`],
      ["missing", `${SITE}/foo/data.bin`],
    ].sort(),
  );
  const findings = checkEnvironment(environment, { store });
  const result = await repair(environment, findings, store, { command, linkMode: "copy" });
  expect(result.mended.map(String).sort()).toEqual(["bar", "foo"]);
  expect([...new Set(result.left.map(({ finding }) => finding.kind))]).toEqual(["foreign"]);
  rmSync(join(site, "evil.pth"));
  rmSync(join(site, "~oo-1.0.dist-info"), { recursive: true });
  rmSync(join(site, "foreign"), { recursive: true });
  rmSync(join(site, "foo/__pycache__"), { recursive: true });
  expect(found()).toEqual([]);
  expect(snapshotTree(environment.root)).toEqual(before);
});

test("a RECORD that was changed to fit is noticed by the store", async () => {
  using work = createWorkspace();
  const { environment, found, site } = await scene(work);
  const [bar] = environment.installed();
  writeFileSync(join(site, "bar/__init__.py"), "evil\n");
  const text = bar?.readFile("RECORD") ?? "";
  const changed = text.replace(/^bar\/__init__.*$/m, "bar/__init__.py,,");
  writeFileSync(join(site, "bar-1.0.dist-info/RECORD"), changed);
  expect(checkEnvironment(environment)).toEqual([]);
  expect(found().sort()).toEqual([
    ["changed", `${SITE}/bar-1.0.dist-info/RECORD`],
    ["changed", `${SITE}/bar/__init__.py`],
  ]);
});

test("what blast did not install, or the store has lost, is left with a reason", async () => {
  using work = createWorkspace();
  const { environment, site } = await scene(work);
  rmSync(join(site, "foo/data.bin"));
  rmSync(join(site, "bar/__init__.py"));
  writeFileSync(join(site, "bar-1.0.dist-info/INSTALLER"), "pip\n");
  const findings = checkEnvironment(environment);
  const result = await repair(environment, findings, new Map(), { command });
  expect(result.mended).toEqual([]);
  const left = result.left.map(({ finding, reason }) => [`${finding.packages[0]}`, reason]);
  expect(left.sort()).toEqual([
    ["bar", "blast did not install it"],
    ["bar", "blast did not install it"],
    ["foo", "its wheel is not in the store any more, or damaged there"],
  ]);
});

test("two owners who differ, paths that lead out and two of one name are told", async () => {
  using work = createWorkspace();
  const { environment, found, site } = await scene(work);
  work.write(`venv/${SITE}/thief-1.dist-info/METADATA`, "Name: thief\nVersion: 1\n");
  work.write(
    `venv/${SITE}/thief-1.dist-info/RECORD`,
    "foo/data.bin,sha256=AAAA,4\n../../../../out,,\nthief-1.dist-info/RECORD,,\n" +
      "thief-1.dist-info/METADATA,,\n",
  );
  work.write(`venv/${SITE}/bar-2.0.dist-info/METADATA`, "Name: bar\nVersion: 2.0\n");
  work.write(
    `venv/${SITE}/bar-2.0.dist-info/RECORD`,
    "bar-2.0.dist-info/METADATA,,\nbar-2.0.dist-info/RECORD,,\n",
  );
  work.write(`venv/${SITE}/odd.dist-info/x`, "");
  expect(site).toContain(environment.root);
  expect(found().sort()).toEqual(
    [
      ["broken-record", `${SITE}/odd.dist-info`],
      ["doubly-owned", `${SITE}/foo/data.bin`],
      ["duplicate", undefined],
      ["outside", undefined],
    ].sort(),
  );
});
