/** blast remove, where the project records the name in another place; end to end. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { type BlastWorld, blastWorld } from "../../support/blast-world.ts";

setDefaultTimeout(60_000);

const PYPROJECT = `
[project]
name = "mine"
version = "0"
dependencies = ["app"]

[project.optional-dependencies]
more = ["plus"]

[dependency-groups]
dev = ["tool", { include-group = "check" }]
check = ["lint"]
`;

async function filled(): Promise<BlastWorld> {
  const world = await blastWorld();
  for (const name of ["app", "plus", "tool", "lint"]) world.index.add({ name });
  world.write("pyproject.toml", PYPROJECT);
  await world.ok("sync", "--extra", "more");
  return world;
}

describe("what is recorded elsewhere is not removed, and it is told where it is", () => {
  test.each([
    [["tool"], 'Cannot remove "tool": it is in the group "dev"', "--group dev takes"],
    [["app", "tool"], 'Cannot remove "tool": it is in the group "dev"', "--group dev takes"],
    [["lint"], 'Cannot remove "lint": it is in the group "check"', "--group check takes"],
    [
      ["--group", "dev", "lint"],
      'Cannot remove "lint": it is in the group "check"',
      "--group check takes",
    ],
    [["plus"], 'Cannot remove "plus": it is in the extra "more"', "--optional more takes"],
    [
      ["--group", "dev", "app"],
      'Cannot remove "app": it is in the project\'s dependencies',
      "without --group and --optional",
    ],
  ])("%j", async (args, message, hint) => {
    await using world = await filled();
    const lock = world.read("pylock.toml");
    const { stderr } = await world.fails("remove", ...args);
    expect(stderr).toContain(`error: ${message}\n`);
    expect(stderr).toContain(`hint: ${hint}`);
    expect(world.read("pyproject.toml")).toBe(PYPROJECT.trimStart());
    expect(world.read("pylock.toml")).toBe(lock);
    expect(Object.keys(world.installed())).toEqual(["app", "lint", "plus", "tool"]);
  });

  test("with the flag of the hint it goes, and stays away", async () => {
    await using world = await filled();
    await world.ok("remove", "--group", "dev", "tool");
    await world.ok("remove", "--group", "check", "lint");
    await world.ok("remove", "--optional", "more", "plus");
    expect(world.installed()).toEqual({ app: "1.0" });
    await world.ok("sync", "--extra", "more");
    expect(world.installed()).toEqual({ app: "1.0" });
  });

  test("a file that this command never edits", async () => {
    await using world = await filled();
    const more = '[tool.blast.packages]\ndependencies = ["far"]\n';
    world.index.add({ name: "far" });
    world.write("pyproject.toml", `${PYPROJECT}\n${more}`);
    await world.ok("sync");
    const { stderr } = await world.fails("remove", "far");
    expect(stderr).toMatch(/Cannot remove "far": pyproject\.toml:\d+ asks for it\n/);
    expect(world.installed()).toHaveProperty("far");
  });

  test("groups of a pyproject.toml without [project]", async () => {
    await using world = await blastWorld();
    world.index.add({ name: "tool" });
    world.write("pyproject.toml", '[dependency-groups]\ndev = ["tool"]\n');
    await world.ok("sync");
    for (const flags of [[], ["--group", "dev"]]) {
      const { stderr } = await world.fails("remove", ...flags, "tool");
      expect(stderr).toMatch(/Cannot remove "tool": pyproject\.toml:2 asks for it\n/);
    }
    expect(world.installed()).toEqual({ tool: "1.0" });
  });
});

test("a name that is in two places leaves the one, and it is told why it stays", async () => {
  await using world = await filled();
  world.write("pyproject.toml", PYPROJECT.replace('["app"]', '["app", "tool"]'));
  await world.ok("sync");
  const { stderr } = await world.ok("remove", "tool");
  expect(stderr).toMatch(/^tool stays installed, because pyproject\.toml:\d+ asks for it$/m);
  expect(world.read("pyproject.toml")).toBe(PYPROJECT.trimStart());
  expect(world.installed()).toHaveProperty("tool");
});
