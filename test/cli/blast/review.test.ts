/** What a person runs into who changes a project by hand, end to end. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { blastWorld } from "../../support/blast-world.ts";
import { buildTree } from "../../support/build-tree.ts";
import { fakePython } from "../../support/fake-python.ts";

setDefaultTimeout(60_000);

test("what is recorded comes on top of requirements.txt", async () => {
  await using world = await blastWorld();
  for (const name of ["listed", "named"]) world.index.add({ name, version: "1.0" });
  world.write("requirements.txt", "listed\n");
  await world.ok("start");
  await world.ok("install", "named");
  await world.ok("sync");
  expect(world.installed()).toEqual({ listed: "1.0", named: "1.0" });
  const { stderr } = await world.ok("remove", "listed");
  expect(stderr).toContain("requirements.txt:1 asks for listed, and brings it back");
  // What blast exports says nothing of its own.
  world.write("requirements.txt", "# Made by blast from pylock.toml\nlisted==1.0\n");
  await world.ok("sync");
  expect(world.installed()).toEqual({ named: "1.0" });
});

test("another Python in the project's files makes the environment anew", async () => {
  await using world = await blastWorld();
  const { work } = world;
  for (const version of ["3.10.4", "3.11.5", "3.12.6"]) {
    fakePython(work, `home/.pyenv/versions/${version}`, { version });
  }
  const started = async (...args: string[]): Promise<unknown> => {
    const { stdout } = await world.ok("start", "--json", ...args);
    return JSON.parse(stdout).python.version;
  };
  world.write(".python-version", "3.11.5\n");
  expect(await started()).toBe("3.11.5");
  world.write(".python-version", "3.12.6\n");
  const { stderr, stdout } = await world.ok("start", "--json");
  expect(stderr).toContain("has Python 3.11.5, and");
  expect(stderr).toContain("asks for 3.12.6: the environment is made anew");
  expect(JSON.parse(stdout).python.version).toBe("3.12.6");
  expect(await started("--python", "3.10.4")).toBe("3.10.4");
  expect(await started()).toBe("3.10.4");
  // Nothing is taken apart for what is not there.
  world.write(".python-version", "3.77.1\n");
  const failed = await world.fails("start");
  expect(failed.stderr).not.toContain("made anew");
  world.write(".python-version", "3.11.5\n");
  expect(await started()).toBe("3.11.5");
});

test("a python that is misspelled is not found", async () => {
  await using world = await blastWorld();
  const { work } = world;
  work.write("home/.pyenv/shims/python3", "#!/bin/sh\n", { mode: 0o755 });
  work.write("home/.pyenv/version", "3.11.5\n");
  fakePython(work, "home/.pyenv/versions/3.11.5", { version: "3.11.5" });
  const env = { PATH: work.at("home/.pyenv/shims") };
  const { code, stderr } = await world.blast(["install", "--python", "nope", "x"], { env });
  expect([code, stderr.split("\n")[0]]).toEqual([
    1,
    expect.stringContaining("Cannot find nope (asked for by --python)"),
  ]);
  expect(world.has(".venv")).toBe(false);
});

test("the project itself is installed anew when it says something else of itself", async () => {
  await using world = await blastWorld();
  const put = (version: string): void => {
    const pyproject = `[project]\nname = "demo"\nversion = "${version}"\n`;
    const tree = buildTree({ version, pyproject });
    for (const [path, text] of Object.entries(tree)) world.work.write(`project/${path}`, text);
  };
  put("1.0");
  await world.ok("start");
  expect(world.installed()).toEqual({ demo: "1.0" });
  expect((await world.ok("sync")).stderr).toContain("Nothing to do");
  put("2.0");
  expect((await world.ok("sync")).stderr).toContain(" ~ demo 1.0 -> 2.0\n");
  expect(world.installed()).toEqual({ demo: "2.0" });
  expect((await world.ok("sync", "--locked")).stderr).toContain("Nothing to do");
});

test("what no file has a place for is installed and not recorded", async () => {
  await using world = await blastWorld();
  world.index.add({ name: "needy", version: "1.0", requires: ["other"] });
  world.index.add({ name: "other", version: "1.0" });
  for (const [path, text] of Object.entries(buildTree())) world.work.write(`tree/${path}`, text);
  await world.ok("install", "other");
  const record = world.read("blast.toml");
  const { stderr } = await world.ok("install", "-e", world.work.at("tree"));
  expect(stderr).toContain("Not recorded in the project: -e ");
  await world.ok("install", "--no-deps", "needy");
  expect(world.installed()).toEqual({ demo: "1.0", needy: "1.0", other: "1.0" });
  await world.fails("install", "--require-hashes", "needy");
  expect(world.read("blast.toml")).toBe(record);
});

test("a failed install speaks of the command line, not of an unwritten file", async () => {
  await using world = await blastWorld();
  world.index.add({ name: "there", version: "1.0" });
  const { stderr } = await world.fails("install", "there>=2");
  expect(stderr).toContain("you require there>=2 (the command line)");
  const none = await world.fails("install", "there>=2,<2");
  expect(none.stderr).toContain("you require there in a range that holds no version");
  expect((await world.fails(2, "install", "there=1")).stderr).toStartWith(
    'error: Cannot use "there=1": it is no requirement\n',
  );
});

test("every environment that blast makes is on the list", async () => {
  await using world = await blastWorld();
  world.index.add({ name: "there", version: "1.0" });
  await world.ok("install", "there");
  const { stdout } = await world.ok("list", "--envs", "--json");
  expect(JSON.parse(stdout)).toMatchObject({ path: join(world.project, ".venv"), state: "ready" });
});

test("bounds on one name count together, and go into one place", async () => {
  await using world = await blastWorld();
  world.index.add({ name: "there", version: "1.0" });
  for (const bounds of [
    ["there<1", "there>=1"],
    ["there>=1", "there<1"],
  ]) {
    const { stderr } = await world.fails("install", ...bounds);
    expect(stderr).toContain("you require there in a range that holds no version");
  }
  const both = await world.fails(2, "install", "--group", "a", "--optional", "b", "there");
  expect(both.stderr).toContain('Cannot record both in the group "a" and in the extra "b"');
  expect(world.has("blast.toml")).toBe(false);
  await world.ok("install", "there>=1", "there[more]<2");
  expect(world.read("blast.toml")).toContain('"there[more]<2,>=1"');
});

test("a project's file does not lead into another project's environment", async () => {
  await using world = await blastWorld();
  const { work } = world;
  const mine = work.folder("mine");
  const other = work.folder("other");
  work.write("mine/blast.toml", '[env]\nname = "mine"\n');
  expect((await world.blast(["start"], { cwd: mine })).code).toBe(0);
  work.write("other/blast.toml", '[env]\npath = "../mine/.venv"\n');
  for (const verb of ["start", "sync"]) {
    const { code, stderr } = await world.blast([verb], { cwd: other });
    expect([code, stderr]).toEqual([1, expect.stringContaining(`and belongs to "${mine}"`)]);
  }
  work.write("other/blast.toml", '[env]\npath = "../elsewhere"\n');
  for (const verb of ["start", "sync"]) {
    expect((await world.blast([verb], { cwd: other })).code).toBe(0);
  }
});
