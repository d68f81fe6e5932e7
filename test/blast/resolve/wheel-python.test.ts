import { expect, test } from "bun:test";
import { parseSpecifierSet } from "../../../src/blast/pep/specifier.ts";
import { parseTagTriples } from "../../../src/blast/pep/tag.ts";
import { fitsPythons } from "../../../src/blast/resolve/wheel-python.ts";

test.each([
  ["py3-none-any", ">=3.9", true],
  ["py2.py3-none-any", ">=3.9", true],
  ["py2-none-any", ">=3.9", false],
  ["cp38-cp38-win_amd64", ">=3.9", false],
  ["cp39-cp39-win_amd64", ">=3.9", true],
  ["cp313-cp313t-win_amd64", ">=3.9,<3.13", false],
  ["cp38-abi3-win_amd64", ">=3.9", true],
  ["cp38-none-win_amd64", ">=3.9", true],
  ["py39-none-any", ">=3.10", true],
  ["py311-none-any", "<3.11", false],
  ["pp38-pypy38_pp73-win_amd64", ">=3.9", false],
  ["cp311-cp311-linux_x86_64", ">=3.12", false],
  ["graalpy310-graalpy_native-any", ">=3.12", true],
])("%s for Python %s: %p", (tag, python, expected) => {
  expect(fitsPythons(parseTagTriples(tag), parseSpecifierSet(python).toRange())).toBe(expected);
});
