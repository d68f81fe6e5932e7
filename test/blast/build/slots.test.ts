import { expect, test } from "bun:test";
import { Slots } from "../../../src/blast/build/slots.ts";

test("never more at a time, and all of them in the end, in their order", async () => {
  const slots = new Slots(2);
  let running = 0;
  let most = 0;
  const begun: number[] = [];
  const work = (number: number) =>
    slots.during(async () => {
      begun.push(number);
      running += 1;
      most = Math.max(most, running);
      await Bun.sleep(1);
      running -= 1;
      if (number % 3 === 0) throw new Error("fails");
      return number;
    });
  const settled = await Promise.allSettled(Array.from({ length: 9 }, (_, number) => work(number)));
  expect(most).toBe(2);
  expect(begun).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  expect(settled.map(({ status }) => status === "rejected")).toEqual(
    [0, 1, 2, 3, 4, 5, 6, 7, 8].map((number) => number % 3 === 0),
  );
});
