/** Installing from sources, end to end with the compiled executable. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { gzipSync } from "node:zlib";
import { binaryPath } from "../../support/binary.ts";
import { type BlastWorld, blastWorld } from "../../support/blast-world.ts";
import { buildTree, callsIn, sdistOf, type TreeSpec } from "../../support/build-tree.ts";
import { createRepository } from "../../support/git-repository.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";
import { tarBytes } from "../../support/tar-bytes.ts";

setDefaultTimeout(120_000);

/** Offers an sdist, and nothing else, of a tree. */
function offer({ index }: BlastWorld, spec: TreeSpec): void {
  offerBytes(index, spec.name ?? "demo", sdistOf(spec));
}

function offerBytes(
  index: BlastWorld["index"],
  name: string,
  file: { readonly filename: string; readonly bytes: Buffer },
): void {
  const sha256 = new Bun.CryptoHasher("sha256").update(file.bytes).digest("hex");
  index.addFile(name, { ...file, sha256, metadata: "", kind: "sdist" });
}

function writeTree(folder: string, spec: TreeSpec): string {
  for (const [path, text] of Object.entries(buildTree(spec))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  return folder;
}

/** Without what differs from run to run. */
function plain(world: BlastWorld, text: string): string {
  return text
    .replaceAll(world.work.path, "WORK")
    .replaceAll(/-[0-9a-f]{8}\.log/g, "-LOG.log")
    .replaceAll(/in [\d.]+ s/g, "in TIME");
}

describe("sdists", () => {
  test("are built once, and installed with what they need", async () => {
    await using world = await blastWorld();
    offer(world, { metadata: "Requires-Dist: lib\n", hooks: ["build_wheel"] });
    world.index.add({ name: "lib" });
    const env = { TEST_CALLS: world.work.at("calls") };
    const first = await world.blast(["install", "demo", "--no-record"], { env });
    expect(plain(world, first.stderr)).toBe(
      "Building demo-1.0.tar.gz\n + demo==1.0\n + lib==1.0\nInstalled 2 packages in TIME\n",
    );
    expect(world.python("import demo, lib; print(demo.VERSION)")).toBe("1.0");
    expect(world.flaws()).toEqual([]);
    expect(callsIn(env.TEST_CALLS)).toEqual(["build_wheel"]);
    rmSync(world.venv, { recursive: true });
    const second = await world.blast(["install", "demo", "--no-record"], { env });
    expect(plain(world, second.stderr)).toBe(
      " + demo==1.0\n + lib==1.0\nInstalled 2 packages in TIME\n",
    );
    expect(callsIn(env.TEST_CALLS)).toEqual(["build_wheel"]);
    expect(world.installed()).toEqual({ demo: "1.0", lib: "1.0" });
    expect(readdirSync(join(world.cache, "builds-v1/work"))).toEqual([]);
  });

  test("are built with tools of their own, which the environment does not get", async () => {
    await using world = await blastWorld();
    for (const version of ["1.0", "2.0", "3.0"]) {
      world.index.add({ name: "tool", version, requires: ["helper"] });
    }
    world.index.add({ name: "helper" });
    const buildSystem = 'requires = ["tool<3"]';
    const code = "import tool, helper; print('tool', tool.VERSION)";
    offer(world, { name: "one", buildSystem, code });
    offer(world, { name: "two", buildSystem, code });
    world.write("bounds.txt", "tool<2\n");
    const run = await world.ok("install", "-v", "--no-record", "one", "two");
    expect(run.stderr).toContain("  tool 2.0\n");
    expect(world.installed()).toEqual({ one: "1.0", two: "1.0" });
    const environments = () =>
      readdirSync(join(world.cache, "builds-v1/environments")).filter((n) => !n.endsWith(".lock"));
    expect(environments()).toHaveLength(1);
    const env = { PIP_BUILD_CONSTRAINT: "bounds.txt" };
    rmSync(world.venv, { recursive: true });
    const args = ["install", "-v", "--no-record", "--no-cache", "one"];
    const bound = await world.blast(args, { env });
    expect(bound.stderr).toContain("  tool 1.0\n");
    expect(environments()).toHaveLength(1);
  });

  test("by the flags: settings, constraints, and the environment itself", async () => {
    await using world = await blastWorld();
    for (const version of ["1.0", "2.0"]) world.index.add({ name: "tool", version });
    const code = "import tool; print('tool', tool.VERSION)";
    offer(world, { buildSystem: 'requires = ["tool"]', code, hooks: ["build_wheel"] });
    world.write("bounds.txt", "tool<2\n");
    const install = ["install", "demo", "--no-record", "-v"];
    const settings = ["-C", "a=1", "--config-setting", "b=2", "--config-settings=a=3"];
    const bound = await world.ok(...install, ...settings, "--build-constraint", "bounds.txt");
    expect(bound.stderr).toContain('  settings {"a": ["1", "3"], "b": "2"}\n  tool 1.0\n');
    await world.ok("remove", "demo");
    const absent = await world.fails(...install, "--no-build-isolation");
    expect(absent.stderr).toContain("  | ModuleNotFoundError: No module named 'tool'\n");
    await world.ok("install", "tool", "--no-record");
    const own = await world.ok(...install, "--no-build-isolation");
    expect(own.stderr).toContain("  settings null\n  tool 2.0\n");
  });

  test("of tools are built, too; circles are told", async () => {
    await using world = await blastWorld();
    offer(world, { name: "tool", hooks: ["build_wheel"] });
    offer(world, { buildSystem: 'requires = ["tool"]', code: "import tool" });
    const { stderr } = await world.ok("install", "demo", "--no-record");
    expect(stderr).toContain("Building tool-1.0.tar.gz\n");
    expect(world.installed()).toEqual({ demo: "1.0" });
    offer(world, { name: "hen", buildSystem: 'requires = ["egg"]' });
    offer(world, { name: "egg", buildSystem: 'requires = ["hen"]' });
    const circle = await world.fails("install", "hen", "--no-record");
    expect(circle.stderr).toMatch(
      /^error: Cannot build "(\S+)": its build requires "\S+", whose build requires "\1"\nhint: /m,
    );
    offer(world, { name: "snake", buildSystem: 'requires = ["snake"]' });
    const self = await world.fails("install", "snake", "--no-record");
    expect(self.stderr).toContain('"snake-1.0.tar.gz": its build requires itself\n');
  });

  test("whose tools do not exist are told", async () => {
    await using world = await blastWorld();
    world.index.add({ name: "tool", version: "1.0" });
    offer(world, { buildSystem: 'requires = ["tool>=2"]' });
    const { stderr } = await world.fails("install", "demo", "--no-record");
    expect(stderr).toMatch(
      /^error: Cannot find what the build of "demo-1.0.tar.gz" requires: .*tool/m,
    );
  });

  test("that fail show how, and change nothing", async () => {
    await using world = await blastWorld();
    world.index.add({ name: "lib" });
    await world.ok("install", "lib", "--no-record");
    const code = 'for n in range(30): print("step", n)\nraise SystemExit("no \\x1b[31mcompiler")';
    offer(world, { code, hooks: ["build_wheel"] });
    const { stderr } = await world.fails("install", "demo", "--no-record");
    const steps = Array.from({ length: 19 }, (_, n) => `  | step ${n + 11}\n`).join("");
    expect(plain(world, stderr)).toBe(
      "Building demo-1.0.tar.gz\n" +
        'error: Cannot build "demo-1.0.tar.gz": "build_wheel" of "backend:hooks" ' +
        `failed with exit code 1\n${steps}  | no compiler\n` +
        "hint: all of its output is in WORK/cache/builds-v1/logs/demo-1.0.tar.gz-LOG.log\n",
    );
    const log = /is in (.+)$/m.exec(stderr)?.[1] ?? "";
    expect(readFileSync(log, "utf8")).toContain("\nstep 0\nstep 1\n");
    expect(world.installed()).toEqual({ lib: "1.0" });
    const { stdout } = await world.fails("install", "demo", "--no-record", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      code: "E_BUILD",
      details: { label: "demo-1.0.tar.gz" },
    });
  });

  test("that would write elsewhere are refused", async () => {
    await using world = await blastWorld();
    const bytes = gzipSync(
      tarBytes([
        { path: "demo-1.0/pyproject.toml", content: "" },
        { path: "demo-1.0/../../../pwned", content: "x" },
      ]),
    );
    offerBytes(world.index, "demo", { filename: "demo-1.0.tar.gz", bytes: Buffer.from(bytes) });
    const { stderr } = await world.fails("install", "demo", "--no-record");
    expect(stderr).toContain(
      'error: Cannot unpack "demo-1.0.tar.gz": "demo-1.0/../../../pwned": ' +
        'its path leads out by ".."\n',
    );
    expect(world.installed()).toEqual({});
    const everything = readdirSync(world.work.path, { recursive: true, encoding: "utf8" });
    expect(everything.filter((path) => path.endsWith("pwned"))).toEqual([]);
  });
});

test("an interrupted build ends with all that it has started, and changes nothing", async () => {
  await using world = await blastWorld();
  const pids = world.work.at("pids");
  const code =
    "import subprocess, time\n" +
    "child = subprocess.Popen(['sleep', '1000'])\n" +
    `open(${JSON.stringify(pids)}, 'w').write('%d %d' % (os.getpid(), child.pid))\n` +
    "time.sleep(1000)";
  offer(world, { code, hooks: ["build_wheel"] });
  const child = Bun.spawn([await binaryPath("blast"), "install", "demo", "--no-record"], {
    cwd: world.project,
    env: { ...world.env },
    stdout: "ignore",
    stderr: "ignore",
  });
  while (!existsSync(pids) || readFileSync(pids, "utf8").split(" ").length < 2) await Bun.sleep(20);
  child.kill("SIGINT");
  await child.exited;
  expect(child.signalCode ?? child.exitCode).toBe("SIGINT");
  const left = () =>
    readFileSync(pids, "utf8")
      .split(" ")
      .filter((pid) => /^State:\s*[^Z]/m.test(statusOf(pid)));
  for (let tries = 0; tries < 3000 && left().length > 0; tries += 1) await Bun.sleep(10);
  expect(left()).toEqual([]);
  expect(world.installed()).toEqual({});
  expect(readdirSync(join(world.cache, "builds-v1/work"))).toEqual([]);
});

function statusOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return "";
  }
}

describe("folders", () => {
  test("editable: what changes in the sources counts at once", async () => {
    await using world = await blastWorld();
    const folder = writeTree(world.work.at("tree"), { metadata: "Requires-Dist: lib\n" });
    world.index.add({ name: "lib" });
    world.work.write("tree/src/demo.py", "X = 1\n");
    await world.ok("install", "-e", folder, "--no-record");
    expect(world.python("import demo; print(demo.X)")).toBe("1");
    world.work.write("tree/src/demo.py", "X = 22\n");
    expect(world.python("import demo; print(demo.X)")).toBe("22");
    expect(world.installed()).toEqual({ demo: "1.0", lib: "1.0" });
    expect(JSON.parse(world.info("demo", "direct_url.json") ?? "")).toEqual({
      url: Bun.pathToFileURL(folder).href,
      dir_info: { editable: true },
    });
    expect(world.flaws()).toEqual([]);
  });

  test("as they are at that moment", async () => {
    await using world = await blastWorld();
    const folder = world.work.at("tree");
    for (const version of ["1.0", "2.0"]) {
      writeTree(folder, { version });
      await world.ok("install", folder, "--no-record");
      expect(world.python("import demo; print(demo.VERSION)")).toBe(version);
      expect(world.installed()).toEqual({ demo: version });
    }
  });
});

testUnless(needsProgram("git"))("git: branch, tag and commit, with what was recorded", async () => {
  await using world = await blastWorld();
  const repository = createRepository(world.work.at("repository"));
  const tree = (version: string) => {
    const files = Object.entries(buildTree({ version, hooks: ["build_wheel"] }));
    return Object.fromEntries(files.map(([path, text]) => [`packages/demo/${path}`, text]));
  };
  const first = repository.commit(tree("1.0"));
  repository.git("tag", "v1");
  const second = repository.commit(tree("2.0"));
  const below = "#subdirectory=packages/demo";
  const env = { TEST_CALLS: world.work.at("calls") };
  for (const [revision, version, commit] of [
    ["@v1", "1.0", first],
    ["@main", "2.0", second],
    [`@${first}`, "1.0", first],
    ["", "2.0", second],
  ] as const) {
    const url = `git+${repository.url}${revision}${below}`;
    const run = await world.blast(["install", `demo @ ${url}`, "--no-record"], { env });
    expect([run.code, revision]).toEqual([0, revision]);
    expect(world.installed()).toEqual({ demo: version });
    expect(JSON.parse(world.info("demo", "direct_url.json") ?? "")).toMatchObject({
      url: repository.url,
      subdirectory: "packages/demo",
      vcs_info: { vcs: "git", commit_id: commit },
    });
  }
  expect(callsIn(env.TEST_CALLS)).toEqual(["build_wheel", "build_wheel"]);
  const missing = await world.fails("install", `git+${repository.url}@nope`, "--no-record");
  expect(missing.stderr).toContain(`error: Cannot find "nope" in "${repository.url}"\n`);
});
