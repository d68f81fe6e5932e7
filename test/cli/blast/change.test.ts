/** update and remove, end to end. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { runCommand } from "../../support/binary.ts";
import { needsPip } from "../../support/blast-env.ts";
import { type BlastWorld, basePython, blastWorld } from "../../support/blast-world.ts";
import { testUnless } from "../../support/skip.ts";

setDefaultTimeout(60_000);

/** top needs mid, mid needs low; side needs low. */
function offer({ index }: BlastWorld, version = "1.0"): void {
  index.add({ name: "top", version, requires: ["mid"] });
  index.add({ name: "mid", version, requires: ["low"] });
  index.add({ name: "side", version, requires: ["low"] });
  index.add({ name: "low", version });
}

/** Pages are fresh for ten minutes; a test does not wait. An update does not, either. */
const FRESH = "--refresh";

describe("update", () => {
  test("everything, within the project's bounds, which stay as they are", async () => {
    await using world = await blastWorld();
    offer(world);
    await world.ok("install", "top<3", "side");
    const record = world.read("blast.toml");
    offer(world, "2.0");
    offer(world, "3.0");
    await world.ok("sync", FRESH);
    expect(world.installed()).toEqual({ low: "1.0", mid: "1.0", side: "1.0", top: "1.0" });
    const { stderr } = await world.ok("update");
    expect(world.installed()).toEqual({ low: "3.0", mid: "3.0", side: "3.0", top: "2.0" });
    expect(stderr).toContain(" ~ top 1.0 -> 2.0\n");
    expect(world.read("blast.toml")).toBe(record);
    expect(world.read("pylock.toml")).toContain('name = "top"\nversion = "2.0"');
    expect(world.flaws()).toEqual([]);
    expect((await world.ok("update")).stderr).toContain("Nothing to do");
  });

  test("one package", async () => {
    await using world = await blastWorld();
    offer(world);
    await world.ok("install", "top", "side");
    offer(world, "2.0");
    await world.ok("update", "side");
    expect(world.installed()).toMatchObject({ mid: "1.0", side: "2.0", top: "1.0" });
    await world.ok("update", "--dry-run");
    expect(world.installed()).toMatchObject({ mid: "1.0", side: "2.0", top: "1.0" });
  });

  test("a name that nothing asks for is told", async () => {
    await using world = await blastWorld();
    offer(world);
    await world.ok("install", "top");
    const { stderr } = await world.fails("update", "tpo");
    expect(stderr).toContain('"tpo"');
    expect(stderr).toMatch(/hint: .*top/);
    expect((await world.fails(2, "update", "top>=2")).stderr).toContain("names only");
  });

  test("without a project: what requirements.txt asks for", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("requirements.txt", "top\n");
    await world.ok("sync");
    offer(world, "2.0");
    await world.ok("sync", FRESH);
    expect(world.installed()).toEqual({ low: "1.0", mid: "1.0", top: "1.0" });
    await world.ok("update");
    expect(world.installed()).toEqual({ low: "2.0", mid: "2.0", top: "2.0" });
    expect(world.has("pylock.toml")).toBe(false);
  });

  test("in an environment without any project", async () => {
    await using world = await blastWorld();
    offer(world);
    await world.ok("start");
    await world.ok("install", "--no-record", "top");
    offer(world, "2.0");
    await world.ok("update");
    expect(world.installed()).toEqual({ low: "2.0", mid: "2.0", top: "2.0" });
    expect(world.requested()).toEqual(["top"]);
    expect(world.has("blast.toml")).toBe(false);
  });
});

describe("remove", () => {
  test("takes what only it needed along, and the record", async () => {
    await using world = await blastWorld();
    offer(world);
    await world.ok("install", "top", "side");
    const { stderr } = await world.ok("remove", "top");
    expect(stderr).toContain(" - mid==1.0\n - top==1.0\nRemoved 2 packages");
    expect(world.installed()).toEqual({ low: "1.0", side: "1.0" });
    expect(world.read("blast.toml")).not.toContain("top");
    expect(world.read("pylock.toml")).not.toContain('"mid"');
    expect(world.flaws()).toEqual([]);
    await world.ok("sync", "--locked");
  });

  test("what something needs is refused, with its name", async () => {
    await using world = await blastWorld();
    offer(world);
    await world.ok("install", "top");
    const { stderr } = await world.fails("remove", "low");
    expect(stderr).toContain('Cannot remove "low": mid needs it');
    expect(world.installed()).toEqual({ low: "1.0", mid: "1.0", top: "1.0" });
    await world.ok("start", "--path", world.work.folder("bare"));
    const bare = world.work.at("bare/.venv");
    await world.ok("install", "--python", bare, "top", "side");
    const again = await world.fails("remove", "--python", bare, "mid");
    expect(again.stderr).toContain("top needs it");
    await world.ok("remove", "--python", bare, "top");
    expect(world.installed(bare)).toEqual({ low: "1.0", side: "1.0" });
    await world.ok("remove", "--python", bare, "side");
    expect(world.installed(bare)).toEqual({});
    expect(world.flaws(bare)).toEqual([]);
  });

  test("recorded and needed by another: the record goes, the package stays", async () => {
    await using world = await blastWorld();
    offer(world);
    await world.ok("install", "top", "low");
    expect(world.requested()).toEqual(["low", "top"]);
    const { stderr } = await world.ok("remove", "low");
    expect(world.read("blast.toml")).not.toContain("low");
    expect(world.installed()).toEqual({ low: "1.0", mid: "1.0", top: "1.0" });
    expect(stderr).toContain("low stays installed, because mid needs it");
    expect(stderr).toContain("Changed blast.toml and pylock.toml: 3 packages are as wanted");
    expect(world.requested()).toEqual(["top"]);
    expect(world.flaws()).toEqual([]);
    await world.ok("undo");
    expect(world.requested()).toEqual(["low", "top"]);
    expect(world.read("blast.toml")).toContain("low");
    expect(world.flaws()).toEqual([]);
  });

  test("what was installed for another's sake is marked once somebody asks for it", async () => {
    await using world = await blastWorld();
    offer(world);
    await world.ok("start");
    await world.ok("install", "--no-record", "top");
    expect(world.requested()).toEqual(["top"]);
    await world.ok("install", "--no-record", "low");
    expect(world.requested()).toEqual(["low", "top"]);
    expect(world.flaws()).toEqual([]);
    await world.ok("check");
    await world.ok("remove", "top");
    expect(world.installed()).toEqual({ low: "1.0" });
  });

  test("what was put there without a record stays, as long as it is not in the way", async () => {
    await using world = await blastWorld();
    offer(world);
    world.index.add({ name: "loose" });
    await world.ok("install", "top");
    await world.ok("install", "--no-record", "loose");
    await world.ok("remove", "top");
    expect(world.installed()).toEqual({ loose: "1.0" });
  });

  test("what is not there", async () => {
    await using world = await blastWorld();
    offer(world);
    await world.ok("install", "top");
    const { stderr } = await world.fails("remove", "tops");
    expect(stderr).toContain('"tops"');
    expect(stderr).toMatch(/hint: .*top/);
    await world.fails("remove", "top", "nobody");
    expect(world.installed()).toEqual({ low: "1.0", mid: "1.0", top: "1.0" });
    expect(world.read("blast.toml")).toContain("top");
    await world.fails(2, "remove");
  });

  test("--dry-run and --json", async () => {
    await using world = await blastWorld();
    offer(world);
    await world.ok("install", "top");
    const { stdout } = await world.ok("remove", "--dry-run", "--json", "top");
    expect(JSON.parse(stdout)).toMatchObject({
      command: "remove",
      dryRun: true,
      removed: [{ name: "low" }, { name: "mid" }, { name: "top" }],
    });
    expect(world.installed()).toEqual({ low: "1.0", mid: "1.0", top: "1.0" });
    expect(world.read("blast.toml")).toContain("top");
  });

  testUnless(needsPip())(
    "what pip has installed, and pip removes what blast has installed",
    async () => {
      await using world = await blastWorld();
      offer(world);
      await world.ok("install", "top");
      const site = world.site();
      const pip = async (...args: string[]): Promise<string> => {
        const python = `${world.venv}/bin/python`;
        const run = await runCommand(
          [basePython(), "-m", "pip", "--python", python, "--isolated", ...args],
          { env: { ...world.env, PIP_DISABLE_PIP_VERSION_CHECK: "1" } },
        );
        if (run.code !== 0) throw new Error(run.stderr);
        return run.stdout;
      };
      expect(await pip("check")).toContain("No broken requirements");
      await pip("install", "--no-deps", "--index-url", world.index.url, "side");
      expect(world.installed()).toMatchObject({ side: "1.0" });
      await world.ok("remove", "side");
      expect(world.installed()).toEqual({ low: "1.0", mid: "1.0", top: "1.0" });
      await pip("uninstall", "-y", "top", "mid", "low");
      expect(world.installed()).toEqual({});
      expect([...new Bun.Glob("**/*").scanSync({ cwd: site, dot: true })]).toEqual([]);
    },
  );
});
