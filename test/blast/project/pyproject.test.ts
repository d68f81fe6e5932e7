import { describe, expect, test } from "bun:test";
import { pyprojectOf } from "../../../src/blast/project/pyproject.ts";
import { rootRequirement } from "../../../src/blast/project/requirement-line.ts";
import { parseToml } from "../../../src/kit/config/toml.ts";
import { causeMessages, Fault } from "../../../src/kit/fault/fault.ts";

async function read(text: string) {
  return pyprojectOf(await parseToml("pyproject.toml", text), "/project/pyproject.toml");
}

async function problem(
  text: string,
  look: (of: Awaited<ReturnType<typeof read>>) => unknown = () => 0,
) {
  try {
    look(await read(text));
  } catch (error) {
    if (error instanceof Fault) return [error.message, ...causeMessages(error), error.hint];
    throw error;
  }
  throw new Error("no fault");
}

test("a whole file", async () => {
  const { project, groups, buildSystem } = await read(`
[project]
name = "My.App"
version = "1.0-rc1"
requires-python = ">=3.9"
dynamic = ["readme"]
dependencies = [
  "Flask>=3", # web
  'tomli; python_version < "3.11"',
]
[project.optional-dependencies]
"Fast_Path" = ["uvloop"]
[dependency-groups]
Test = ["pytest", {include-group = "lint.tools"}]
lint_tools = ["ruff==0.1"]
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
backend-path = ["."]
`);
  expect([project?.name as string, project?.displayName]).toEqual(["my-app", "My.App"]);
  expect(project?.version?.toString()).toBe("1.0rc1");
  expect(project?.requiresPython?.toString()).toBe(">=3.9");
  expect([...(project?.dynamic ?? [])]).toEqual(["readme"]);
  expect(project?.dependencies.map((one) => [one.name as string, one.origin])).toEqual([
    ["flask", "pyproject.toml:8"],
    ["tomli", "pyproject.toml:9"],
  ]);
  const [flask] = project?.dependencies ?? [];
  expect(flask && (rootRequirement(flask).requirement.name as string)).toBe("flask");
  expect([...(project?.optionalDependencies.keys() ?? [])] as string[]).toEqual(["fast-path"]);
  expect(groups.names).toEqual(["test", "lint-tools"]);
  expect(groups.requirements("TEST").map((one) => one.text)).toEqual(["pytest", "ruff==0.1"]);
  expect(buildSystem?.requires.map((one) => one.text)).toEqual(["hatchling"]);
  expect([buildSystem?.backend, buildSystem?.backendPath]).toEqual(["hatchling.build", ["."]]);
});

test("an empty file says nothing", async () => {
  const { project, groups, buildSystem } = await read("");
  expect([project, groups.names, buildSystem]).toEqual([undefined, [], undefined]);
});

describe("what is wrong is told with file and line", () => {
  const cases: [text: string, ...told: string[]][] = [
    ["[project]\nversion = '1'\n", 'Cannot use "pyproject.toml:1:2": "project" has no "name"'],
    ["project = 1\n", 'Cannot use "pyproject.toml:1:11": "project": it must be a table'],
    [
      "[project]\nname = 'a b'\n",
      'Cannot use "pyproject.toml:2:8": "project.name": it cannot be read',
      'Cannot read package name "a b"',
    ],
    [
      "[project]\nname = 'a'\ndependencies = ['x',\n 1]\n",
      'Cannot use "pyproject.toml:4:2": "project.dependencies[1]": it must be text in quotes',
    ],
    [
      "[project]\nname = 'a'\ndependencies = ['x',\n 'y=1']\n",
      'Cannot use "pyproject.toml:4": "y=1" is no requirement',
    ],
    [
      "[project]\nname = 'a'\nversion = '1'\ndynamic = ['version']\n",
      'Cannot use "pyproject.toml:3:11": "project.version": it is here and in "dynamic" (PEP 621)',
    ],
    [
      "[dependency-groups]\nA_b = []\na-B = []\n",
      'Cannot use "pyproject.toml:3:7": "dependency-groups.a-B": the groups "A_b" and "a-B" are ' +
        "the same",
    ],
  ];
  for (const [text, first, second] of cases) {
    test(JSON.stringify(text), async () => {
      const [message, cause] = await problem(text);
      expect(message).toBe(first ?? "");
      if (second !== undefined) expect(cause).toStartWith(second);
    });
  }
});

describe("groups that are wrong", () => {
  const wrong = async (text: string) =>
    (await problem(`[dependency-groups]\n${text}`, ({ groups }) => groups.requirements("a")))[0];

  test("a circle", async () => {
    expect(await wrong("a = [{include-group = 'b'}]\nb = [\n{include-group = 'A'}]\n")).toBe(
      'Cannot use "pyproject.toml:4:1": "dependency-groups.b[0]": the groups include each other: ' +
        "a > b > a",
    );
    expect(await wrong("a = [{include-group = 'a'}]\n")).toContain("a > a");
  });

  test("an entry that is none", async () => {
    for (const entry of ["1", "{x = 1}", "{include-group = 1}", "{include-group = 'b', x = 1}"]) {
      expect(await wrong(`a = [${entry}]\n`)).toContain(
        "must be a requirement or { include-group }",
      );
    }
    expect(await wrong("a = 'x'\n")).toContain("it must be a list");
  });

  test("a group that is not there, asked for and included", async () => {
    expect(await wrong("a = [{include-group = 'zz'}]\n")).toContain('there is no group "zz"');
    expect(await wrong("b = []\n")).toBe('Cannot find the dependency group "a"');
  });

  test("the same group twice over two ways is no circle", async () => {
    const { groups } = await read(
      "[dependency-groups]\na = [{include-group = 'b'}, {include-group = 'c'}]\n" +
        "b = [{include-group = 'c'}]\nc = ['x']\n",
    );
    expect(groups.requirements("a").map((one) => one.text)).toEqual(["x", "x"]);
  });
});
