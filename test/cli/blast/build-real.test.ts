/** Real projects from the real index, each with another build backend. */
import { expect, setDefaultTimeout, test } from "bun:test";
import { type BlastWorld, blastWorld } from "../../support/blast-world.ts";
import { needsRealIndex, realIndexEnvironment } from "../../support/real-index.ts";
import { describeUnless, firstReason, needsProgram, testUnless } from "../../support/skip.ts";

setDefaultTimeout(300_000);

async function installed(world: BlastWorld, requirement: string): Promise<string> {
  const name = /^[\w-]+/.exec(requirement)?.[0] ?? "";
  const env = { ...realIndexEnvironment(), PIP_CONFIG_FILE: undefined, CC: "gcc" };
  const args = ["install", requirement, "--no-binary", name, "--no-deps", "--no-record"];
  const run = await world.blast(args, { env, timeoutMs: 280_000 });
  if (run.code !== 0) throw new Error(run.stderr);
  expect(world.flaws()).toEqual([]);
  return run.stderr;
}

describeUnless(await needsRealIndex())("built from the sdist of the real index", () => {
  const cases = [
    ["setup.py alone", "docopt==0.6.2", "import docopt; print(docopt.__version__)", "0.6.2"],
    ["hatchling", "iniconfig==2.0.0", "import iniconfig; print(iniconfig.__name__)", "iniconfig"],
    ["flit-core", "tomli==2.0.1", "import tomli; print(tomli.loads('a = 1'))", "{'a': 1}"],
    ["poetry-core", "tomlkit==0.12.5", "import tomlkit; print(tomlkit.__version__)", "0.12.5"],
  ] as const;
  for (const [backend, requirement, code, says] of cases) {
    test(`${backend}: ${requirement}`, async () => {
      await using world = await blastWorld();
      expect(await installed(world, requirement)).toContain("Building ");
      expect(world.python(code)).toBe(says);
    });
  }

  test("setuptools: editable src layout, and a folder with a setup.py alone", async () => {
    await using world = await blastWorld();
    const env = { ...realIndexEnvironment(), PIP_CONFIG_FILE: undefined };
    const install = async (...args: string[]) => {
      const run = await world.blast(["install", ...args, "--no-record"], { env });
      if (run.code !== 0) throw new Error(run.stderr);
    };
    world.work.write(
      "modern/pyproject.toml",
      '[project]\nname = "modern"\ndynamic = ["version"]\n' +
        '[build-system]\nrequires = ["setuptools>=64"]\n' +
        'build-backend = "setuptools.build_meta"\n' +
        '[tool.setuptools.dynamic]\nversion = {attr = "modern.VERSION"}\n',
    );
    world.work.write("modern/src/modern/__init__.py", 'VERSION = "1.0"\n');
    await install("-e", world.work.at("modern"));
    expect(world.python("import modern; print(modern.VERSION)")).toBe("1.0");
    world.work.write("modern/src/modern/more.py", "X = 5\n");
    expect(world.python("import modern.more; print(modern.more.X)")).toBe("5");
    world.work.write(
      "old/setup.py",
      "import os, helper\nfrom setuptools import setup\n" +
        "setup(name='old', version=helper.VERSION, py_modules=['old'], install_requires=[],\n" +
        "      entry_points={'console_scripts': ['old-run = old:main']})\n",
    );
    world.work.write("old/helper.py", "VERSION = '3.2'\n");
    world.work.write("old/old.py", "def main():\n    print('it runs')\n");
    await install(world.work.at("old"));
    expect(world.installed()).toEqual({ modern: "1.0", old: "3.2" });
    const script = Bun.spawnSync([`${world.venv}/bin/old-run`]);
    expect(script.stdout.toString()).toBe("it runs\n");
    expect(world.flaws()).toEqual([]);
  });

  const compiler = firstReason(needsProgram("gcc"));
  testUnless(compiler)("setuptools with a compiled extension: markupsafe==2.1.5", async () => {
    await using world = await blastWorld();
    await installed(world, "markupsafe==2.1.5");
    expect(world.python("from markupsafe import _speedups; print(_speedups.escape('<'))")).toBe(
      "&lt;",
    );
  });
});
