import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  closureOf,
  dependentsOf,
  type OrderNode,
  orderServices,
  startWaves,
} from "../../../src/rastos/service/order.ts";

function node(name: string, keys: Partial<OrderNode> = {}): OrderNode {
  return { name, type: "simple", requires: [], wants: [], after: [], before: [], ...keys };
}

test("requires, wants, after and before all mean waiting, for those that are there", () => {
  const order = orderServices([
    node("d", { requires: ["c"], after: ["missing"] }),
    node("c", { wants: ["b"] }),
    node("b"),
    node("a", { before: ["b"] }),
    node("e", { after: ["d"] }),
  ]);
  expect(order.cycles).toEqual([]);
  expect(startWaves(order)).toEqual([["a"], ["b"], ["c"], ["d"], ["e"]]);
});

test("what waits for nothing starts at the same time", () => {
  const order = orderServices([node("c"), node("a"), node("b", { after: ["a", "c"] })]);
  expect(startWaves(order)).toEqual([["a", "c"], ["b"]]);
});

test("a target does not wait for what orders itself after it", () => {
  const order = orderServices([
    node("default", { type: "target", wants: ["bless", "web"] }),
    node("bless", { after: ["default"] }),
    node("web"),
  ]);
  expect(order.cycles).toEqual([]);
  expect(startWaves(order)).toEqual([["web"], ["default"], ["bless"]]);
});

test("a circle is named with its path, and loses its weakest order", () => {
  const order = orderServices([
    node("a", { requires: ["b"] }),
    node("b", { wants: ["c"] }),
    node("c", { after: ["a"] }),
  ]);
  expect(order.cycles).toEqual([
    { path: ["a", "b", "c", "a"], dropped: { from: "c", to: "a", kind: "after" } },
  ]);
  expect(order.stuck.size).toBe(0);
  expect(startWaves(order)).toEqual([["c"], ["b"], ["a"]]);
});

test("services that require each other can never start", () => {
  const order = orderServices([
    node("a", { requires: ["b"] }),
    node("b", { requires: ["a"] }),
    node("c", { requires: ["a"] }),
  ]);
  expect(order.cycles).toEqual([{ path: ["a", "b", "a"], dropped: undefined }]);
  expect([...order.stuck].sort()).toEqual(["a", "b"]);
});

test("closures go down, dependents go up", () => {
  const nodes = new Map(
    [
      node("a", { requires: ["b"], wants: ["gone"] }),
      node("b", { wants: ["c"] }),
      node("c"),
      node("d", { requires: ["a"] }),
    ].map((one) => [one.name, one]),
  );
  expect([...closureOf(["a"], nodes)].sort()).toEqual(["a", "b", "c"]);
  expect([...dependentsOf(["b"], nodes)].sort()).toEqual(["a", "b", "d"]);
});

const names = ["a", "b", "c", "d", "e", "f", "g"];
const some = fc.subarray(names, { maxLength: 3 });
const universe = fc
  .tuple(...names.map(() => fc.record({ requires: some, wants: some, after: some, before: some })))
  .map((all) => all.map((keys, index) => node(names[index] ?? "", keys)));

test("property: every service has its place, after all that it still waits for", () => {
  fc.assert(
    fc.property(universe, (nodes) => {
      const order = orderServices(nodes);
      const placed = startWaves(order).flat();
      expect([...placed].sort()).toEqual(names);
      for (const [name, edges] of order.waitsFor) {
        for (const other of edges.keys()) {
          expect(placed.indexOf(other)).toBeLessThan(placed.indexOf(name));
          expect(order.waitedForBy.get(other)?.has(name)).toBe(true);
        }
      }
    }),
  );
});

test("property: no requirement is dropped where something weaker would do", () => {
  fc.assert(
    fc.property(universe, (nodes) => {
      const order = orderServices(nodes);
      for (const one of nodes) {
        for (const other of one.requires.filter((name) => name !== one.name)) {
          const isKept = order.waitsFor.get(one.name)?.has(other) === true;
          expect(isKept || order.stuck.has(one.name)).toBe(true);
        }
      }
      for (const { path } of order.cycles) {
        expect(path.length).toBeGreaterThan(2);
        expect(path[0]).toBe(path.at(-1) ?? "");
      }
    }),
  );
});
