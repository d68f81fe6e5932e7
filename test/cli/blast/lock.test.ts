/** pylock.toml: made, kept, let go of, insisted on; end to end. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { type BlastWorld, blastWorld } from "../../support/blast-world.ts";

setDefaultTimeout(60_000);

const PYPROJECT = `
[project]
name = "mine"
version = "0"
requires-python = ">=3.9"
dependencies = ["app", "win ; sys_platform == 'win32'", "old ; python_version < '3.10'"]

[project.optional-dependencies]
more = ["plus"]

[dependency-groups]
docs = ["doc"]
`;

const TAGS = ["cp311-cp311-manylinux_2_17_x86_64", "cp312-cp312-win_amd64", "py3-none-any"];

function offer({ index }: BlastWorld, version = "1.0"): void {
  index.add({ name: "app", version, requires: ["lib"], tags: TAGS, sdist: true });
  for (const name of ["lib", "win", "old", "plus", "doc"]) index.add({ name, version });
}

/** What Python's own TOML reader has to say of it. */
function read(world: BlastWorld): Lock {
  return Bun.TOML.parse(world.read("pylock.toml")) as unknown as Lock;
}

interface Lock {
  readonly "lock-version": string;
  readonly "requires-python": string;
  readonly extras: readonly string[];
  readonly "dependency-groups": readonly string[];
  readonly packages: readonly {
    readonly name: string;
    readonly version: string;
    readonly marker?: string;
    readonly sdist?: LockedFile;
    readonly wheels?: readonly LockedFile[];
  }[];
}
interface LockedFile {
  readonly name?: string;
  readonly url: string;
  readonly hashes: { readonly sha256?: string };
}

test("every version for every platform, with every file and its hash", async () => {
  await using world = await blastWorld();
  offer(world);
  world.write("pyproject.toml", PYPROJECT);
  const { stderr } = await world.ok("lock");
  expect(stderr).toMatch(/^Locked 6 packages in [\d.]+ s\n$/);
  expect(world.has(".venv")).toBe(false);
  const lock = read(world);
  expect(lock["lock-version"]).toBe("1.0");
  expect(lock["requires-python"]).toBe(">=3.9");
  expect(lock.extras).toEqual(["more"]);
  expect(lock["dependency-groups"]).toEqual(["docs"]);
  const byName = Object.fromEntries(lock.packages.map((one) => [one.name, one]));
  expect(Object.keys(byName)).toEqual(["app", "doc", "lib", "old", "plus", "win"]);
  expect(byName["app"]?.marker).toBeUndefined();
  expect(byName["win"]?.marker).toContain("win32");
  expect(byName["old"]?.marker).toContain("3.10");
  expect(byName["plus"]?.marker).toContain("extras");
  expect(byName["doc"]?.marker).toContain("dependency_groups");
  expect(byName["app"]?.wheels).toHaveLength(3);
  for (const { wheels = [], sdist } of lock.packages) {
    for (const file of [...wheels, ...(sdist === undefined ? [] : [sdist])]) {
      expect(file.hashes.sha256).toMatch(/^[0-9a-f]{64}$/);
      expect(file.url).toStartWith(world.index.origin);
    }
  }
  expect(byName["app"]?.sdist?.url).toEndWith("/files/app-1.0.tar.gz");
});

test("a second run, one without a cache, one of another folder: the same bytes", async () => {
  await using world = await blastWorld();
  offer(world);
  world.write("pyproject.toml", PYPROJECT);
  await world.ok("lock");
  const first = world.read("pylock.toml");
  expect((await world.ok("lock")).stderr).toContain("is up to date");
  expect(world.read("pylock.toml")).toBe(first);
  await world.ok("clean", "--all");
  await world.ok("lock", "--upgrade");
  expect(world.read("pylock.toml")).toBe(first);
  const other = world.work.folder("other");
  world.work.write("other/pyproject.toml", world.read("pyproject.toml"));
  await world.blast(["lock"], { cwd: other });
  expect(await Bun.file(`${other}/pylock.toml`).text()).toBe(first);
});

test("files whose hashes the index does not tell are fetched for them", async () => {
  await using world = await blastWorld();
  const [file] = world.index.add({ name: "plain" }, { sha256: null });
  await world.ok("install", "plain");
  expect(read(world).packages[0]?.wheels?.[0]?.hashes.sha256).toBe(file!.sha256);
});

describe("pins", () => {
  test("that hold are kept; a new requirement only adds to them", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("pyproject.toml", PYPROJECT);
    await world.ok("lock");
    offer(world, "2.0");
    world.index.add({ name: "further", requires: ["lib"] });
    world.write("pyproject.toml", PYPROJECT.replace('"app",', '"app", "further",'));
    await world.ok("lock", "--no-cache");
    const versions = Object.fromEntries(read(world).packages.map((p) => [p.name, p.version]));
    expect(versions).toEqual({
      app: "1.0",
      doc: "1.0",
      further: "1.0",
      lib: "1.0",
      old: "1.0",
      plus: "1.0",
      win: "1.0",
    });
  });

  test("that a bound forbids move, and no other", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("pyproject.toml", PYPROJECT);
    await world.ok("lock");
    offer(world, "2.0");
    world.write("pyproject.toml", PYPROJECT.replace('"app",', '"app>=2",'));
    await world.ok("lock", "--no-cache");
    const versions = Object.fromEntries(read(world).packages.map((p) => [p.name, p.version]));
    expect(versions).toMatchObject({ app: "2.0", lib: "1.0", plus: "1.0" });
  });

  test("are let go of by --upgrade and --upgrade-package", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("pyproject.toml", PYPROJECT);
    await world.ok("lock");
    offer(world, "2.0");
    await world.ok("lock", "--upgrade-package", "lib");
    const versions = () => Object.fromEntries(read(world).packages.map((p) => [p.name, p.version]));
    expect(versions()).toMatchObject({ app: "1.0", lib: "2.0", plus: "1.0" });
    const before = world.read("pylock.toml");
    const dry = await world.ok("lock", "--upgrade", "--dry-run");
    expect(dry.stderr).toContain("Would lock");
    expect(world.read("pylock.toml")).toBe(before);
    await world.ok("lock", "--upgrade");
    expect(Object.values(versions())).toEqual(["2.0", "2.0", "2.0", "2.0", "2.0", "2.0"]);
  });
});

describe("--locked, --check, --frozen", () => {
  test("what fits is taken, what does not fit is refused or not looked at", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("pyproject.toml", PYPROJECT);
    for (const args of [
      ["sync", "--locked"],
      ["lock", "--check"],
      ["sync", "--frozen"],
    ]) {
      const { stderr } = await world.fails(...args);
      expect(stderr).toContain("pylock.toml");
    }
    expect(world.has("pylock.toml")).toBe(false);
    await world.ok("lock");
    await world.ok("lock", "--check");
    await world.ok("sync", "--locked");
    expect(world.installed()).toEqual({ app: "1.0", lib: "1.0" });
    const lock = world.read("pylock.toml");
    world.write("pyproject.toml", PYPROJECT.replace('"app",', '"app", "plus",'));
    const { stderr } = await world.fails("sync", "--locked");
    expect(stderr).toContain("does not fit");
    expect(stderr).toContain("hint: `blast lock`");
    await world.fails("lock", "--check");
    await world.fails("run", "--locked", "python", "-c", "1");
    await world.fails("install", "--locked", "doc");
    expect(world.read("pylock.toml")).toBe(lock);
    await world.ok("sync", "--frozen");
    expect(world.installed()).toEqual({ app: "1.0", lib: "1.0" });
    await world.ok("run", "--frozen", "python", "-c", "1");
    expect(world.read("pylock.toml")).toBe(lock);
    await world.ok("sync");
    expect(world.installed()).toEqual({ app: "1.0", lib: "1.0", plus: "1.0" });
    await world.ok("sync", "--locked");
  });

  test("what a command line said beside the project does not make the lock stale", async () => {
    await using world = await blastWorld();
    offer(world);
    offer(world, "2.0");
    world.write("bounds.txt", "lib<2\n");
    await world.ok("install", "-c", "bounds.txt", "app");
    expect(world.installed()).toEqual({ app: "2.0", lib: "1.0" });
    await world.ok("sync", "--locked");
    await world.ok("sync");
    expect(world.installed()).toEqual({ app: "2.0", lib: "1.0" });
  });

  test("--offline, with a lock and a store that has all of it", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("pyproject.toml", PYPROJECT);
    await world.ok("sync");
    Bun.spawnSync(["rm", "-rf", world.venv]);
    await world.index[Symbol.asyncDispose]();
    await world.ok("sync", "--locked", "--offline");
    expect(world.installed()).toEqual({ app: "1.0", lib: "1.0" });
  });
});

test("a lock that another tool wrote is installed, its hashes are checked", async () => {
  await using world = await blastWorld();
  const [lib] = world.index.add({ name: "lib" });
  const text = (sha256: string): string => `
    lock-version = "1.0"
    created-by = "somebody"

    [[packages]]
    name = "lib"
    version = "1.0"
    [[packages.wheels]]
    name = "${lib!.filename}"
    url = "${world.index.fileUrl(lib!)}"
    hashes = { sha256 = "${sha256}" }
  `;
  world.write("pylock.toml", text("0".repeat(64)));
  const { stderr } = await world.fails("sync");
  expect(stderr).toContain("sha256");
  expect(world.installed()).toEqual({});
  world.write("pylock.toml", text(lib!.sha256));
  await world.ok("sync");
  expect(world.installed()).toEqual({ lib: "1.0" });
  const mended = world.read("pylock.toml");
  expect(mended).toContain('created-by = "somebody"');
});

test("a lock file alone is enough, and is not lost to a change", async () => {
  await using world = await blastWorld();
  offer(world);
  offer(world, "2.0");
  world.write("blast.toml", '[packages]\ndependencies = ["app<2"]\n');
  await world.ok("lock");
  const text = world.read("pylock.toml");
  const other = world.work.folder("other");
  world.work.write("other/pylock.toml", text);
  const at = async (...args: string[]) => {
    const { code, stderr } = await world.blast(args, { cwd: other });
    expect(await Bun.file(`${other}/pylock.toml`).text()).toBe(text);
    return [code, stderr];
  };
  for (const verb of ["start", "sync", "lock"]) expect((await at(verb))[0]).toBe(0);
  const venv = `${other}/.venv`;
  expect(world.installed(venv)).toEqual({ app: "1.0", lib: "2.0" });
  expect(await at("update")).toEqual([1, expect.stringContaining("what was asked for")]);
  expect(await at("lock", "--upgrade")).toEqual([1, expect.stringContaining("pylock.toml")]);
  expect(await at("install", "plus")).toEqual([0, expect.stringContaining("Not recorded")]);
  expect(world.installed(venv)).toEqual({ app: "1.0", lib: "2.0", plus: "2.0" });
  expect((await at("remove", "plus"))[0]).toBe(0);
  expect(await at("sync", "--locked")).toEqual([0, expect.stringContaining("Nothing to do")]);
});

test("a project that asks for nothing has no lock, and none is missing", async () => {
  await using world = await blastWorld();
  world.write("blast.toml", "[packages]\ndependencies = []\n");
  expect((await world.ok("lock")).stderr).toContain("asks for nothing");
  await world.ok("sync", "--locked");
  await world.ok("lock", "--check");
  expect(world.has("pylock.toml")).toBe(false);
});

test("what is wrong in a lock is told with its place", async () => {
  await using world = await blastWorld();
  world.write("pylock.toml", 'lock-version = "9.0"\ncreated-by = "x"\npackages = []\n');
  const newer = await world.fails(2, "sync");
  expect(newer.stderr).toContain("pylock.toml");
  world.write("pylock.toml", "lock-version = \n");
  const broken = await world.fails(2, "sync");
  expect(broken.stderr).toContain("pylock.toml:1");
});

test("a lock made here holds for other Pythons: sync takes what fits", async () => {
  await using world = await blastWorld();
  offer(world);
  world.index.add({ name: "forked", version: "1.0" });
  world.index.add({ name: "forked", version: "2.0", requiresPython: ">=3.11" });
  world.write(
    "pyproject.toml",
    PYPROJECT.replace('"app",', '"forked",').replace("sys_platform", "sys_platform"),
  );
  await world.ok("lock");
  const forks = read(world).packages.filter(({ name }) => name === "forked");
  expect(forks.map(({ version }) => version)).toEqual(["1.0", "2.0"]);
  expect(forks[0]?.marker).toContain("<");
  expect(forks[1]?.marker).toContain(">=");
});
