import { expect, test } from "bun:test";
import { tagText } from "../../../src/blast/resolve/tag-text.ts";

test("wheel tags in words", () => {
  expect(tagText(["cp39-cp39-win_amd64", "cp310-cp310-win_amd64"])).toBe(
    "CPython 3.9 and 3.10 on Windows",
  );
  expect(
    tagText([
      "cp310-cp310-manylinux_2_17_x86_64.manylinux2014_x86_64",
      "cp38-cp38-macosx_10_14_universal2",
      "pp39-pypy39_pp73-win32",
    ]),
  ).toBe("CPython 3.8 and 3.10 and PyPy 3.9 on Linux, Windows and macOS");
  expect(tagText(["py2.py3-none-any"])).toBe("Python 2 and 3");
  expect(tagText(["py3-none-plan9", "graal-x-any"])).toBe("Python 3 and graal on plan9");
  expect(tagText([])).toBe("");
});
