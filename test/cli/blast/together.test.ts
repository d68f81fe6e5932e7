/** Several blasts at once: on one environment, on one store. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { isLock, tryLock } from "../../../src/kit/store/lock.ts";
import { binaryPath, toolEnvironment } from "../../support/binary.ts";
import { type BlastWorld, blastWorld } from "../../support/blast-world.ts";

setDefaultTimeout(120_000);

const NAMES = ["one", "two", "three", "four", "five"];

function offer({ index }: BlastWorld): Record<string, string> {
  for (const name of NAMES) index.add({ name, requires: ["shared"] });
  index.add({ name: "shared" });
  return Object.fromEntries([...NAMES, "shared"].sort().map((name) => [name, "1.0"]));
}

describe("one environment", () => {
  for (const exists of [false, true]) {
    test(`that ${exists ? "exists" : "does not exist yet"}: all are right`, async () => {
      await using world = await blastWorld();
      const all = offer(world);
      if (exists) await world.ok("start");
      await Promise.all(NAMES.map((name) => world.ok("install", name)));
      expect(world.installed()).toEqual(all);
      expect(world.requested()).toEqual(NAMES.toSorted());
      for (const name of NAMES) expect(world.read("blast.toml")).toContain(`"${name}>=1.0"`);
      expect(world.flaws()).toEqual([]);
      await world.ok("check");
      expect((await world.ok("sync", "--locked")).stderr).toContain("Nothing to do");
    });
  }

  test("without a project", async () => {
    await using world = await blastWorld();
    const all = offer(world);
    await world.ok("start", "--path", world.work.folder("bare"));
    const bare = world.work.at("bare/.venv");
    await Promise.all(NAMES.map((name) => world.ok("install", "--python", bare, name)));
    expect(world.installed(bare)).toEqual(all);
    // The undo may come first: then there is nothing of that name to remove.
    const runs = await Promise.all([
      world.blast(["remove", "--python", bare, "one", "two"]),
      world.blast(["remove", "--python", bare, "three"]),
      world.blast(["undo", "--python", bare]),
      world.blast(["list", "--python", bare]),
    ]);
    expect(runs.map(({ code }) => code > 1)).toEqual([false, false, false, false]);
    expect(world.flaws(bare)).toEqual([]);
    await world.ok("check", "--python", bare);
  });

  test("who waits says for whom", async () => {
    await using world = await blastWorld();
    offer(world);
    await world.ok("install", "one");
    const lock = tryLock(join(world.venv, ".blast/lock"), "blast of a test");
    if (!isLock(lock)) throw new Error("the lock is taken");
    const waiting = Bun.spawn([await binaryPath("blast"), "install", "two"], {
      cwd: world.project,
      env: toolEnvironment(world.env),
      stdout: "ignore",
      stderr: "pipe",
    });
    let told = "";
    const reader = waiting.stderr.pipeThrough(new TextDecoderStream()).getReader();
    const read = async (): Promise<boolean> => {
      const { value, done } = await reader.read();
      told += value ?? "";
      return !done;
    };
    while (!told.includes("Waiting for process") && (await read()));
    expect(told).toContain(`Waiting for process ${process.pid} (blast of a test)`);
    // Readers do not wait.
    expect((await world.ok("list")).stdout).not.toContain("two");
    expect(world.installed()).not.toHaveProperty("two");
    lock[Symbol.dispose]();
    while (await read());
    expect(await waiting.exited, told).toBe(0);
    expect(world.installed()).toHaveProperty("two");
  });

  test("a program that runs in it keeps nobody waiting", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("blast.toml", '[packages]\ndependencies = ["one"]\n');
    const child = Bun.spawn([await binaryPath("blast"), "run", "sh", "-c", "echo up; sleep 30"], {
      cwd: world.project,
      env: toolEnvironment(world.env),
      stdout: "pipe",
      stderr: "ignore",
    });
    const reader = child.stdout.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("up\n");
    const { stderr } = await world.ok("install", "two");
    expect(stderr).not.toContain("Waiting");
    await world.ok("clean", "--all");
    child.kill("SIGKILL");
    await child.exited;
    expect(world.installed()).toEqual({ one: "1.0", shared: "1.0", two: "1.0" });
  });

  test("a file that is edited while blast resolves is not overwritten", async () => {
    await using world = await blastWorld();
    offer(world);
    await world.ok("install", "one");
    let release = (): void => undefined;
    const blocked = new Promise<void>((resolve) => {
      release = resolve;
    });
    world.index.fault(/\/simple\/two\//, async (_, answer, hit) => {
      if (hit === 0) await blocked;
      return answer();
    });
    const installing = world.ok("install", "two");
    while (!world.index.asked.some(({ path }) => path.includes("two"))) await Bun.sleep(5);
    world.write("blast.toml", `# mine\n${world.read("blast.toml")}`);
    release();
    await installing;
    expect(world.read("blast.toml")).toStartWith("# mine\n");
    expect(world.read("blast.toml")).toContain('"two>=1.0"');
    expect(world.installed()).toEqual({ one: "1.0", shared: "1.0", two: "1.0" });
  });
});

describe("one store", () => {
  test("that is empty: several projects install the same at the same time", async () => {
    await using world = await blastWorld();
    const all = offer(world);
    const folders = ["a", "b", "c", "d"].map((name) => world.work.folder(`projects/${name}`));
    const runs = await Promise.all(
      folders.map((cwd) => world.blast(["install", ...NAMES], { cwd })),
    );
    expect(runs.map(({ code, stderr }) => (code === 0 ? "" : stderr))).toEqual(["", "", "", ""]);
    for (const folder of folders) {
      expect(world.installed(join(folder, ".venv"))).toEqual(all);
      expect(world.flaws(join(folder, ".venv"))).toEqual([]);
    }
  });

  test("that is cleaned while others install from it", async () => {
    await using world = await blastWorld();
    const all = offer(world);
    const folders = ["a", "b", "c"].map((name) => world.work.folder(`projects/${name}`));
    const cleaning = (async () => {
      for (let round = 0; round < 8; round += 1) await world.blast(["clean", "--all"]);
    })();
    const runs = await Promise.all(
      folders.map((cwd) => world.blast(["install", ...NAMES], { cwd })),
    );
    await cleaning;
    expect(runs.map(({ code, stderr }) => (code === 0 ? "" : stderr))).toEqual(["", "", ""]);
    for (const folder of folders) {
      expect(world.installed(join(folder, ".venv"))).toEqual(all);
      expect(world.flaws(join(folder, ".venv"))).toEqual([]);
    }
  });
});
