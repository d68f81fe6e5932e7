import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import {
  chmodSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parsePackageName } from "../../../src/blast/pep/name.ts";
import {
  readBlastToml,
  removeBlastRequirement,
  setBlastRequirement,
} from "../../../src/blast/project/blast-toml.ts";
import { findProject, projectAt } from "../../../src/blast/project/find-project.ts";
import {
  type PyprojectList,
  removePyprojectRequirement,
  setPyprojectRequirement,
} from "../../../src/blast/project/pyproject-edit.ts";
import { changeTomlFile } from "../../../src/blast/project/requirement-edit.ts";
import { parseToml } from "../../../src/kit/config/toml.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "blast-edit-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const PROJECT = `[project]
name = "x"
dependencies = [
    "Flask>=2", # web
    'tomli; python_version < "3.11"',
    "tomli>=2 ; python_version >= '3.11'",
]
[project.optional-dependencies]
"Fast.Path" = ["uvloop"]
[dependency-groups]
Dev_Tools = [{ include-group = "lint" }, "pytest"]
lint = []
`;

const BASE: PyprojectList = { kind: "dependencies" };
const set = async (list: PyprojectList, text: string, from = PROJECT) =>
  (await setPyprojectRequirement(await parseToml("p", from), list, text)).text;

describe("pyproject.toml", () => {
  test("a name that is there is replaced, one of another marker is another", async () => {
    expect(await set(BASE, "flask>=3")).toBe(PROJECT.replace("Flask>=2", "flask>=3"));
    expect(await set(BASE, "Flask>=2")).toBe(PROJECT);
    expect(await set(BASE, "tomli==1; python_version<'3.11'")).toBe(
      PROJECT.replace(`'tomli; python_version < "3.11"'`, `"tomli==1; python_version<'3.11'"`),
    );
    expect(await set(BASE, "tomli")).toBe(
      PROJECT.replace("3.11'\",\n", '3.11\'",\n    "tomli",\n'),
    );
  });

  test("extras and groups in any spelling, and new ones", async () => {
    expect(await set({ kind: "extra", name: "fast-path" }, "httptools")).toContain(
      '"Fast.Path" = ["uvloop", "httptools"]\n',
    );
    expect(await set({ kind: "group", name: "dev-tools" }, "pytest>=8")).toContain(
      'Dev_Tools = [{ include-group = "lint" }, "pytest>=8"]\n',
    );
    expect(await set({ kind: "group", name: "Docs" }, "sphinx")).toBe(
      `${PROJECT}docs = [\n    "sphinx",\n]\n`,
    );
    expect(await set({ kind: "extra", name: "New_One" }, "a")).toContain(
      '"Fast.Path" = ["uvloop"]\nnew-one = [\n    "a",\n]\n[dependency-groups]',
    );
  });

  test("every entry of a name is taken out", async () => {
    const file = await parseToml("p", PROJECT);
    const { file: after, removed } = await removePyprojectRequirement(
      file,
      BASE,
      parsePackageName("tomli"),
    );
    expect(removed).toEqual([
      'tomli; python_version < "3.11"',
      "tomli>=2 ; python_version >= '3.11'",
    ]);
    expect(after.text).toBe(PROJECT.replace(/.*tomli.*\n/g, ""));
    const none = await removePyprojectRequirement(file, BASE, parsePackageName("django"));
    expect([none.file.text, none.removed]).toEqual([PROJECT, []]);
  });
});

describe("blast.toml", () => {
  test("is made, changed and emptied", async () => {
    const path = join(folder, "blast.toml");
    expect(await setBlastRequirement(path, "flask>=3")).toBe(true);
    expect(readFileSync(path, "utf8")).toBe('[packages]\ndependencies = [\n    "flask>=3",\n]\n');
    expect(await setBlastRequirement(path, "flask>=3")).toBe(false);
    await setBlastRequirement(path, "./lib".replace("./lib", "rich"));
    const read = await readBlastToml(path, "blast.toml");
    expect(read?.dependencies.map(({ text, origin }) => [text, origin])).toEqual([
      ["flask>=3", "blast.toml:3"],
      ["rich", "blast.toml:4"],
    ]);
    expect(await removeBlastRequirement(path, parsePackageName("flask"))).toEqual(["flask>=3"]);
    expect(await removeBlastRequirement(path, parsePackageName("rich"))).toEqual(["rich"]);
    expect(readFileSync(path, "utf8")).toBe("[packages]\ndependencies = []\n");
    expect(await readBlastToml(join(folder, "absent.toml"))).toBeUndefined();
  });

  test("a link stays one, the mode stays", async () => {
    const real = join(folder, "real.toml");
    const link = join(folder, "link.toml");
    writeFileSync(real, "# c\n[packages]\n");
    chmodSync(real, 0o640);
    symlinkSync("real.toml", link);
    await setBlastRequirement(link, "a");
    expect(readFileSync(real, "utf8")).toBe('# c\n[packages]\ndependencies = [\n    "a",\n]\n');
    expect([statSync(real).mode & 0o777, readFileSync(link, "utf8")]).toEqual([
      0o640,
      readFileSync(real, "utf8"),
    ]);
  });

  test("a file that somebody else changes meanwhile is left alone", async () => {
    const path = join(folder, "raced.toml");
    writeFileSync(path, "a = 1\n");
    const change = changeTomlFile(path, async () => {
      writeFileSync(path, "a = 2\n");
      return parseToml(path, "a = 3\n");
    });
    expect(change).rejects.toThrow("it was changed by something else at the same time");
    await change.catch(() => 0);
    expect(readFileSync(path, "utf8")).toBe("a = 2\n");
  });
});

test("the project is the nearest folder with a file of one", () => {
  const root = mkdtempSync(join(folder, "tree-"));
  const inner = join(root, "a/b");
  Bun.spawnSync(["mkdir", "-p", join(inner, "c"), join(root, "lonely")]);
  for (const name of ["pyproject.toml", "pylock.toml", "pylock.dev.toml", ".python-version"]) {
    writeFileSync(join(inner, name), "");
  }
  writeFileSync(join(root, "requirements.txt"), "");
  const found = findProject(join(inner, "c"));
  expect({ ...found, namedPylocks: [...found.namedPylocks] }).toEqual({
    folder: inner,
    pyproject: join(inner, "pyproject.toml"),
    pylock: join(inner, "pylock.toml"),
    pythonVersion: join(inner, ".python-version"),
    namedPylocks: [["dev", join(inner, "pylock.dev.toml")]],
  });
  expect(findProject(join(root, "lonely")).requirements).toBe(join(root, "requirements.txt"));
  expect(findProject(join(root, "lonely"), join(root, "lonely")).requirements).toBeUndefined();
  expect(projectAt(join(root, "gone")).folder).toBe(join(root, "gone"));
});
