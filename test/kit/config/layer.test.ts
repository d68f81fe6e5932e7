import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  LAYER_NAMES,
  type Layer,
  type LayerName,
  mergeLayers,
  type SettingsTable,
} from "../../../src/kit/config/layer.ts";

const layer = (name: LayerName, values: SettingsTable): Layer => ({
  name,
  values,
  originOf: (path) => `${name}:${path.join(".")}`,
});

test("the stronger layer wins, whatever the order of the list", () => {
  const layers = LAYER_NAMES.map((name) => layer(name, { a: { b: name } }));
  fc.assert(
    fc.property(fc.shuffledSubarray(layers, { minLength: 1 }), (some) => {
      const strongest = LAYER_NAMES.findLast((name) => some.some((one) => one.name === name));
      const merged = mergeLayers(some);
      expect(merged.values).toEqual({ a: { b: strongest } });
      expect(merged.originOf(["a", "b"])).toBe(`${strongest}:a.b`);
    }),
  );
});

test("tables merge, lists replace, each value keeps its origin", () => {
  const merged = mergeLayers([
    layer("default", { a: { x: 1, y: 1 }, list: [1, 2] }),
    layer("user", { a: { y: 2 }, list: [3] }),
  ]);
  expect(merged.values).toEqual({ a: { x: 1, y: 2 }, list: [3] });
  expect(merged.originOf(["a", "x"])).toBe("default:a.x");
  expect(merged.originOf(["a", "y"])).toBe("user:a.y");
  expect(merged.originOf(["list", 0])).toBe("user:list");
  expect(merged.originOf(["a", "none"])).toBe("default:a");
  expect(merged.originOf(["none"])).toBeUndefined();
});

test("a value in the place of a table, and back, leaves no origin behind", () => {
  const merged = mergeLayers([
    layer("default", { a: { x: 1 } }),
    layer("user", { a: 2 }),
    layer("flags", { a: { y: 3 } }),
  ]);
  expect(merged.values).toEqual({ a: { y: 3 } });
  expect(merged.originOf(["a", "x"])).toBe("flags:a");
});

test("a flag that was not given changes nothing; the layers stay as they were", () => {
  const defaults = { a: { x: 1 } };
  const merged = mergeLayers([
    layer("default", defaults),
    layer("flags", { a: { x: undefined, z: 1 } }),
  ]);
  expect(merged.values).toEqual({ a: { x: 1, z: 1 } });
  expect(defaults).toEqual({ a: { x: 1 } });
});

test("__proto__ is a key like any other", () => {
  const merged = mergeLayers([layer("user", JSON.parse('{"__proto__": {"polluted": true}}'))]);
  expect(Object.keys(merged.values)).toEqual(["__proto__"]);
  expect(({} as Record<string, unknown>)["polluted"]).toBeUndefined();
});
