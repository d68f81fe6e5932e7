import { expect, test } from "bun:test";
import { readConfigSettings } from "../../../src/blast/build/config-settings.ts";

test("keys that are given again become lists", () => {
  expect(readConfigSettings([])).toEqual({});
  expect(readConfigSettings(["a=1", "b=x=y", "c", "a=2", "a=3", "d="])).toEqual({
    a: ["1", "2", "3"],
    b: "x=y",
    c: "",
    d: "",
  });
  expect(readConfigSettings(["__proto__=x"])).toEqual(Object.fromEntries([["__proto__", "x"]]));
});

test("a setting without a key is refused", () => {
  expect(() => readConfigSettings(["=x"])).toThrow('Cannot use the config setting "=x"');
});
