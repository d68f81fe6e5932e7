import { expect, test } from "bun:test";
import { existsSync, readFileSync, statSync } from "node:fs";
import { BuildLog } from "../../../src/blast/build/build-log.ts";
import { createWorkspace } from "../../support/workspace.ts";

test("the file holds all of it, the lines its end, fit to be shown", () => {
  using work = createWorkspace();
  const told: string[] = [];
  const log = new BuildLog(work.at("logs/a.log"), (line) => told.push(line));
  const text = [
    "\u001b[31mred\u001b[0m\r\n",
    "10%\r50%\r100%",
    "ä\tx\u0007",
    "https://me:secret@host/",
  ].join("\n");
  const bytes = Buffer.from(text);
  for (const byte of bytes) log.write(Uint8Array.of(byte));
  expect(log.lines()).toEqual(["red", "10%", "50%", "100%", "ä    x\\x07", "https://me:***@host/"]);
  expect(told).toEqual([...log.lines()]);
  expect(readFileSync(log.path, "utf8")).toBe(text);
  expect(statSync(log.path).mode & 0o777).toBe(0o600);
  log.close({ remove: false });
  expect(existsSync(log.path)).toBe(true);
  log.write(Buffer.from("\nmore\n"));
  expect(readFileSync(log.path, "utf8")).toBe(`${text}\nmore\n`);
  log.close({ remove: true });
  expect(existsSync(log.path)).toBe(false);
});

test("memory stays small, whatever a build prints", () => {
  using work = createWorkspace();
  const log = new BuildLog(work.at("a.log"));
  log.write(Buffer.from("x".repeat(1_000_000)));
  log.write(Buffer.from("\n"));
  for (let count = 0; count < 100; count += 1) log.say(`line ${count}`);
  expect(log.lines()).toHaveLength(20);
  expect(log.lines().at(-1)).toBe("line 99");
  log.write(Buffer.from("y".repeat(100_000)));
  expect(log.lines().at(-1)).toHaveLength(500);
  log.close({ remove: true });
});

test("without output there is no file", () => {
  using work = createWorkspace();
  const log = new BuildLog(work.at("a.log"));
  expect(log.lines()).toEqual([]);
  log.close({ remove: false });
  expect(existsSync(log.path)).toBe(false);
});
