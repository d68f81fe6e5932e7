import { expect, test } from "bun:test";
import { appendFileSync, renameSync, writeFileSync } from "node:fs";
import { followLog, lastLines } from "../../../src/rastos/service/log-reader.ts";
import { createWorkspace } from "../../support/workspace.ts";

test("the last lines, through rotated logs", () => {
  using work = createWorkspace();
  work.write("log.2", "1\n2\n");
  work.write("log.1", "3\n4\n");
  const path = work.write("log", "5\n6\nunfinished");
  const last = (count: number): string => lastLines(path, count).lines.join(" ");
  expect([0, 1, 2, 3, 5, 100].map(last)).toEqual([
    "",
    "6",
    "5 6",
    "4 5 6",
    "2 3 4 5 6",
    "1 2 3 4 5 6",
  ]);
  work.write("long", `${"x".repeat(200_000)}\nend\n`);
  expect(lastLines(work.at("long"), 2).lines.map((line) => line.length)).toEqual([200_000, 3]);
});

test("a log that is not there is told with a hint", () => {
  expect(() => lastLines("/nowhere/log", 1)).toThrow(
    expect.objectContaining({ code: "E_NOT_FOUND", hint: expect.stringContaining("nothing yet") }),
  );
});

test("what comes is told, line by line, and through a rotation", async () => {
  using work = createWorkspace();
  const path = work.write("log", "old\n");
  const { end } = lastLines(path, 0);
  const lines: string[] = [];
  const stop = new AbortController();
  const following = followLog(path, end, (line) => lines.push(line), stop.signal);
  const until = async (count: number): Promise<void> => {
    for (let turn = 0; turn < 3000 && lines.length < count; turn += 1) await Bun.sleep(10);
  };
  appendFileSync(path, "one\ntw");
  await until(1);
  appendFileSync(path, "o\n");
  await until(2);
  appendFileSync(path, "last of the old\n");
  renameSync(path, `${path}.1`);
  writeFileSync(path, "first of the new\n");
  await until(4);
  stop.abort();
  await following;
  expect(lines).toEqual(["one", "two", "last of the old", "first of the new"]);
});
