import { expect, test } from "bun:test";

import { Limiter } from "../../../src/kit/http/limiter.ts";

test("never more at a time than allowed, and all of them in the end", async () => {
  const limiter = new Limiter(3);
  let running = 0;
  let most = 0;
  const task = async (): Promise<void> => {
    running += 1;
    most = Math.max(most, running);
    await Bun.sleep(1);
    running -= 1;
  };
  await Promise.all(Array.from({ length: 20 }, () => limiter.run(task)));
  expect([most, running]).toEqual([3, 0]);
});

test("the urgent go first, also those that become it while they wait", async () => {
  const limiter = new Limiter(1);
  const order: string[] = [];
  const late = { urgent: false };
  const run = (name: string, ticket: { urgent: boolean }): Promise<void> =>
    limiter.run(async () => {
      order.push(name);
    }, ticket);
  const all = [
    run("first", { urgent: false }),
    run("second", { urgent: false }),
    run("late", late),
    run("urgent", { urgent: true }),
  ];
  late.urgent = true;
  await Promise.all(all);
  expect(order).toEqual(["first", "late", "urgent", "second"]);
});

test("a task that fails makes room", async () => {
  const limiter = new Limiter(1);
  const failing = limiter.run(() => Promise.reject(new Error("no")));
  const next = limiter.run(async () => 1);
  await expect(failing).rejects.toThrow("no");
  expect(await next).toBe(1);
});
