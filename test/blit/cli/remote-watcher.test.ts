import { expect, test } from "bun:test";
import { updateOf } from "../../../src/blit/cli/remote-watcher.ts";
import { counter } from "../../../src/blit/engine/shared-state.ts";

function side(values: Record<number, number>, isFinal = false) {
  return { counts: Array.from({ length: 32 }, (_, column) => values[column] ?? 0), isFinal };
}

test("the source knows how much there is, either side what is done", () => {
  const source = side(
    { [counter.seen]: 9, [counter.seenBytes]: 900, [counter.bytesDone]: 10 },
    true,
  );
  const target = side({ [counter.itemsDone]: 3, [counter.bytesDone]: 30 });
  expect(updateOf({ source, target })).toEqual({
    doneBytes: 30,
    totalBytes: 900,
    doneItems: 3,
    totalItems: 9,
    totalIsFinal: true,
  });
});

test("what is told for both sides at once counts as it is", () => {
  const target = side({ [counter.seen]: 4, [counter.itemsDone]: 2 }, true);
  expect(updateOf({ source: undefined, target })).toMatchObject({
    doneItems: 2,
    totalItems: 4,
    totalIsFinal: true,
  });
  expect(updateOf({ source: undefined, target: undefined })).toMatchObject({
    totalItems: 0,
    totalIsFinal: false,
  });
});
