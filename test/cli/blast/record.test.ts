/** What installing, removing and undoing leave in the project's own files, end to end. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readlinkSync, statSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { type BlastWorld, blastWorld } from "../../support/blast-world.ts";
import { sourceTree } from "../../support/test-packages.ts";

setDefaultTimeout(60_000);

const PYPROJECT = `
# The project.
[project]
name = "mine"   # and its name
version = "0"
requires-python = ">=3.9"
dependencies = [
    "lib <2",  # not the new one
    # keep this comment
]

[tool.other]
x = 1 # untouched
`;

function offer({ index }: BlastWorld): void {
  for (const version of ["1.0", "1.5", "2.0"]) index.add({ name: "lib", version });
  for (const version of ["1.0", "1.4"]) {
    index.add({ name: "app", version, requires: ["lib"], extras: { more: ["plus"] } });
  }
  for (const name of ["plus", "tool"]) index.add({ name, version: "0.1" });
}

describe("pyproject.toml", () => {
  test("a name gets a bound, all else stays byte for byte", async () => {
    await using world = await blastWorld();
    offer(world);
    const before = PYPROJECT.trimStart();
    world.write("pyproject.toml", before);
    await world.ok("install", "app");
    expect(world.read("pyproject.toml")).toBe(
      before.replace("    # keep", '    "app>=1.4",\n    # keep'),
    );
    expect(world.installed()).toEqual({ app: "1.4", lib: "1.5" });
    expect(world.requested()).toEqual(["app", "lib"]);
    expect(world.has("blast.toml")).toBe(false);
  });

  const texts: readonly (readonly [string, string])[] = [
    ["app>1", '"app>1"'],
    ["app==1.0", '"app==1.0"'],
    ["App[more]", '"app[more]>=1.4"'],
    ["app; python_version >= '3'", `'app>=1.4 ; python_version >= "3"'`],
    ["app<9; sys_platform == 'none'", `'app<9; sys_platform == "none"'`],
  ];
  for (const [typed, written] of texts) {
    test(`${typed} is written as ${written}`, async () => {
      await using world = await blastWorld();
      offer(world);
      world.write("pyproject.toml", PYPROJECT);
      await world.ok("install", typed);
      const lines = world.read("pyproject.toml").split("\n");
      const found = lines.find((line) => /["']app/.test(line));
      expect(found?.trim().replace(/,$/, "")).toBe(written);
    });
  }

  test("a second install of a name replaces its entry", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("pyproject.toml", PYPROJECT);
    await world.ok("install", "lib==1.0");
    expect(world.read("pyproject.toml")).toContain('    "lib==1.0",  # not the new one\n');
    expect(world.installed()).toEqual({ lib: "1.0" });
  });

  test("--group and --optional have their own tables, and are installed at once", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("pyproject.toml", PYPROJECT);
    await world.ok("install", "--group", "test", "tool");
    await world.ok("install", "--optional", "extra", "plus");
    const text = world.read("pyproject.toml");
    expect(text).toMatch(/\[dependency-groups\]\ntest = \[\s*"tool>=0\.1",?\s*\]/);
    expect(text).toMatch(/\[project\.optional-dependencies\]\nextra = \[\s*"plus>=0\.1",?\s*\]/);
    expect(text).toStartWith(PYPROJECT.trimStart().slice(0, 200));
    expect(world.installed()).toEqual({ lib: "1.5", plus: "0.1", tool: "0.1" });
    await world.ok("sync");
    expect(world.installed()).toEqual({ lib: "1.5" });
    await world.ok("sync", "--group", "test", "--extra", "extra");
    expect(world.installed()).toEqual({ lib: "1.5", plus: "0.1", tool: "0.1" });
    const { stderr } = await world.fails("sync", "--group", "tset");
    expect(stderr).toContain('"tset"');
    expect(stderr).toContain("test");
    await world.ok("remove", "--group", "test", "tool");
    expect(world.read("pyproject.toml")).toMatch(/test = \[\s*\]/);
  });

  test("the group dev is taken where there is one", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("pyproject.toml", PYPROJECT);
    await world.ok("install", "--group", "dev", "tool");
    await world.ok("sync");
    expect(world.installed()).toEqual({ lib: "1.5", tool: "0.1" });
  });

  test("a link stays a link, and a mode as it is", async () => {
    await using world = await blastWorld();
    offer(world);
    world.work.write("elsewhere/mine.toml", PYPROJECT.trimStart(), { mode: 0o600 });
    symlinkSync("../elsewhere/mine.toml", join(world.project, "pyproject.toml"));
    await world.ok("install", "app");
    expect(readlinkSync(join(world.project, "pyproject.toml"))).toBe("../elsewhere/mine.toml");
    expect(statSync(world.work.at("elsewhere/mine.toml")).mode & 0o777).toBe(0o600);
    expect(world.read("pyproject.toml")).toContain("app>=1.4");
    await world.ok("undo");
    expect(readlinkSync(join(world.project, "pyproject.toml"))).toBe("../elsewhere/mine.toml");
    expect(world.read("pyproject.toml")).toBe(PYPROJECT.trimStart());
  });

  test("--no-record leaves the files alone", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("pyproject.toml", PYPROJECT);
    await world.ok("install", "--no-record", "app");
    expect(world.read("pyproject.toml")).toBe(PYPROJECT.trimStart());
    expect(world.installed()).toMatchObject({ app: "1.4" });
    expect(readdirSync(world.project).sort()).toEqual([".venv", "pyproject.toml"]);
  });

  test("nothing fits: neither file nor environment change", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("pyproject.toml", PYPROJECT);
    await world.ok("sync");
    const lock = world.read("pylock.toml");
    const { stderr } = await world.fails("install", "lib>=3", "app");
    expect(stderr).toContain("lib");
    await world.fails("install", "nothing-of-this-name");
    await world.fails("install", "app==99");
    expect(world.read("pyproject.toml")).toBe(PYPROJECT.trimStart());
    expect(world.read("pylock.toml")).toBe(lock);
    expect(world.installed()).toEqual({ lib: "1.5" });
    expect(world.flaws()).toEqual([]);
  });

  test("dynamic dependencies are refused, a group is not", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write(
      "pyproject.toml",
      '[project]\nname = "x"\nversion = "0"\ndynamic = ["dependencies"]\n',
    );
    const { stderr } = await world.fails("install", "lib");
    expect(stderr).toContain("dynamic");
    await world.ok("install", "--group", "dev", "lib");
    expect(world.installed()).toEqual({ lib: "2.0" });
  });

  test("the project itself, editable", async () => {
    await using world = await blastWorld();
    offer(world);
    const tree = sourceTree({ name: "mine", requires: ["lib<2"] });
    for (const [path, text] of Object.entries(tree)) world.work.write(`project/${path}`, text);
    world.write("backend.py", EDITABLE_BACKEND);
    world.write("mine.py", "VALUE = 1\n");
    const before = world.read("pyproject.toml");
    await world.ok("install", "-e", ".");
    expect(world.read("pyproject.toml")).toBe(before);
    expect(world.installed()).toEqual({ lib: "1.5", mine: "1.0" });
    expect(world.python("import mine; print(mine.VALUE)")).toBe("1");
    // Of another size: within one second, Python tells a changed file by that alone.
    world.write("mine.py", "VALUE = 20\n");
    expect(world.python("import mine; print(mine.VALUE)")).toBe("20");
    expect(JSON.parse(world.info("mine", "direct_url.json") ?? "")).toEqual({
      url: `file://${world.project}`,
      dir_info: { editable: true },
    });
    expect(world.flaws()).toEqual([]);
    expect((await world.ok("sync")).stderr).toContain("Nothing to do");
  });
});

/** PEP 660, in the way of a path file. */
const EDITABLE_BACKEND = `
import base64, hashlib, os, zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    name = "mine-1.0-py3-none-any.whl"
    files = {
        "mine.pth": os.getcwd() + "\\n",
        "mine-1.0.dist-info/METADATA":
            "Metadata-Version: 2.1\\nName: mine\\nVersion: 1.0\\nRequires-Dist: lib<2\\n",
        "mine-1.0.dist-info/WHEEL":
            "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    }
    record = ""
    for path, text in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest())
        record += f"{path},sha256={digest.decode().rstrip('=')},{len(text)}\\n"
    files["mine-1.0.dist-info/RECORD"] = record + "mine-1.0.dist-info/RECORD,,\\n"
    with zipfile.ZipFile(os.path.join(folder, name), "w") as wheel:
        for path, text in files.items():
            wheel.writestr(path, text)
    return name

def build_wheel(folder, config_settings=None, metadata_directory=None):
    raise SystemExit("an editable was wanted")
`;

describe("blast.toml, where there is no pyproject.toml", () => {
  test("it is made, and kept in form", async () => {
    await using world = await blastWorld();
    offer(world);
    await world.ok("install", "app");
    expect(world.read("blast.toml")).toMatch(
      /^\[packages\]\ndependencies = \[\s*"app>=1\.4",?\s*\]\n$/,
    );
    world.write(
      "blast.toml",
      '# mine\n[env]\nname = "n" # here\n\n[packages]\ndependencies = []\n',
    );
    await world.ok("install", "lib<2");
    expect(world.read("blast.toml")).toMatch(
      /^# mine\n\[env\]\nname = "n" # here\n\n\[packages\]\ndependencies = \[\s*"lib<2",?\s*\]\n$/,
    );
    expect(world.has("pyproject.toml")).toBe(false);
  });

  test("a pyproject.toml that only configures tools", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("pyproject.toml", "[tool.x]\ny = 1\n");
    await world.ok("install", "lib");
    expect(world.read("pyproject.toml")).toBe("[tool.x]\ny = 1\n");
    expect(world.read("blast.toml")).toContain('"lib>=2.0"');
    const { stderr } = await world.fails("install", "--optional", "x", "tool");
    expect(stderr).toContain("[project]");
  });
});

describe("undo", () => {
  test("takes back the packages and the record, step by step", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("pyproject.toml", PYPROJECT);
    await world.ok("sync");
    const first = [world.read("pyproject.toml"), world.read("pylock.toml"), world.installed()];
    await world.ok("install", "app");
    const second = [world.read("pyproject.toml"), world.read("pylock.toml"), world.installed()];
    await world.ok("remove", "lib", "app");
    expect(world.installed()).toEqual({});
    const { stderr } = await world.ok("undo");
    expect(stderr).toContain("Taken back: blast remove lib app");
    expect([world.read("pyproject.toml"), world.read("pylock.toml"), world.installed()]).toEqual(
      second,
    );
    await world.ok("undo");
    expect([world.read("pyproject.toml"), world.read("pylock.toml"), world.installed()]).toEqual(
      first,
    );
    expect(world.flaws()).toEqual([]);
    expect(world.requested()).toEqual(["lib"]);
    await world.ok("sync", "--locked");
  });

  test("a file that was changed since stays, and is told", async () => {
    await using world = await blastWorld();
    offer(world);
    await world.ok("install", "app");
    const text = `${world.read("blast.toml")}# added later\n`;
    world.write("blast.toml", text);
    const { stderr } = await world.ok("undo");
    expect(stderr).toContain('"blast.toml" was changed since');
    expect(world.read("blast.toml")).toBe(text);
    expect(world.installed()).toEqual({});
  });

  test("nothing to take back", async () => {
    await using world = await blastWorld();
    await world.fails("undo");
    await world.ok("start");
    const { stderr } = await world.fails("undo");
    expect(stderr).toMatch(/^error: /);
  });
});
