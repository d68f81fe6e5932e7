/** How blast talks: help, streams, exit codes, failures that a person can read. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { runTool } from "../../support/binary.ts";
import { type BlastWorld, blastWorld } from "../../support/blast-world.ts";

setDefaultTimeout(60_000);

const VERBS = [
  ...["start", "kill", "init", "install", "update", "remove", "sync", "lock", "run", "list"],
  ...["tree", "why", "outdated", "status", "check", "export", "clean", "undo", "compile"],
  ...["python list", "python find", "python install", "python pin", "python uninstall"],
];

describe("help", () => {
  for (const verb of VERBS) {
    test(`blast ${verb} --help: what it does and examples that begin with its name`, async () => {
      const { code, stdout, stderr } = await runTool("blast", [...verb.split(" "), "--help"]);
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout).toContain(`blast ${verb}`);
      expect(stdout).toMatch(/^Examples?:?$/im);
      const examples = stdout.match(new RegExp(`^ .*blast ${verb}\\b`, "gm")) ?? [];
      expect(examples.length).toBeGreaterThan(0);
      for (const line of stdout.split("\n")) expect(Bun.stringWidth(line)).toBeLessThanOrEqual(100);
      const short = await runTool("blast", [...verb.split(" "), "-h"]);
      expect(short.stdout.length).toBeLessThanOrEqual(stdout.length);
    });
  }

  test("blast alone tells its verbs", async () => {
    const { stdout, stderr } = await runTool("blast", ["--help"]);
    for (const verb of VERBS) expect(stdout + stderr).toContain(verb.split(" ")[0] ?? "");
    const bare = await runTool("blast", []);
    expect(bare.stdout + bare.stderr).toContain("install");
  });
});

describe("what is not understood: exit 2 and the nearest that is", () => {
  const cases: readonly (readonly [readonly string[], string])[] = [
    [["instal", "x"], "blast install"],
    [["add", "x"], "blast install"],
    [["uninstall", "x"], "blast remove"],
    [["upgrade"], "blast update"],
    [["pip-compile"], "blast compile"],
    [["install", "--dryrun", "x"], "--dry-run"],
    [["install", "--ofline", "x"], "--offline"],
    [["sync", "--index-ulr", "x"], "--index-url"],
    [["lock", "--upgrad"], "--upgrade"],
    [["install", "x", "--resolution", "lowst"], "lowest"],
    [["python", "lst"], "blast python list"],
  ];
  for (const [args, near] of cases) {
    test(args.join(" "), async () => {
      const { code, stdout, stderr } = await runTool("blast", args);
      expect([code, stdout]).toEqual([2, ""]);
      expect(stderr).toContain(near);
      expect(stderr.split("\n").length).toBeLessThan(6);
    });
  }

  test("surplus words and missing values", async () => {
    for (const args of [["sync", "x"], ["install", "--index-url"], ["why"], ["why", "a", "b"]]) {
      expect((await runTool("blast", args)).code).toBe(2);
    }
  });
});

/** app 2 needs lib 2, old needs lib 1. */
function offerConflict({ index }: BlastWorld): void {
  for (const version of ["1.0", "2.0"]) {
    index.add({ name: "lib", version });
    index.add({ name: "app", version, requires: [`lib==${version}`] });
  }
  index.add({ name: "old", version: "0.9", requires: ["lib<2"] });
}

describe("what cannot be solved is told as a person would tell it", () => {
  test("a conflict: who wants what, and what would help", async () => {
    await using world = await blastWorld();
    offerConflict(world);
    const { stderr, stdout } = await world.fails("install", "app>=2", "old");
    expect(stdout).toBe("");
    expect(stderr).toStartWith("error: Cannot find versions that fit together: ");
    for (const fact of ["app", "lib==2.0", "old", "lib<2"]) expect(stderr).toContain(fact);
    expect(stderr).toMatch(/^hint: /m);
    expect(stderr.length).toBeLessThan(600);
    expect(world.has("blast.toml")).toBe(false);
  });

  const cases: Readonly<Record<string, readonly [string, readonly string[]]>> = {
    "a name that no index knows": ["ap", ['no index has a package named "ap"', "hint: "]],
    "a version that is not there": ["app==7", ["app==7", "2.0"]],
    "only pre-releases outside of the bounds": ["pre>=1,<2", ["pre"]],
    "another Python": ["future", ["future", "Python", ">=99"]],
    "no file for this platform": ["native", ["native", "Windows"]],
    "an extra that does not exist is no failure": ["", []],
  };
  for (const [name, [requirement, told]] of Object.entries(cases)) {
    if (requirement === "") continue;
    test(name, async () => {
      await using world = await blastWorld();
      offerConflict(world);
      world.index.add({ name: "pre", version: "2.0a1" });
      world.index.add({ name: "future", requiresPython: ">=99" });
      world.index.add({ name: "native", tags: ["cp311-cp311-win_amd64"] });
      const { stderr } = await world.fails("install", "--no-record", requirement);
      for (const words of told) expect(stderr).toContain(words);
      expect(stderr).not.toMatch(/undefined|\[object|NaN/);
    });
  }

  test("an extra that does not exist is a warning", async () => {
    await using world = await blastWorld();
    offerConflict(world);
    const { stderr } = await world.ok("install", "--no-record", "app[nonsense]");
    expect(stderr).toContain("nonsense");
    expect(world.installed()).toEqual({ app: "2.0", lib: "2.0" });
  });
});

describe("streams", () => {
  test("-q says nothing but errors; data comes all the same", async () => {
    await using world = await blastWorld();
    offerConflict(world);
    const quiet = await world.ok("install", "-q", "app");
    expect([quiet.stdout, quiet.stderr]).toEqual(["", ""]);
    expect((await world.ok("list", "-q")).stdout).toContain("app");
    const failed = await world.fails("install", "-q", "nothing-like-it");
    expect(failed.stderr).toContain("nothing-like-it");
  });

  test("-v tells more, on standard error", async () => {
    await using world = await blastWorld();
    offerConflict(world);
    const { stdout, stderr } = await world.ok("install", "-v", "app");
    expect(stdout).toBe("");
    expect(stderr).toContain("Fetching");
  });

  test("no stack without --debug, one with it", async () => {
    await using world = await blastWorld();
    const plain = await world.fails("install", "nothing-like-it");
    expect(plain.stderr).not.toMatch(/\n\s+at /);
    const debug = await world.fails("install", "--debug", "nothing-like-it");
    expect(debug.stderr).toMatch(/\n\s+at /);
  });

  test("colours on request alone; NO_COLOR stands above all", async () => {
    await using world = await blastWorld();
    offerConflict(world);
    const sequence = String.fromCharCode(27);
    const seen = async (args: readonly string[], env: Record<string, string>) => {
      const run = await world.blast(["install", "--dry-run", "app", ...args], { env });
      return (run.stdout + run.stderr).includes(sequence);
    };
    expect(await seen([], {})).toBe(false);
    expect(await seen(["--color", "always"], {})).toBe(true);
    expect(await seen([], { FORCE_COLOR: "1" })).toBe(true);
    expect(await seen([], { FORCE_COLOR: "1", NO_COLOR: "1" })).toBe(false);
    expect(await seen(["--color", "never"], { FORCE_COLOR: "1" })).toBe(false);
  });

  test("a closed pipe is no failure", async () => {
    await using world = await blastWorld();
    offerConflict(world);
    await world.ok("install", "app", "old", "--no-record", "lib<2").catch(() => undefined);
    const run = Bun.spawnSync(["bash", "-c", 'set -o pipefail; "$0" list | true; echo $?'], {
      cwd: world.project,
      env: { ...world.env },
    });
    expect(run.stderr.toString()).not.toContain("EPIPE");
  });
});
