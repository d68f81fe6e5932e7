import { expect, test } from "bun:test";
import { beforeExit, runExitTasks } from "../../../src/kit/proc/exit-tasks.ts";

test("what is left is done once, all of it, whatever fails", async () => {
  const done: string[] = [];
  beforeExit(async () => {
    await Bun.sleep(1);
    done.push("late");
  });
  beforeExit(() => Promise.reject(new Error("no")));
  const own = beforeExit(async () => void done.push("taken back"));
  beforeExit(async () => void done.push("last"));
  own[Symbol.dispose]();
  await runExitTasks();
  expect(done.sort()).toEqual(["last", "late"]);
  await runExitTasks();
  expect(done).toHaveLength(2);
});
