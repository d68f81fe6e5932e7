import { describe, expect, test } from "bun:test";
import { PepError } from "../../../src/blast/pep/error.ts";
import { compareBuilds, parseWheelName } from "../../../src/blast/pep/wheel-name.ts";

const text = (filename: string) => {
  const { name, version, build, tags } = parseWheelName(filename);
  const triples = tags.map(({ python, abi, platform }) => `${python}-${abi}-${platform}`);
  return [name, `${version}`, build && `${build.number}/${build.suffix}`, ...triples];
};

describe("the examples of PEP 427", () => {
  test("distribution-1.0-1-py27-none-any.whl", () => {
    expect(text("distribution-1.0-1-py27-none-any.whl")).toEqual([
      "distribution",
      "1.0",
      "1/",
      "py27-none-any",
    ]);
  });

  test("several tags, an escaped name, a local version", () => {
    expect(text("Zope.Foo_bar-1!1.0+cpu.1-2a-py2.py3-none-any.whl")).toEqual([
      "zope-foo-bar",
      "1!1.0+cpu.1",
      "2/a",
      "py2-none-any",
      "py3-none-any",
    ]);
    expect(text("numpy-2.1.0-cp312-cp312-manylinux_2_17_X86_64.manylinux2014_x86_64.whl")).toEqual([
      "numpy",
      "2.1.0",
      undefined,
      "cp312-cp312-manylinux_2_17_x86_64",
      "cp312-cp312-manylinux2014_x86_64",
    ]);
  });
});

test("what breaks the rules is refused", () => {
  const wrong = {
    "foo-1.0-py3-none-any.zip": "it does not end in .whl",
    "foo-1.0-py3-none.whl": "it has 4 parts in place of 5 or 6",
    "foo-1.0-1-2-py3-none-any.whl": "it has 7 parts in place of 5 or 6",
    "foo__bar-1.0-py3-none-any.whl": 'the project has "__" in its name',
    "foo-x-py3-none-any.whl": '"x" is no version',
    "foo-1.0-a-py3-none-any.whl": '"a" is no build number',
    "foo-1.0-py3--any.whl": "a part of it is empty",
    "foo-1.0-3py-none-any.whl": '"3py" names no interpreter',
    "-1.0-py3-none-any.whl": 'Cannot read package name ""',
    "foo bar-1.0-py3-none-any.whl": 'Cannot read package name "foo bar"',
  };
  for (const [filename, why] of Object.entries(wrong)) {
    expect(() => parseWheelName(filename)).toThrow(why);
    expect(() => parseWheelName(filename)).toThrow(PepError);
  }
});

test("an absurd number of tags is refused", () => {
  const many = Array.from({ length: 65 }, (_, index) => `x${index}`).join(".");
  expect(() => parseWheelName(`foo-1.0-${many}-${many}-any.whl`)).toThrow("too many combinations");
});

test("the order of build numbers", () => {
  const build = (part: string) => parseWheelName(`a-1${part}-py3-none-any.whl`).build;
  const parts = ["", "-1", "-1a", "-1b", "-2", "-10", "-9007199254740993", "-9007199254740994"];
  for (const [index, left] of parts.entries()) {
    for (const [other, right] of parts.entries()) {
      expect(Math.sign(compareBuilds(build(left), build(right)))).toBe(Math.sign(index - other));
    }
  }
});
