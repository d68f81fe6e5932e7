import { describe, expect, test } from "bun:test";
import type { PythonRequest } from "../../../src/blast/python/request.ts";
import {
  describeRequest,
  matchesVersion,
  parseRequest,
} from "../../../src/blast/python/request.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";

const parse = (text: string): PythonRequest => parseRequest(text, "--python");

test.each([
  ["3.12", "Python 3.12"],
  ["3.12.1", "Python 3.12.1"],
  ["3", "Python 3"],
  ["312", "Python 3.12"],
  ["39", "Python 3.9"],
  ["python3.12", "Python 3.12"],
  ["python", "Python"],
  ["cpython3.11", "CPython 3.11"],
  ["cpython@3.11", "CPython 3.11"],
  ["cp312", "CPython 3.12"],
  ["cpython-3.12.3-linux-x86_64-gnu", "CPython 3.12.3"],
  ["cpython-3.13.0+freethreaded-linux-x86_64-gnu", "CPython 3.13.0t"],
  ["pypy", "PyPy"],
  ["PyPy3.10", "PyPy 3.10"],
  ["pypy3.10-7.3.15", "PyPy 3.10"],
  ["pp310", "PyPy 3.10"],
  ["3.13t", "Python 3.13t"],
  ["3.13d", "Python 3.13d"],
  ["3.13+freethreaded", "Python 3.13t"],
  ["3.14rc1", "Python 3.14.0rc1"],
  ["3.14.0a7", "Python 3.14.0a7"],
  [">=3.11,<3.13", "Python <3.13,>=3.11"],
  ["~=3.11", "Python ~=3.11"],
  ["pypy>=3.9", "PyPy >=3.9"],
  ["/usr/bin/python3", "/usr/bin/python3"],
  ["./.venv", "./.venv"],
  ["..", ".."],
  ["my-python", "my-python"],
  ["system", "any Python"],
])("%j is %s", (text, shown) => {
  const described = describeRequest(parse(text));
  const sorted = (line: string): string => line.split(/[ ,]/).sort().join(" ");
  expect(sorted(described)).toBe(sorted(shown));
});

test.each([">=", "==3.x", "ruby>=3", ">=3.11;"])("%j is told as not understood", (text) => {
  expect(() => parse(text)).toThrow(Fault);
  expect(() => parse(text)).toThrow(`Cannot understand the Python "${text}" of --python`);
});

describe("versions", () => {
  test.each([
    ["3.12", "3.12.7", true],
    ["3.1", "3.12.7", false],
    ["3.12.7", "3.12.7", true],
    ["3.12.7", "3.12.70", false],
    ["3.13.0rc1", "3.13.0rc1", true],
    ["3.13.0rc1", "3.13.0", false],
    [">=3.11,<3.13", "3.12.1", true],
    [">=3.11,<3.13", "3.13.0", false],
    [">=3.13", "3.13.0rc2", false],
    ["~=3.11", "3.14.0", true],
    ["==3.12.*", "3.12.0", true],
    ["3", "3.6.15", true],
  ])("%s takes %s: %p", (wanted, version, expected) => {
    const request = parse(wanted);
    if (request.kind !== "version") throw new Error("no version");
    expect(matchesVersion(version, request)).toBe(expected);
  });
});
