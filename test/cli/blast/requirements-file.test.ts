/** A project with a requirements.txt: its options hold for everything that resolves the project. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, rmSync } from "node:fs";
import { type BlastWorld, blastWorld } from "../../support/blast-world.ts";
import { startTestIndex } from "../../support/test-index.ts";
import { packageWheel } from "../../support/test-packages.ts";

setDefaultTimeout(120_000);

const WRONG = `--hash=sha256:${"0".repeat(64)}`;

/** Every command that resolves the project, each in an environment of its own. */
const COMMANDS: readonly (readonly string[])[] = [
  ["sync"],
  ["lock"],
  ["start"],
  ["run", "python", "-c", "pass"],
  ["update"],
];

/** Adds app, which needs lib; their `--hash`. */
function offerHashed({ index }: BlastWorld): { readonly app: string; readonly lib: string } {
  const [app] = index.add({ name: "app", requires: ["lib"] });
  const [lib] = index.add({ name: "lib" });
  return { app: `--hash=sha256:${app?.sha256}`, lib: `--hash=sha256:${lib?.sha256}` };
}

function isEmpty(world: BlastWorld): boolean {
  return !existsSync(world.venv) || Object.keys(world.installed()).length === 0;
}

describe("hashes", () => {
  for (const command of COMMANDS) {
    test(`that do not match are refused, nothing is installed: ${command[0]}`, async () => {
      await using world = await blastWorld();
      const { lib } = offerHashed(world);
      world.write("requirements.txt", `app==1.0 ${WRONG}\nlib==1.0 ${lib}\n`);
      const { stderr } = await world.fails(...command);
      expect(stderr).toContain("hash");
      expect(stderr).toContain("app");
      expect(isEmpty(world)).toBe(true);
      expect(world.has("pylock.toml")).toBe(false);
    });

    test(`are a must for all that is needed: ${command[0]}`, async () => {
      await using world = await blastWorld();
      const { app, lib } = offerHashed(world);
      world.write("requirements.txt", `app==1.0 ${app}\n`);
      const { stderr } = await world.fails(...command);
      expect(stderr).toContain('"lib==1.0": no hash of it was given');
      expect(isEmpty(world)).toBe(true);
      world.write("requirements.txt", `app==1.0 ${app}\nlib==1.0 \\\n  ${WRONG} \\\n  ${lib}\n`);
      await world.ok(...command);
      if (command[0] !== "lock") expect(world.installed()).toEqual({ app: "1.0", lib: "1.0" });
    });
  }

  test("--require-hashes without any", async () => {
    await using world = await blastWorld();
    offerHashed(world);
    world.write("requirements.txt", "--require-hashes\nlib\n");
    const { stderr } = await world.fails("sync");
    expect(stderr).toContain('"lib==1.0": no hash of it was given');
    expect(world.installed()).toEqual({});
    await world.fails("lock");
    expect(world.has("pylock.toml")).toBe(false);
  });

  test("a lock holds the files that have one of them, and no other", async () => {
    await using world = await blastWorld();
    const tags = ["py3-none-any", "py3-none-win_amd64"];
    const [good, other] = world.index.add({ name: "app", tags, sdist: true });
    world.write("requirements.txt", `app==1.0 --hash=sha256:${good?.sha256}\n`);
    await world.ok("lock");
    const lock = world.read("pylock.toml");
    expect(lock).toContain(good?.sha256 ?? "none");
    expect(lock).not.toContain(other?.sha256 ?? "none");
    expect(lock).not.toContain("sdist");
    await world.ok("lock", "--check");
    world.write("requirements.txt", `app==1.0 --hash=sha256:${other?.sha256}\n`);
    await world.fails("lock", "--check");
    await world.fails("sync");
    expect(world.read("pylock.toml")).toBe(lock);
    expect(world.installed()).toEqual({});
  });

  test("choose among the files of a version", async () => {
    await using world = await blastWorld();
    const [, sdist] = world.index.add({ name: "app", sdist: true });
    world.write("requirements.txt", `app==1.0 --hash=sha256:${sdist?.sha256}\n`);
    const { stderr } = await world.ok("sync");
    expect(stderr).toContain("Building app-1.0.tar.gz");
    // The answer is known by now, and the wheel is what it would prefer.
    rmSync(world.venv, { recursive: true });
    await world.ok("sync");
    await world.ok("install", "--require-hashes", "-r", "requirements.txt");
    expect(world.installed()).toEqual({ app: "1.0" });
  });

  test("are no must for what another file asks for, and what only that needs", async () => {
    await using world = await blastWorld();
    const { app, lib } = offerHashed(world);
    world.index.add({ name: "tool", requires: ["helper"] });
    world.index.add({ name: "helper" });
    world.write("requirements.txt", `app==1.0 ${app}\nlib==1.0 ${lib}\n`);
    world.write("pyproject.toml", '[dependency-groups]\ndev = ["tool"]\n');
    await world.ok("sync");
    const all = { app: "1.0", helper: "1.0", lib: "1.0", tool: "1.0" };
    expect(world.installed()).toEqual(all);
    world.index.add({ name: "more" });
    await world.ok("install", "more");
    expect(world.installed()).toEqual({ ...all, more: "1.0" });
    world.write("requirements.txt", `app==1.0 ${app}\n`);
    const { stderr } = await world.fails("sync");
    expect(stderr).toContain('"lib==1.0": no hash of it was given');
    expect(world.installed()).toEqual({ ...all, more: "1.0" });
  });
});

test("hashes hold for what is installed again, where an environment is made anew", async () => {
  await using world = await blastWorld();
  const { app, lib } = offerHashed(world);
  world.write("requirements.txt", `app==1.0 ${app}\nlib==1.0 ${lib}\n`);
  await world.ok("sync");
  world.index.remove("lib");
  world.index.add({ name: "lib", files: { "lib/__init__.py": "EVIL = True\n" } });
  rmSync(`${world.venv}/bin`, { recursive: true });
  rmSync(world.cache, { recursive: true });
  const { stderr } = await world.fails("sync");
  expect(stderr).toContain("its hash is none of those that were given");
  expect(world.installed()).toEqual({});
});

describe("--index-url", () => {
  for (const command of COMMANDS) {
    test(`is the index, and no other is asked: ${command[0]}`, async () => {
      await using world = await blastWorld();
      await using own = startTestIndex();
      own.add({ name: "private" });
      world.index.add({ name: "private", version: "9.0" });
      world.write("requirements.txt", `--index-url ${own.url}\nprivate\n`);
      await world.ok(...command);
      if (command[0] === "lock") expect(world.read("pylock.toml")).toContain(own.origin);
      else expect(world.installed()).toEqual({ private: "1.0" });
      expect(world.index.asked).toEqual([]);
    });
  }

  test("also for what is outdated, and for an environment that is made anew", async () => {
    await using world = await blastWorld();
    await using own = startTestIndex();
    own.add({ name: "private" });
    world.write("requirements.txt", `--index-url ${own.url}\nprivate\n`);
    await world.ok("sync");
    own.add({ name: "private", version: "2.0" });
    world.index.add({ name: "private", version: "9.0" });
    const { stdout } = await world.ok("outdated");
    expect(stdout).toMatch(/private +1\.0 +2\.0/);
    rmSync(`${world.venv}/bin`, { recursive: true });
    await world.ok("sync");
    expect(world.installed()).toHaveProperty("private");
    expect(world.index.asked).toEqual([]);
  });

  test("gives way to the flag, and is not that of other files", async () => {
    await using world = await blastWorld();
    await using own = startTestIndex();
    own.add({ name: "private" });
    world.index.add({ name: "private", version: "9.0" });
    world.index.add({ name: "public" });
    world.write("requirements.txt", `--index-url ${own.url}\nprivate\n`);
    world.write("other.txt", "public\n");
    await world.ok("install", "-r", "other.txt");
    expect(own.asked).toEqual([]);
    await world.ok("sync", "--index-url", world.index.url);
    expect(world.installed()).toEqual({ private: "9.0" });
    expect(own.asked).toEqual([]);
  });

  test("--extra-index-url comes on top; a lock made with other options is stale", async () => {
    await using world = await blastWorld();
    await using own = startTestIndex();
    own.add({ name: "private" });
    world.index.add({ name: "public" });
    world.write("requirements.txt", `--extra-index-url ${own.url}\nprivate\npublic\n`);
    await world.ok("lock");
    await world.ok("lock", "--check");
    await world.ok("sync");
    expect(world.installed()).toEqual({ private: "1.0", public: "1.0" });
    world.write("requirements.txt", "private\npublic\n");
    await world.fails("lock", "--check");
  });
});

test("--find-links and --no-index, relative to the file", async () => {
  await using world = await blastWorld();
  const { filename, bytes } = packageWheel({ name: "app" });
  await Bun.write(`${world.project}/wheels/${filename}`, bytes);
  world.write("requirements.txt", "--no-index\n--find-links wheels\napp\n");
  await world.ok("sync");
  expect(world.installed()).toEqual({ app: "1.0" });
  await world.ok("lock");
  expect(world.read("pylock.toml")).toContain(`path = "wheels/${filename}"`);
  rmSync(world.venv, { recursive: true });
  await world.ok("sync", "--locked");
  expect(world.installed()).toEqual({ app: "1.0" });
  expect(world.index.asked).toEqual([]);
});

test("constraints, also of a file that it includes", async () => {
  await using world = await blastWorld();
  for (const version of ["1.0", "2.0", "3.0"]) {
    world.index.add({ name: "app", version, requires: ["lib"] });
    world.index.add({ name: "lib", version });
  }
  world.write("requirements.txt", "-r more.txt\n-c bounds.txt\n");
  world.write("more.txt", "app\n-c lib-bounds.txt\n");
  world.write("bounds.txt", "app<3\nunused==1\n");
  world.write("lib-bounds.txt", "lib<2\n");
  await world.ok("sync");
  expect(world.installed()).toEqual({ app: "2.0", lib: "1.0" });
  await world.ok("update");
  expect(world.installed()).toEqual({ app: "2.0", lib: "1.0" });
  await world.ok("lock");
  await world.ok("lock", "--check");
  world.write("bounds.txt", "app<2\n");
  await world.fails("lock", "--check");
  await world.ok("sync");
  expect(world.installed()).toEqual({ app: "1.0", lib: "1.0" });
});

test("--pre, --only-binary and --no-binary", async () => {
  await using world = await blastWorld();
  world.index.add({ name: "early" });
  world.index.add({ name: "early", version: "2.0a1" });
  world.index.add({ name: "wheel-only" });
  world.index.add({ name: "wheel-only", version: "2.0", tags: [], sdist: true });
  const [wheel] = world.index.add({ name: "built", sdist: true });
  world.write(
    "requirements.txt",
    "--pre\n--only-binary wheel-only\n--no-binary built\nearly\nwheel-only\nbuilt\n",
  );
  const { stderr } = await world.ok("sync");
  expect(stderr).toContain("Building built-1.0.tar.gz");
  const all = { built: "1.0", early: "2.0a1", "wheel-only": "1.0" };
  expect(world.installed()).toEqual(all);
  rmSync(world.venv, { recursive: true });
  const before = world.index.asked.length;
  await world.ok("lock");
  await world.ok("sync", "--locked");
  expect(world.installed()).toEqual(all);
  const paths = world.index.asked.slice(before).map(({ path }) => path);
  expect(paths).not.toContain(`/files/${wheel?.filename}`);
});
