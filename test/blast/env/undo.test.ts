import { expect, test } from "bun:test";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { type Environment, openEnvironment } from "../../../src/blast/env/environment.ts";
import type { WheelSource } from "../../../src/blast/env/install-item.ts";
import { applyChanges } from "../../../src/blast/env/transaction.ts";
import { undo } from "../../../src/blast/env/undo.ts";
import { createBareVenv, createWheel, snapshotTree } from "../../support/blast-env.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

const command = "blast install";
const SITE = "venv/lib/python3.11/site-packages";

function scene(work: Workspace) {
  const environment = openEnvironment(createBareVenv(work));
  const store = new Map<string, WheelSource>();
  const install = async (name: string, version: string, requested = true) => {
    const wheel = createWheel(work.at(`store/${name}-${version}`), {
      name,
      version,
      files: { [`${name}/__init__.py`]: version, [`${name}/only_${version}.py`]: "" },
    });
    store.set(wheel.sha256, wheel);
    const items = [{ wheel, requested }];
    return await applyChanges(environment, { remove: [], install: items }, { command });
  };
  const back = async () => await undo(environment, store, { command: "blast undo" });
  return { environment, store, install, back };
}

function versions(environment: Environment): string[] {
  return environment.installed().map(({ name, version }) => `${name} ${version}`);
}

test("changes are taken back one by one: from kept files, then from the store", async () => {
  using work = createWorkspace();
  const { environment, install, back } = scene(work);
  const trees = [snapshotTree(environment.root)];
  for (const [name, version] of [
    ["a", "1"],
    ["b", "1"],
    ["a", "2"],
  ] as const) {
    await install(name, version, name === "a");
    trees.push(snapshotTree(environment.root));
  }
  for (const [count, expected] of [["a 1", "b 1"], ["a 1"], []].entries()) {
    expect((await back()).command).toBe(command);
    expect(versions(environment)).toEqual(expected);
    expect(snapshotTree(environment.root)).toEqual(trees[2 - count] ?? {});
  }
  await expect(back()).rejects.toThrow("no earlier change is recorded");
});

test("what another installer had put there comes back, files of nobody's included", async () => {
  using work = createWorkspace();
  const { environment, install, back } = scene(work);
  work.write(`${SITE}/a-0.5.dist-info/METADATA`, "Name: a\nVersion: 0.5\n");
  work.write(`${SITE}/a-0.5.dist-info/INSTALLER`, "pip\n");
  const lines = ["a/__init__.py", "a-0.5.dist-info/METADATA", "a-0.5.dist-info/RECORD"];
  work.write(`${SITE}/a-0.5.dist-info/RECORD`, lines.map((path) => `${path},,\n`).join(""));
  work.write(`${SITE}/a/__init__.py`, "0.5");
  const before = snapshotTree(environment.root);
  await install("a", "1");
  work.write(`${SITE}/a/notes.txt`, "written since");
  const { removed, installed } = await back();
  expect(removed).toMatchObject([{ name: "a", version: "1" }]);
  expect(installed).toMatchObject([{ name: "a", version: "0.5", requested: false }]);
  const after = snapshotTree(environment.root);
  expect(after["lib/python3.11/site-packages/a/notes.txt"]).toBe("644 written since");
  delete after["lib/python3.11/site-packages/a/notes.txt"];
  expect(after).toEqual(before);
});

test("what the store has lost as well is told, and nothing is done", async () => {
  using work = createWorkspace();
  const { environment, store, install, back } = scene(work);
  await install("a", "1");
  await install("a", "2");
  rmSync(work.at("venv/.blast/done-2/old"), { recursive: true });
  store.clear();
  const before = snapshotTree(environment.root);
  await expect(back()).rejects.toThrow('Cannot undo "blast install": the files of a 1 are gone');
  expect(snapshotTree(environment.root)).toEqual(before);
});

test("packages that something else has changed since are not touched", async () => {
  using work = createWorkspace();
  const { environment, install, back } = scene(work);
  await install("a", "1");
  Bun.spawnSync(["mv", work.at(SITE, "a-1.dist-info"), work.at(SITE, "a-3.dist-info")]);
  await expect(back()).rejects.toThrow('"a" has been changed since');
  expect(versions(environment)).toEqual(["a 3"]);
});

test("manifests go back with it, unless they were edited since", async () => {
  using work = createWorkspace();
  const { environment, back } = scene(work);
  for (const [name, before, after] of [
    ["pyproject.toml", "old", "new"],
    ["blast.toml", null, "made"],
  ] as const) {
    const path = work.at(name);
    if (before !== null) work.write(name, before);
    const manifests = [{ path, before, after }];
    await applyChanges(environment, { remove: [], install: [] }, { command, manifests });
    expect(readFileSync(path, "utf8")).toBe(after);
  }
  expect((await back()).keptManifests).toEqual([]);
  expect(readdirSync(work.path)).not.toContain("blast.toml");
  work.write("pyproject.toml", "edited");
  expect((await back()).keptManifests).toEqual([work.at("pyproject.toml")]);
  expect(readFileSync(work.at("pyproject.toml"), "utf8")).toBe("edited");
});

test("the history does not grow without end", async () => {
  using work = createWorkspace();
  const { environment, install } = scene(work);
  for (let round = 0; round < 55; round++) await install("a", `${1 + (round % 2)}`);
  const names = readdirSync(work.at("venv/.blast"));
  expect(names.filter((name) => name.startsWith("done"))).toHaveLength(50);
  const kept = names.filter((name) => entriesOf(work, name).includes("old"));
  expect(kept).toEqual(["done-55"]);
  expect(versions(environment)).toEqual(["a 1"]);
});

function entriesOf(work: Workspace, name: string): string[] {
  return name.startsWith("done") ? readdirSync(work.at("venv/.blast", name)) : [];
}
