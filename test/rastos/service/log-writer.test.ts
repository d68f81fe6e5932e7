import { expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { LogWriter } from "../../../src/rastos/service/log-writer.ts";
import { createWorkspace } from "../../support/workspace.ts";

const TIME = "2026-11-21T20:10:09.123Z";
const now = (): Date => new Date(TIME);
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

function writer(folder: string, sizeMax = 1 << 20, keep = 3): LogWriter {
  return new LogWriter({ folder, sizeMax, keep, now });
}

test("a line for each line, with time and stream; unfinished ones wait", () => {
  using work = createWorkspace();
  const log = writer(work.at("log/x"));
  log.write("out", bytes("one\ntwo grü"));
  log.write("err", bytes("bad\n"));
  log.write("out", bytes("n\n\nrest"));
  log.say("it has\nstarted");
  log.close();
  expect(readFileSync(log.path, "utf8")).toBe(
    [
      `${TIME} out one`,
      `${TIME} err bad`,
      `${TIME} out two grün`,
      `${TIME} out `,
      `${TIME} run it has started`,
      `${TIME} out rest`,
      "",
    ].join("\n"),
  );
});

test("long lines are broken, and marked where they go on", () => {
  using work = createWorkspace();
  const log = writer(work.at("log"));
  log.write("out", bytes("a".repeat(20_000)));
  log.write("out", bytes("b\n"));
  log.close();
  const lines = readFileSync(log.path, "utf8").trim().split("\n");
  expect(lines.map((line) => line.split(" ")[1])).toEqual(["out+", "out+", "out"]);
  expect(lines.map((line) => line.split(" ")[2]).join("")).toBe(`${"a".repeat(20_000)}b`);
});

test("rotates by size, keeps so many, and goes on with a log that is there", () => {
  using work = createWorkspace();
  const folder = work.at("log");
  for (let round = 0; round < 3; round += 1) {
    const log = writer(folder, 200, 2);
    for (let line = 0; line < 10; line += 1) log.write("out", bytes(`${round}.${line} ......\n`));
    log.close();
  }
  expect(readdirSync(folder).sort()).toEqual(["log", "log.1", "log.2"]);
  const kept = ["log.2", "log.1", "log"].map((name) => readFileSync(join(folder, name), "utf8"));
  for (const text of kept) expect(text.length).toBeLessThanOrEqual(200);
  const numbers = [...kept.join("").matchAll(/out (\S+)/g)].map(([, number]) => number);
  expect(numbers.at(-1)).toBe("2.9");
  expect(numbers.length).toBeGreaterThan(9);
});

test("what cannot be written is held, then counted as lost, and never thrown", () => {
  using work = createWorkspace();
  writeFileSync(work.at("taken"), "");
  let time = 0;
  const folder = work.at("taken/log");
  const log = new LogWriter({ folder, sizeMax: 1 << 20, keep: 1, now: () => new Date(time) });
  log.write("out", bytes("early\n"));
  log.write("out", bytes(`${"x".repeat(1000)}\n`.repeat(400)));
  // Where the folder can be made now, the next try writes what is held.
  const other = new LogWriter({
    folder: work.at("later/log"),
    sizeMax: 1 << 20,
    keep: 1,
    now: () => new Date(time),
  });
  mkdirSync(work.at("later"), { mode: 0o700 });
  chmodSync(work.at("later"), 0o700);
  other.write("out", bytes("at once\n"));
  expect(existsSync(work.at("later/log/log"))).toBe(true);
  time += 5000;
  expect(() => log.write("out", bytes("late\n"))).not.toThrow();
  other.close();
});

test("property: whatever the chunks and however small the log, no line is lost or torn", () => {
  const text = fc
    .array(fc.string({ maxLength: 30 }), { maxLength: 20 })
    .map((lines) => lines.map((line) => `${line.replaceAll("\n", "")}\n`).join(""));
  fc.assert(
    fc.property(text, fc.array(fc.nat(40), { maxLength: 30 }), (all, cuts) => {
      using work = createWorkspace();
      const log = writer(work.at("log"), 120, 1000);
      const whole = bytes(all);
      let at = 0;
      for (const cut of cuts) {
        log.write("out", whole.slice(at, at + cut));
        at += cut;
      }
      log.write("out", whole.slice(at));
      log.close();
      const folder = work.at("log");
      const files = existsSync(folder) ? readdirSync(folder) : [];
      const order = (name: string): number => -Number(name.split(".")[1] ?? 0);
      const sorted = files.sort((a, b) => order(a) - order(b));
      const written = sorted.map((name) => readFileSync(join(folder, name), "utf8")).join("");
      const lines = written.split("\n").slice(0, -1);
      const back = lines.map((line) => `${line.slice(`${TIME} out `.length)}\n`).join("");
      expect(back).toBe(all);
    }),
    { numRuns: 60 },
  );
});
