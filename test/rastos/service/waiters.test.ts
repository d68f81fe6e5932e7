import { expect, test } from "bun:test";
import { Waiters } from "../../../src/rastos/service/waiters.ts";

test("whoever waits is told when the last one has come to rest", async () => {
  const waiters = new Waiters();
  const states: Record<string, string> = { a: "up", b: "starting", c: "leaving" };
  let isOver = false;
  const waiting = waiters.wait(["a", "b", "c"], "settled", (name) => states[name]);
  void waiting.then(() => {
    isOver = true;
  });
  waiters.changed("b", "preparing");
  waiters.changed("b", "backoff");
  await Promise.resolve();
  expect(isOver).toBe(false);
  waiters.changed("c", "down");
  await waiting;
  // At rest already, or unknown: at once.
  await waiters.wait(["a", "x"], "settled", (name) => states[name]);
});

test("to have ended is more than to have settled", async () => {
  const waiters = new Waiters();
  let isOver = false;
  const waiting = waiters.wait(["a"], "ended", () => "up");
  void waiting.then(() => {
    isOver = true;
  });
  waiters.changed("a", "up");
  waiters.changed("a", "backoff");
  await Promise.resolve();
  expect(isOver).toBe(false);
  waiters.changed("a", "failed");
  await waiting;
});
