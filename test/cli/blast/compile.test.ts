/** blast compile, end to end. */
import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { type BlastWorld, blastWorld } from "../../support/blast-world.ts";

setDefaultTimeout(60_000);

function offer({ index }: BlastWorld): void {
  for (const version of ["1.0", "2.0"]) {
    index.add({ name: "app", version, requires: ["lib", "win ; sys_platform == 'win32'"] });
  }
  index.add({ name: "lib", version: "1.0" });
  index.add({ name: "lib", version: "3.0", requiresPython: ">=3.10" });
  index.add({ name: "win", version: "0.5", requires: ["lib<3"] });
  index.add({ name: "native", version: "1.0", tags: ["cp310-cp310-manylinux_2_17_x86_64"] });
  index.add({ name: "native", version: "1.1", tags: ["cp310-cp310-win_amd64"] });
}

const PLAIN = ["--no-header", "--no-annotate"] as const;

test("pins with who needs them, on standard output alone", async () => {
  await using world = await blastWorld();
  offer(world);
  world.write("requirements.in", "app<2\n");
  const { stdout } = await world.ok("compile", "requirements.in");
  expect(stdout).toBe(
    [
      "# Made by blast with the command:",
      "#    blast compile requirements.in",
      "app==1.0",
      "    # via -r requirements.in",
      "lib==3.0",
      "    # via app",
      "",
    ].join("\n"),
  );
  expect(world.has(".venv")).toBe(false);
  expect(world.has("pylock.toml")).toBe(false);
});

describe("for another Python and platform", () => {
  const cases: readonly (readonly [readonly string[], string])[] = [
    [["--python-version", "3.9"], "app==2.0\nlib==1.0\n"],
    [["--python-version", "3.12"], "app==2.0\nlib==3.0\n"],
    [["--python-platform", "windows"], "app==2.0\nlib==1.0\nwin==0.5\n"],
    [
      ["--python-platform", "aarch64-apple-darwin", "--python-version=3.13.1"],
      "app==2.0\nlib==3.0\n",
    ],
  ];
  for (const [flags, pins] of cases) {
    test(flags.join(" "), async () => {
      await using world = await blastWorld();
      offer(world);
      world.write("requirements.in", "app\n");
      expect((await world.ok("compile", ...PLAIN, ...flags, "requirements.in")).stdout).toBe(pins);
    });
  }

  test("wheels of that platform", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("requirements.in", "native\n");
    const on = async (platform: string): Promise<string> =>
      (
        await world.ok(
          "compile",
          ...[...PLAIN, "--python-version", "3.10", "--python-platform", platform],
          "requirements.in",
        )
      ).stdout;
    expect(await on("linux")).toBe("native==1.0\n");
    expect(await on("windows")).toBe("native==1.1\n");
    const { stderr } = await world.fails("compile", "--python-version", "3.13", "requirements.in");
    expect(stderr).toContain("native");
    await world.fails(2, "compile", "--python-platform", "plan9", "requirements.in");
    await world.fails(2, "compile", "--python-version", "three", "requirements.in");
  });
});

test("--universal: markers where platforms and Pythons differ", async () => {
  await using world = await blastWorld();
  offer(world);
  world.index.add({ name: "multi", version: "1.0" });
  world.index.add({ name: "multi", version: "2.0", requiresPython: ">=3.10" });
  world.write("requirements.in", "app\nmulti\n");
  const args = [...PLAIN, "--universal", "--python-version", "3.8", "requirements.in"];
  const { stdout } = await world.ok("compile", ...args);
  const lines = stdout.trim().split("\n");
  expect(lines[0]).toBe("app==2.0");
  expect(lines).toHaveLength(5);
  expect(lines[1]).toBe("lib==1.0");
  expect(lines[2]).toMatch(/^multi==1\.0 ; python_(full_)?version < ['"]3\.10['"]$/);
  expect(lines[3]).toMatch(/^multi==2\.0 ; python_(full_)?version >= ['"]3\.10['"]$/);
  expect(lines[4]).toMatch(/^win==0\.5 ; sys_platform == ['"]win32['"]$/);
  expect((await world.ok("compile", ...args)).stdout).toBe(stdout);
});

describe("-o", () => {
  test("keeps the pins that fit, until --upgrade", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("requirements.in", "app\n");
    world.write("requirements.txt", "app==1.0\nlib==1.0\n");
    const args = [...PLAIN, "requirements.in", "-o", "requirements.txt"];
    const { stdout } = await world.ok("compile", ...args);
    expect(stdout).toBe("");
    expect(world.read("requirements.txt")).toBe("app==1.0\nlib==1.0\n");
    world.write("requirements.in", "app>1\n");
    await world.ok("compile", ...args);
    expect(world.read("requirements.txt")).toBe("app==2.0\nlib==1.0\n");
    await world.ok("compile", ...args, "--upgrade");
    expect(world.read("requirements.txt")).toBe("app==2.0\nlib==3.0\n");
    world.write("requirements.in", "app>9\n");
    await world.fails("compile", ...args);
    expect(world.read("requirements.txt")).toBe("app==2.0\nlib==3.0\n");
  });

  test("with hashes, it is what --require-hashes takes", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("requirements.in", "app\n");
    await world.ok("compile", "--generate-hashes", "requirements.in", "-o", "requirements.txt");
    expect(world.read("requirements.txt")).toMatch(
      /^app==2\.0 \\\n {4}--hash=sha256:[0-9a-f]{64}$/m,
    );
    await world.ok("install", "--no-record", "--require-hashes", "-r", "requirements.txt");
    expect(world.installed()).toEqual({ app: "2.0", lib: "3.0" });
  });
});

describe("what is compiled", () => {
  test("a pyproject.toml, with extras and groups by name", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write(
      "pyproject.toml",
      `
      [project]
      name = "x"
      version = "0"
      dependencies = ["lib<3"]
      [project.optional-dependencies]
      more = ["app"]
      [dependency-groups]
      dev = ["win"]
      `,
    );
    const pins = async (...args: string[]) =>
      (await world.ok("compile", ...PLAIN, "pyproject.toml", ...args)).stdout;
    expect(await pins()).toBe("lib==1.0\n");
    expect(await pins("--extra", "more")).toBe("app==2.0\nlib==1.0\n");
    expect(await pins("--group", "dev")).toBe("lib==1.0\nwin==0.5\n");
  });

  test("a blast.toml, and a project in another folder", async () => {
    await using world = await blastWorld();
    offer(world);
    world.write("blast.toml", '[packages]\ndependencies = ["lib<3"]\n');
    world.write(
      "sub/pyproject.toml",
      '[project]\nname = "s"\nversion = "0"\ndependencies = ["win"]\n',
    );
    const pins = async (...args: string[]) => (await world.ok("compile", ...PLAIN, ...args)).stdout;
    expect(await pins("blast.toml")).toBe("lib==1.0\n");
    expect(await pins("sub/pyproject.toml")).toBe("lib==1.0\nwin==0.5\n");
    const { stderr } = await world.fails("compile", "none/blast.toml");
    expect(stderr).toMatch(/^error: Cannot read the project in ".*none": no such file/);
  });

  test("standard input, several files, constraints, overrides, no dependencies", async () => {
    await using world = await blastWorld();
    offer(world);
    const input = await world.blast(["compile", ...PLAIN, "-"], { stdin: "app\n" });
    expect([input.code, input.stdout]).toEqual([0, "app==2.0\nlib==3.0\n"]);
    world.write("a.in", "app\n");
    world.write("b.in", "win\n");
    world.write("bounds.txt", "app<2\n");
    world.write("over.txt", "lib==3.0\n");
    const pins = async (...args: string[]) => (await world.ok("compile", ...PLAIN, ...args)).stdout;
    expect(await pins("a.in", "b.in")).toBe("app==2.0\nlib==1.0\nwin==0.5\n");
    expect(await pins("a.in", "-c", "bounds.txt")).toBe("app==1.0\nlib==3.0\n");
    expect(await pins("b.in", "--override", "over.txt")).toBe("lib==3.0\nwin==0.5\n");
    expect(await pins("a.in", "--no-deps")).toBe("app==2.0\n");
    expect(await pins("a.in", "--resolution", "lowest")).toBe("app==1.0\nlib==1.0\n");
    await world.fails(2, "compile");
    await world.fails("compile", "absent.in");
  });

  test("--exclude-newer", async () => {
    await using world = await blastWorld();
    for (const [version, uploaded] of [
      ["1.0", "2024-01-01T00:00:00Z"],
      ["2.0", "2025-06-01T12:00:00Z"],
    ] as const) {
      world.index.add({ name: "dated", version }, { uploaded });
    }
    world.write("a.in", "dated\n");
    const pins = async (when: string) =>
      (await world.ok("compile", ...PLAIN, "a.in", "--exclude-newer", when)).stdout;
    expect(await pins("2024-12-31")).toBe("dated==1.0\n");
    expect(await pins("2025-06-01")).toBe("dated==2.0\n");
    expect(await pins("2025-06-01T11:59:59Z")).toBe("dated==1.0\n");
    await world.fails(2, "compile", "a.in", "--exclude-newer", "yesterday");
  });

  test("yanked versions are taken only where they are pinned, and told", async () => {
    await using world = await blastWorld();
    world.index.add({ name: "yank", version: "1.0" });
    world.index.add({ name: "yank", version: "2.0" }, { yanked: "broken wheels" });
    world.write("a.in", "yank\n");
    expect((await world.ok("compile", ...PLAIN, "a.in")).stdout).toBe("yank==1.0\n");
    world.write("a.in", "yank==2.0\n");
    const { stdout, stderr } = await world.ok("compile", ...PLAIN, "a.in");
    expect(stdout).toBe("yank==2.0\n");
    expect(stderr).toContain("broken wheels");
    world.write("a.in", "yank>1\n");
    await world.fails("compile", ...PLAIN, "a.in");
  });
});
