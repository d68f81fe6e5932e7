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

  const compiler = firstReason(needsProgram("gcc"));
  testUnless(compiler)("setuptools with a compiled extension: markupsafe==2.1.5", async () => {
    await using world = await blastWorld();
    await installed(world, "markupsafe==2.1.5");
    expect(world.python("from markupsafe import _speedups; print(_speedups.escape('<'))")).toBe(
      "&lt;",
    );
  });
});
