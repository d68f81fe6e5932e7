import { expect, test } from "bun:test";
import fc from "fast-check";
import { planChunks } from "../../../../src/rastos/image/btrfs/chunks.ts";

const MIB = 1024 ** 2;
const SUPERBLOCKS = [65_536, 64 * MIB, 256 * 1024 * MIB];

test("chunks lie apart from each other, from the superblocks and inside of the device", () => {
  const sizes = fc.integer({ min: 128, max: 700_000 });
  fc.assert(
    fc.property(
      sizes,
      fc.nat({ max: 5000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (mib, nodeCount, share) => {
        const deviceBytes = mib * MIB;
        const dataBytes = Math.floor(deviceBytes * share);
        const plan = planChunks({ deviceBytes, nodeCount, dataBytes });
        if (plan === undefined) return;
        const all = [plan.system, plan.metadata, ...plan.data];
        const logical = all.map(({ logical: at, length }) => [at, at + length] as const);
        expectApart(logical);
        const physical = all.flatMap(({ physical: places, length }) =>
          places.map((at) => [at, at + length] as const),
        );
        expectApart([...physical, ...SUPERBLOCKS.map((at) => [at, at + 65_536] as const)]);
        expect(Math.max(...physical.map(([, end]) => end))).toBeLessThanOrEqual(deviceBytes);
        expect(Math.min(...physical.map(([start]) => start))).toBeGreaterThanOrEqual(MIB);
        const room = plan.data.reduce((sum, { length }) => sum + length, 0);
        expect(room).toBeGreaterThanOrEqual(dataBytes);
        expect(plan.metadata.length).toBeGreaterThanOrEqual(nodeCount * 16_384);
      },
    ),
  );
});

test("what is larger than the device has no plan; what nearly fills it has one", () => {
  const deviceBytes = 1024 * MIB;
  expect(planChunks({ deviceBytes, nodeCount: 10, dataBytes: 1020 * MIB })).toBeUndefined();
  expect(planChunks({ deviceBytes, nodeCount: 10, dataBytes: 900 * MIB })).toBeDefined();
});

function expectApart(ranges: readonly (readonly [number, number])[]): void {
  const sorted = ranges.toSorted(([a], [b]) => a - b);
  for (const [index, [start]] of sorted.entries()) {
    const before = sorted[index - 1]?.[1] ?? 0;
    expect(start).toBeGreaterThanOrEqual(before);
  }
}
