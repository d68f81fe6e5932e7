/** blast run, end to end. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import { binaryPath, toolEnvironment } from "../../support/binary.ts";
import { type BlastWorld, blastWorld } from "../../support/blast-world.ts";

setDefaultTimeout(60_000);

function offer({ index }: BlastWorld): void {
  index.add({
    name: "tool",
    files: {
      "tool/__init__.py": "import sys\ndef main():\n    print(sys.argv[1:])\n    return 3\n",
    },
    entryPoints: "[console_scripts]\ntool = tool:main\n",
  });
  for (const version of ["1.0", "2.0"]) index.add({ name: "lib", version });
}

const PROJECT = '[packages]\ndependencies = ["tool"]\n';

describe("a program of the environment", () => {
  test("after a sync; its words, its output and its exit code are its own", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("blast.toml", PROJECT);
    const first = await world.fails(3, "run", "tool", "-x", "--help", "--", "a b");
    expect(first.stdout).toBe("['-x', '--help', '--', 'a b']\n");
    expect(first.stderr).toContain("Installed 1 package");
    const second = await world.fails(3, "run", "tool");
    expect([second.stdout, second.stderr]).toEqual(["[]\n", ""]);
    expect(world.installed()).toEqual({ tool: "1.0" });
  });

  test("PATH, VIRTUAL_ENV, standard input", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("blast.toml", PROJECT);
    const script =
      'read line; echo "$line $VIRTUAL_ENV $PYTHONHOME"; command -v tool; command -v python';
    const run = await world.blast(["run", "sh", "-c", script], {
      stdin: "hello\n",
      env: { PYTHONHOME: "/nowhere" },
    });
    expect(run.stdout).toBe(
      `hello ${world.venv} \n${world.venv}/bin/tool\n${world.venv}/bin/python\n`,
    );
  });

  test("what is not there: 127 and a hint", async () => {
    await using world = await blastWorld();
    offer(world);
    const { stderr } = await world.fails(127, "run", "no-such-program");
    expect(stderr).toContain('"no-such-program"');
    expect(stderr).toContain("blast install no-such-program");
    await world.fails(2, "run");
  });

  test("a script whose interpreter is not there: told, and no bug", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("blast.toml", PROJECT);
    await world.fails(3, "run", "tool");
    renameSync(world.project, world.work.at("moved"));
    const cwd = world.work.at("moved");
    const run = await world.blast(["run", "tool"], { cwd });
    expect(run.code).toBe(127);
    expect(run.stderr).toContain(`"${world.venv}/bin/python", which starts it, is not there`);
    expect(run.stderr).toContain("blast check --repair");
    expect((await world.blast(["check", "--repair"], { cwd })).code).toBe(0);
    expect((await world.blast(["run", "tool"], { cwd })).code).toBe(3);
  });

  test("--no-sync runs in the environment as it is", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("blast.toml", PROJECT);
    await world.ok("start", "--no-sync");
    await world.fails(127, "run", "--no-sync", "tool");
    expect(world.installed()).toEqual({});
    world.write("blast.toml", `[sync]\npkg_layer = "manual"\n${PROJECT}`);
    await world.fails(127, "run", "tool");
    expect(world.installed()).toEqual({});
  });

  test("what cannot be installed: nothing is run", async () => {
    await using world = await blastWorld();
    world.write("blast.toml", '[packages]\ndependencies = ["nothing-like-it"]\n');
    const { stdout, stderr } = await world.fails("run", "echo", "run");
    expect(stdout).toBe("");
    expect(stderr).toContain("nothing-like-it");
  });

  test("a module and a script by path", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("blast.toml", PROJECT);
    world.write("plain.py", "import sys, tool\nprint(sys.argv, sys.prefix)\nsys.exit(5)\n");
    const run = await world.fails(5, "run", "plain.py", "-q", "x");
    expect(run.stdout).toBe(`['plain.py', '-q', 'x'] ${world.venv}\n`);
    await world.ok("run", "python", "-m", "tool.__init__");
  });

  test("signals reach it, and its death by one is told as a shell would", async () => {
    await using world = await blastWorld();
    offer(world);
    await world.ok("start");
    const dies = await world.blast(["run", "sh", "-c", "kill -TERM $$"]);
    expect(dies.code).toBe(143);
    const child = Bun.spawn(
      [await binaryPath("blast"), "run", "sh", "-c", "trap 'exit 9' INT; echo up; sleep 30 & wait"],
      { cwd: world.project, env: toolEnvironment(world.env), stdout: "pipe", stderr: "ignore" },
    );
    const reader = child.stdout.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("up\n");
    child.kill("SIGINT");
    await child.exited;
    expect(child.exitCode).toBe(9);
  });
});

describe("a script with requirements of its own (PEP 723)", () => {
  const SCRIPT = `
    # /// script
    # requires-python = ">=3.8"
    # dependencies = ["lib<2"]
    # ///
    import lib, sys
    print(lib.VERSION, sys.prefix)
  `;

  test("gets an environment of its own, once", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("blast.toml", PROJECT);
    world.write("own.py", SCRIPT);
    const { stdout } = await world.ok("run", "own.py");
    const [version, prefix = ""] = stdout.trim().split(" ");
    expect(version).toBe("1.0");
    expect(prefix).toStartWith(world.cache);
    expect(existsSync(world.venv)).toBe(false);
    const asked = world.index.asked.length;
    expect((await world.ok("run", "own.py")).stdout).toBe(stdout);
    expect(world.index.asked).toHaveLength(asked);
    expect(readdirSync(join(world.cache, "scripts-v1"))).toHaveLength(1);
    world.write("own.py", SCRIPT.replace("lib<2", "lib>=2"));
    expect((await world.ok("run", "own.py")).stdout).toStartWith("2.0 ");
    expect(world.flaws(prefix)).toEqual([]);
  });

  test("of several first runs at once one makes it", async () => {
    await using world = await blastWorld();
    offer(world);
    for (const round of [1, 2]) {
      world.write(`own${round}.py`, SCRIPT);
      const runs = Array.from({ length: 6 }, () => world.blast(["run", `own${round}.py`]));
      for (const { code, stderr } of await Promise.all(runs)) {
        expect([code, stderr.replaceAll(/^(?:Waiting for| \+|Installed).*\n/gm, "")]).toEqual([
          0,
          "",
        ]);
      }
    }
  });

  test("what a killed run has left of it is taken back", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("own.py", SCRIPT);
    const { stdout } = await world.ok("run", "own.py");
    const state = join(stdout.trim().split(" ")[1] ?? "", ".blast");
    renameSync(join(state, "done-1"), join(state, "open-1"));
    const journal = JSON.parse(readFileSync(join(state, "open-1/journal.json"), "utf8"));
    const places: [string, string][] = journal.places;
    for (const [from] of places) mkdirSync(dirname(join(state, "..", from)), { recursive: true });
    const module = places.find(([, to]) => to.includes("lib") && !to.endsWith(".dist-info"));
    const [from = "", to = ""] = module ?? [];
    renameSync(join(state, "..", to), join(state, "..", from));
    const again = await world.ok("run", "own.py");
    expect(again.stdout).toBe(stdout);
    expect(again.stderr).toContain("Taken back");
  });

  test("a folder is run as Python does it, and a file that cannot be read is told", async () => {
    await using world = await blastWorld();
    world.write("own.py/__main__.py", "print('of a folder')\n");
    expect((await world.ok("run", "own.py")).stdout).toBe("of a folder\n");
    symlinkSync("/proc/self/mem", join(world.project, "mem.py"));
    expect((await world.fails("run", "mem.py")).stderr).toContain('Cannot read "');
  });

  test("what is wrong with it is told", async () => {
    await using world = await blastWorld();
    world.write("own.py", SCRIPT.replace('"lib<2"', '"lib<2", 7'));
    const wrong = await world.fails(2, "run", "own.py");
    expect(wrong.stderr).toContain("own.py");
    world.write("own.py", SCRIPT.replace("lib<2", "nothing-like-it"));
    expect((await world.fails("run", "own.py")).stderr).toContain("nothing-like-it");
    world.write("own.py", SCRIPT.replace(">=3.8", ">=99"));
    expect((await world.fails("run", "own.py")).stderr).toContain(">=99");
  });
});
