/** A pylock.toml that another tool has written for a project of its own; end to end. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { type BlastWorld, blastWorld } from "../../support/blast-world.ts";

setDefaultTimeout(60_000);

/** As a tool writes it that does not say what it was asked for. */
function writeLock(world: BlastWorld, names: readonly string[]): string {
  const entries = names.map((name) => {
    const [file] = world.index.add({ name });
    return [
      "[[packages]]",
      `name = "${name}"`,
      'version = "1.0"',
      "[[packages.wheels]]",
      `name = "${file?.filename}"`,
      `url = "${file === undefined ? "" : world.index.fileUrl(file)}"`,
      `hashes = { sha256 = "${file?.sha256}" }`,
    ].join("\n");
  });
  const head = 'lock-version = "1.0"\ncreated-by = "somebody"\n';
  world.write("pylock.toml", `${head}\n${entries.join("\n\n")}\n`);
  return world.read("pylock.toml");
}

function pyproject(world: BlastWorld, ...requirements: readonly string[]): void {
  const list = requirements.map((text) => JSON.stringify(text)).join(", ");
  world.write("pyproject.toml", `[project]\nname = "x"\nversion = "0"\ndependencies = [${list}]\n`);
}

test("remove takes out of it what the project does not ask for any more; pins stay", async () => {
  await using world = await blastWorld();
  writeLock(world, ["app", "gone"]);
  pyproject(world, "app", "gone");
  await world.ok("sync");
  expect(world.installed()).toEqual({ app: "1.0", gone: "1.0" });
  world.index.add({ name: "app", version: "2.0" });
  const { stderr } = await world.ok("remove", "gone");
  expect(stderr).toContain(" - gone==1.0\n");
  expect(world.installed()).toEqual({ app: "1.0" });
  expect(world.read("pyproject.toml")).not.toContain("gone");
  expect(world.read("pylock.toml")).not.toContain("gone");
  await world.ok("sync", "--locked");
  expect(world.installed()).toEqual({ app: "1.0" });
});

test("what this platform does not need is not missed in it", async () => {
  await using world = await blastWorld();
  const lock = writeLock(world, ["app"]);
  pyproject(world, "app", "win ; sys_platform == 'win32'", "old ; python_version < '3'");
  for (const args of [["sync", "--locked"], ["sync"], ["lock", "--check"], ["run", "true"]]) {
    await world.ok(...args);
    expect(world.read("pylock.toml")).toBe(lock);
  }
  expect(world.installed()).toEqual({ app: "1.0" });
  const status = await world.ok("status");
  expect(status.stdout + status.stderr).toContain("fits the project");
  pyproject(world, "app", "here ; sys_platform != 'win32'");
  expect((await world.fails("sync", "--locked")).stderr).toContain("does not fit");
});
