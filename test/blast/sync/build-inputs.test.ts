import { expect, test } from "bun:test";
import { buildInputsOf } from "../../../src/blast/sync/build-inputs.ts";
import { createWorkspace } from "../../support/workspace.ts";

const PYPROJECT = `[tool.setuptools.dynamic]
dependencies = { file = ["lists/base.in"] }
[tool.hatch.metadata.hooks.custom]
path = "hooks"
`;

test("what a build may read is seen to change, sources are not", () => {
  using work = createWorkspace();
  work.write("pyproject.toml", PYPROJECT);
  work.write("setup.py", 'open("deep/er/list")\nopen(f"{x}/../pyproject.toml/none")\n');
  work.write("src/demo/module.py", "x = 1\n");
  const seen = ["lists/base.in", "deep/er/list", "hooks/build.py", "requirements.txt", "setup.py"];
  for (const path of seen) {
    const absent = buildInputsOf(work.path);
    work.write(path, "lib\n");
    const there = buildInputsOf(work.path);
    expect([path, there === absent]).toEqual([path, false]);
    expect(buildInputsOf(work.path)).toBe(there);
    work.write(path, "lib, and another one\n");
    expect([path, buildInputsOf(work.path) === there]).toEqual([path, false]);
  }
  const before = buildInputsOf(work.path);
  work.write("src/demo/module.py", "x = 2000\n");
  work.write("lists/other.bin", "no list\n");
  expect(buildInputsOf(work.path)).toBe(before);
});
