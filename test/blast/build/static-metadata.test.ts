import { expect, test } from "bun:test";
import { staticMetadata } from "../../../src/blast/build/static-metadata.ts";
import { parseCoreMetadata } from "../../../src/blast/pep/metadata.ts";
import { requirementToString } from "../../../src/blast/pep/requirement.ts";
import { pyprojectOf } from "../../../src/blast/project/pyproject.ts";
import { parseToml } from "../../../src/kit/config/toml.ts";

async function metadataOf(text: string) {
  const { project } = pyprojectOf(await parseToml("pyproject.toml", text), "/x/pyproject.toml");
  if (project === undefined) throw new Error("no [project]");
  const found = staticMetadata(project);
  return found === undefined ? undefined : parseCoreMetadata(found);
}

test("everything that decides what is installed", async () => {
  const metadata = await metadataOf(`
    [project]
    name = "My.Demo"
    version = "1.0.0-rc1"
    requires-python = ">=3.9, <4"
    dependencies = ["a>=1", "b[x] ; sys_platform == 'win32'", "c @ https://host.test/c-1.tar.gz"]
    dynamic = ["description", "readme"]
    [project.optional-dependencies]
    One = ["d"]
    two = ["e<2 ; python_version < '3' or os_name == 'nt'", "f @ https://host.test/f.zip"]
  `);
  expect(metadata?.name as string).toBe("my-demo");
  expect(metadata?.version.toString()).toBe("1.0.0rc1");
  expect(metadata?.requiresPython).toBe("<4,>=3.9");
  expect(metadata?.providesExtra as readonly string[]).toEqual(["one", "two"]);
  expect(metadata?.requiresDist.map(requirementToString)).toEqual([
    "a>=1",
    'b[x]; sys_platform == "win32"',
    "c @ https://host.test/c-1.tar.gz",
    'd; extra == "one"',
    'e<2; (python_version < "3" or os_name == "nt") and extra == "two"',
    'f @ https://host.test/f.zip ; extra == "two"',
  ]);
});

test("what a build decides, only a build can tell", async () => {
  const head = '[project]\nname = "demo"\n';
  expect(await metadataOf(`${head}dynamic = ["version"]`)).toBeUndefined();
  for (const field of ["dependencies", "optional-dependencies", "requires-python"]) {
    expect(await metadataOf(`${head}version = "1"\ndynamic = ["${field}"]`)).toBeUndefined();
  }
  expect(await metadataOf(`${head}version = "1"`)).toBeDefined();
});
