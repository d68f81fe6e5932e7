import { expect, test } from "bun:test";
import {
  ANY_FORMAT,
  addFormats,
  type FormatControl,
  isNoBinary,
  isOnlyBinary,
} from "../../../src/blast/project/format-control.ts";

/** `n:a,b o::all:`: options in their order. */
function of(text: string): FormatControl {
  return text.split(" ").reduce((control, word) => {
    const option = word.startsWith("n:") ? "noBinary" : "onlyBinary";
    return addFormats(control, option, word.slice(2));
  }, ANY_FORMAT);
}

test("the later option counts, a name counts more than all", () => {
  const cases: [options: string, noBinary: boolean, onlyBinary: boolean][] = [
    ["n:x", false, false],
    ["n:A_b", true, false],
    ["n:a-b o:a.b", false, true],
    ["n::all:", true, false],
    ["n::all: o:a-b", false, true],
    ["o::all: n:a-b", true, false],
    ["n::all: o::all:", false, true],
    ["n::all:,x", true, false],
    ["n:a-b,:none:", false, false],
    ["n::all:,:none:,a-b", true, false],
  ];
  for (const [options, noBinary, onlyBinary] of cases) {
    const control = of(options);
    const found = [isNoBinary(control, "a-b"), isOnlyBinary(control, "a-b")];
    expect([options, ...found]).toEqual([options, noBinary, onlyBinary]);
  }
});
