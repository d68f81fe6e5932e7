import { expect, test } from "bun:test";
import { chmodSync, mkdirSync, readdirSync, rmSync, statSync, utimesSync } from "node:fs";
import { join } from "node:path";
import {
  type EnvironmentRecord,
  forgetEnvironment,
  listEnvironments,
  recordEnvironment,
  registryFolder,
} from "../../../src/blast/env/registry.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

function record(work: Workspace, name: string): EnvironmentRecord {
  work.write(`${name}/.venv/pyvenv.cfg`, "home = /x\n");
  work.write(`${name}/.venv/bin/python`, "");
  const python = { version: "3.12.1", path: "/x/python3" };
  return { path: work.at(name, ".venv"), name, project: work.at(name), python };
}

test("what is used is listed, the last used first, each once", () => {
  using work = createWorkspace();
  const environment = { HOME: work.path };
  const [one, two] = [record(work, "one"), record(work, "two")];
  for (const each of [one, two, one]) recordEnvironment(environment, each);
  const folder = registryFolder(environment);
  const files = readdirSync(folder);
  expect(files).toHaveLength(2);
  expect(statSync(join(folder, files[0] ?? "")).mode & 0o777).toBe(0o600);
  for (const file of files) utimesSync(join(folder, file), 1000, 1000);
  const created = listEnvironments(environment).find(({ name }) => name === "one")?.created;
  recordEnvironment(environment, one);
  const listed = listEnvironments(environment);
  expect(listed.map(({ name, state }) => [name, state])).toEqual([
    ["one", "ready"],
    ["two", "ready"],
  ]);
  expect(listed[0]?.created).toBe(created ?? "");
  expect(listed[1]?.lastUsed).toBe("1970-01-01T00:16:40.000Z");
  recordEnvironment(environment, { ...one, name: "renamed" });
  expect(listEnvironments(environment)[0]).toMatchObject({ name: "renamed", created });
});

test("what is gone or has lost its Python is told; damaged files do not disturb", () => {
  using work = createWorkspace();
  const environment = { HOME: work.path };
  for (const name of ["fine", "gone", "broken"]) {
    recordEnvironment(environment, record(work, name));
  }
  rmSync(work.at("gone"), { recursive: true });
  rmSync(work.at("broken/.venv/bin/python"));
  for (const [name, text] of [
    ["a.json", "{"],
    ["b.json", "{}"],
    ["c", ""],
  ] as const) {
    work.write(`.local/share/blast/environments/${name}`, text);
  }
  const states = listEnvironments(environment).map(({ name, state }) => [name, state]);
  expect(states.sort()).toEqual([
    ["broken", "broken"],
    ["fine", "ready"],
    ["gone", "gone"],
  ]);
  expect(forgetEnvironment(environment, work.at("gone/.venv"))).toBe(true);
  expect(forgetEnvironment(environment, work.at("gone/.venv"))).toBe(false);
  expect(listEnvironments(environment)).toHaveLength(2);
});

test("a home that cannot be written to is no failure", () => {
  using work = createWorkspace();
  const one = record(work, "one");
  work.write("home/.local", "a file is in the way");
  recordEnvironment({ HOME: work.at("home") }, one);
  expect(listEnvironments({ HOME: work.at("home") })).toEqual([]);
  mkdirSync(work.at("closed"));
  chmodSync(work.at("closed"), 0o500);
  recordEnvironment({ HOME: work.at("closed") }, one);
});
