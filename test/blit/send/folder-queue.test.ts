import { expect, test } from "bun:test";
import fc from "fast-check";
import { FolderQueue } from "../../../src/blit/send/folder-queue.ts";

test("gives back what was put in, the last first, whatever the names", () => {
  const path = fc.string({
    unit: fc.integer({ min: 1, max: 255 }).map((n) => String.fromCharCode(n)),
  });
  const folder = fc.record({ root: fc.nat({ max: 65_535 }), path });
  fc.assert(
    fc.property(fc.array(fc.option(folder, { nil: undefined }), { maxLength: 60 }), (steps) => {
      const queue = FolderQueue.create();
      const other = new FolderQueue(queue.buffer);
      const expected: { root: number; path: string }[] = [];
      for (const step of steps) {
        if (step === undefined) expect(other.pop()).toEqual(expected.pop());
        else {
          expect(queue.push(step.root, step.path)).toBe(true);
          expected.push(step);
        }
        expect(other.isEmpty).toBe(expected.length === 0);
      }
    }),
  );
});

test("takes no more than it has room for", () => {
  const queue = FolderQueue.create();
  const path = "x".repeat(1024 * 1024);
  let taken = 0;
  while (queue.push(0, path)) taken++;
  expect(taken).toBe(3);
  expect(queue.pop()?.path.length).toBe(path.length);
  expect(queue.push(1, "small")).toBe(true);
});

test("counts folders and who is hungry", () => {
  const queue = FolderQueue.create();
  queue.addWalking(3);
  queue.addWalking(-1);
  queue.addHungry(1);
  expect([queue.walking, queue.hungry]).toEqual([2, 1]);
  queue.push(0, "a");
  queue.clear();
  expect([queue.walking, queue.hungry, queue.isEmpty]).toEqual([0, 0, true]);
});
