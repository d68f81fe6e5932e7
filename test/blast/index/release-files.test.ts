import { describe, expect, test } from "bun:test";

import {
  groupByVersion,
  kindOf,
  projectNamesOf,
  versionTextOf,
} from "../../../src/blast/index/release-files.ts";

const CASES: readonly [filename: string, version: string | undefined][] = [
  ["foo_bar-1.0-py3-none-any.whl", "1.0"],
  ["Foo.Bar-1.0-1-py3-none-any.whl", "1.0"],
  ["foo_bar-1.0_1-py3-none-any.whl", "1.0-1"],
  ["foo_bar-1.0-x-py3-none-any.whl", undefined],
  ["foo_bar-1.0-py3-none.whl", undefined],
  ["foo-bar-1.0-py3-none-any.whl", undefined],
  ["other-1.0-py3-none-any.whl", undefined],
  ["foo-bar-1.0.tar.gz", "1.0"],
  ["foo_bar-1.0.tar.gz", "1.0"],
  ["FOO--BAR-1.0-post1.zip", "1.0-post1"],
  ["foo-bar-baz-1.0.tar.gz", "baz-1.0"],
  ["foo-1.0.tar.gz", undefined],
  ["foo-bar-1.0.tar.bz2", "1.0"],
  ["foo-bar-1.0.exe", undefined],
  ["foo-bar-1.0-py3.11.egg", undefined],
];

describe("the version in a file's name", () => {
  for (const [filename, version] of CASES) {
    test(filename, () => expect(versionTextOf(filename, "foo-bar")).toBe(version as string));
  }
});

test("kinds", () => {
  expect(["a-1-py3-none-any.whl", "a-1.tar.gz", "a-1.zip", "a-1.deb", ""].map(kindOf)).toEqual([
    "wheel",
    "sdist",
    "sdist",
    undefined,
    undefined,
  ]);
});

test("the projects that a file may be of", () => {
  expect(projectNamesOf("Foo_Bar-1.0-py3-none-any.whl")).toEqual(["foo-bar"]);
  expect(projectNamesOf("foo-bar-1.0.tar.gz")).toEqual(["foo-bar"]);
  expect(projectNamesOf("foo-2-1.0.tar.gz")).toEqual(["foo", "foo-2"]);
  expect(projectNamesOf("readme.txt")).toEqual([]);
});

test("versions are put together however they are spelt, newest first", () => {
  const names = [
    "foo-1.0.tar.gz",
    "foo-1.0.0-py3-none-any.whl",
    "foo-1.10.tar.gz",
    "foo-1.9.tar.gz",
    "foo-2.0rc1.tar.gz",
    "foo-2.0.RC.1-py3-none-any.whl",
    "foo-what.tar.gz",
  ];
  const files = names.map((filename) => ({
    filename,
    url: `https://a/${filename}`,
    hashes: {},
    yanked: false as const,
  }));
  const releases = groupByVersion("foo", files);
  const found = releases.map((release) => [
    release.version.toString(),
    ...release.files.map(({ filename }) => filename),
  ]);
  expect(found).toEqual([
    ["2.0rc1", "foo-2.0rc1.tar.gz", "foo-2.0.RC.1-py3-none-any.whl"],
    ["1.10", "foo-1.10.tar.gz"],
    ["1.9", "foo-1.9.tar.gz"],
    ["1.0", "foo-1.0.tar.gz", "foo-1.0.0-py3-none-any.whl"],
  ]);
});
