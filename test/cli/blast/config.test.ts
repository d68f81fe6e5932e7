/** blast.toml and its relatives as the executable takes them. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { blastWorld } from "../../support/blast-world.ts";

setDefaultTimeout(60_000);

describe("what is wrong is told with file and line, exit 2, nothing done", () => {
  const cases: Readonly<
    Record<string, readonly [file: string, text: string, told: readonly string[]]>
  > = {
    "an unknown key": [
      "blast.toml",
      "[env]\npython_verson = '3.12'\n",
      ["blast.toml:2", "python_verson", "python_version"],
    ],
    "an unknown table": [
      "blast.toml",
      "# mine\n[resolvr]\nretries = 1\n",
      ["blast.toml:2", "resolvr", "resolver"],
    ],
    "a wrong type": ["blast.toml", "[resolver]\nretries = 'three'\n", ["blast.toml:2", "retries"]],
    "a word that is none of them": [
      "blast.toml",
      "[resolver]\nstrategy = 'highst'\n",
      ["blast.toml:2", "highst", "lowest-direct"],
    ],
    "no TOML": ["blast.toml", "[env\n", ["blast.toml:1"]],
    "no requirement": [
      "blast.toml",
      '[packages]\ndependencies = [\n  "fine",\n  "not fine",\n]\n',
      ["blast.toml:4", "not fine"],
    ],
    "[tool.blast] of pyproject.toml": [
      "pyproject.toml",
      "[tool.blast.cache]\nmax_sze = '1 GiB'\n",
      ["pyproject.toml:2", "max_sze", "max_size"],
    ],
    "[project] of pyproject.toml": [
      "pyproject.toml",
      '[project]\nname = "x"\nversion = "0"\ndependencies = ["a =="]\n',
      ["pyproject.toml:4", "a =="],
    ],
    "requires-python": [
      "pyproject.toml",
      '[project]\nname = "x"\nversion = "0"\nrequires-python = "three"\n',
      ["pyproject.toml:4", "three"],
    ],
    "a group that includes itself": [
      "pyproject.toml",
      '[dependency-groups]\na = [{include-group = "b"}]\nb = [{include-group = "a"}]\n',
      ["pyproject.toml:3", "a > b > a"],
    ],
  };
  for (const [name, [file, text, told]] of Object.entries(cases)) {
    test(name, async () => {
      await using world = await blastWorld();
      world.write(file, text);
      const { stderr, stdout } = await world.fails(2, "sync");
      for (const words of told) expect(stderr).toContain(words);
      expect(stderr).not.toMatch(/\n\s+at /);
      expect(stdout).toBe("");
      expect(world.has("pylock.toml")).toBe(false);
    });
  }

  test("all of a file's problems at once", async () => {
    await using world = await blastWorld();
    world.write("blast.toml", "[env]\nnme = 'x'\n[resolver]\nretries = -1\n[nothing]\na = 1\n");
    const { stderr } = await world.fails(2, "list");
    for (const line of [2, 4, 5]) expect(stderr).toContain(`blast.toml:${line}`);
  });

  test("in the user's own file", async () => {
    await using world = await blastWorld();
    world.work.write("home/.config/blast/config.toml", "[cache]\nttl = 'long'\n");
    const { stderr } = await world.fails(2, "status");
    expect(stderr).toContain("config.toml:2");
  });
});

test("keys that have no effect yet are told", async () => {
  await using world = await blastWorld();
  world.write(
    "blast.toml",
    '[container]\nnetwork_policy = "none"\n[env_layer]\nmax_snapshots = 3\n',
  );
  const { stdout } = await world.ok("status");
  expect(stdout).toMatch(/no effect +container\.network_policy \(blast\.toml:2\)/);
  expect(stdout).toMatch(/no effect +env_layer\.max_snapshots \(blast\.toml:4\)/);
  const { stderr } = await world.ok("sync", "-v");
  expect(stderr).toContain("container.network_policy of blast.toml:2 has no effect yet");
});

test("every table of the requirement is known, empty too", async () => {
  await using world = await blastWorld();
  const { stdout } = await world.ok("status", "--json");
  expect(JSON.parse(stdout).noEffectYet).toEqual([]);
  const tables = "env packages container sync env_layer pkg_layer resolver cache updates".split(
    " ",
  );
  world.write("blast.toml", tables.map((table) => `[${table}]\n`).join(""));
  await world.ok("status");
});

test("defaults < user's file < pyproject.toml < blast.toml < flags", async () => {
  await using world = await blastWorld();
  for (const version of ["1.0", "2.0", "3.0a1"]) world.index.add({ name: "app", version });
  world.write("a.in", "app\n");
  const pin = async (...flags: string[]): Promise<string> =>
    (await world.ok("compile", "--no-header", "--no-annotate", "a.in", ...flags)).stdout.trim();
  expect(await pin()).toBe("app==2.0");
  world.work.write("home/.config/blast/config.toml", '[resolver]\nstrategy = "lowest"\n');
  expect(await pin()).toBe("app==1.0");
  world.write("pyproject.toml", '[tool.blast.resolver]\nstrategy = "highest"\n');
  expect(await pin()).toBe("app==2.0");
  world.write("blast.toml", '[resolver]\nstrategy = "lowest"\n');
  expect(await pin()).toBe("app==1.0");
  expect(await pin("--resolution", "highest")).toBe("app==2.0");
  world.write("blast.toml", '[resolver]\nstrategy = "highest"\nallow_prereleases = true\n');
  expect(await pin()).toBe("app==3.0a1");
});

describe("keys of [resolver] and [install]", () => {
  test("index_url, extra_index_urls, find_links, no_index", async () => {
    await using world = await blastWorld();
    const [file] = world.index.add({ name: "app" });
    world.write("blast.toml", `[resolver]\nindex_url = "${world.index.url}"\n`);
    const env = { PIP_INDEX_URL: "http://127.0.0.1:9/" };
    expect((await world.blast(["install", "--no-record", "app"], { env })).code).toBe(0);
    await world.ok("remove", "app");
    world.work.write(`project/wheels/${file!.filename}`, file!.bytes);
    world.write("blast.toml", '[resolver]\nno_index = true\nfind_links = ["wheels"]\n');
    const asked = world.index.asked.length;
    await world.ok("install", "--no-record", "app");
    expect(world.installed()).toEqual({ app: "1.0" });
    expect(world.index.asked).toHaveLength(asked);
  });

  test("compile_bytecode", async () => {
    await using world = await blastWorld();
    world.index.add({ name: "app" });
    world.write("blast.toml", "[install]\ncompile_bytecode = true\n");
    await world.ok("install", "app");
    const found = [...new Bun.Glob("app/__pycache__/*.pyc").scanSync(world.site())];
    expect(found).toHaveLength(1);
    await world.ok("check");
  });

  test("[env] python_version, system_site_packages and name", async () => {
    await using world = await blastWorld();
    world.write("blast.toml", '[env]\npython_version = ">=99"\n');
    const { stderr } = await world.fails("start");
    expect(stderr).toContain(">=99");
    expect(stderr).toContain("blast.toml:2");
    world.write("blast.toml", '[env]\nname = "odd name"\nsystem_site_packages = true\n');
    await world.ok("start");
    const config = world.read(".venv/pyvenv.cfg");
    expect(config).toContain("include-system-site-packages = true");
    expect(config).toContain("odd name");
  });
});

test("status tells of an environment whose Python is gone", async () => {
  await using world = await blastWorld();
  await world.ok("sync");
  const config = world.read(".venv/pyvenv.cfg");
  world.write(".venv/pyvenv.cfg", config.replace(/^home = .*$/m, "home = /nowhere/bin"));
  rmSync(join(world.project, ".venv/bin/python"), { force: true });
  symlinkSync("/nowhere/bin/python", join(world.project, ".venv/bin/python"));
  const { stdout } = await world.ok("status");
  expect(stdout).toMatch(/environment +of no use: .*is gone or was upgraded: `blast sync` makes/);
  const json = JSON.parse((await world.ok("status", "--json")).stdout);
  expect([json.environment, typeof json.problem]).toEqual([null, "string"]);
});

test("texts come as JSON where it is asked for", async () => {
  await using world = await blastWorld();
  world.index.add({ name: "app", version: "1.0" });
  world.write("a.in", "app\n");
  const compiled = JSON.parse((await world.ok("compile", "--json", "--no-header", "a.in")).stdout);
  expect(compiled).toMatchObject({ schema: "blast.compile/1", output: null });
  expect(compiled.text).toStartWith("app==1.0\n");
  world.write("pyproject.toml", '[project]\nname = "p"\nversion = "1"\ndependencies = ["app"]\n');
  await world.ok("lock");
  const exported = JSON.parse((await world.ok("export", "--json")).stdout);
  expect(exported.schema).toBe("blast.export/1");
  expect(exported.text).toContain("app==1.0");
  const init = JSON.parse((await world.ok("init", "bash", "--json")).stdout);
  expect([init.schema, init.shell]).toEqual(["blast.init/1", "bash"]);
});
