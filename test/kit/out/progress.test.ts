import { expect, test } from "bun:test";

import type { PrinterOptions } from "../../../src/kit/out/printer.ts";
import { createProgress, progressText } from "../../../src/kit/out/progress.ts";
import { foldProgress, startProgress } from "../../../src/kit/out/progress-state.ts";
import { Sink } from "../../support/capture.ts";

const HALF = {
  doneBytes: 512 * 1024,
  totalBytes: 1024 * 1024,
  doneItems: 1200,
  totalItems: 2400,
  current: "a\nb",
};

function textOf(totalIsFinal: boolean): string {
  const state = foldProgress(startProgress(0), { ...HALF, totalIsFinal }, 2000);
  return progressText(state, { label: "Copying", nowMs: 2000 });
}

test("the line names what is done, of how much, how fast and how long still", () => {
  expect(textOf(true)).toBe(
    "Copying 1,200 of 2,400 files, 512 KiB of 1.0 MiB, 50 %, 256 KiB/s, 2.0 s left  a\\nb",
  );
});

test("while the total is unknown it says so", () => {
  expect(textOf(false)).toBe(
    "Copying 1,200 of at least 2,400 files, 512 KiB of at least 1.0 MiB, 256 KiB/s  a\\nb",
  );
});

test("where only files are counted, bytes are left out", () => {
  const update = { ...HALF, doneBytes: 0, totalBytes: 0, totalIsFinal: false };
  const state = foldProgress(startProgress(0), update, 2000);
  const text = progressText(state, { label: "Compiled", nowMs: 2000, countsOnly: true });
  expect(text).toBe("Compiled 1,200 of at least 2,400 files  a\\nb");
});

function draw(printerOptions: PrinterOptions, environment: Record<string, string> = {}): string {
  const sink = new Sink();
  const printer = sink.printer({ isTerminal: () => true, ...printerOptions });
  let nowMs = 0;
  const progress = createProgress(printer, {
    label: "Copying",
    now: () => nowMs,
    environment,
    columns: 40,
  });
  nowMs = 150;
  progress.update({ ...HALF, totalIsFinal: true });
  nowMs = 200;
  progress.update({ ...HALF, doneItems: 1300, totalIsFinal: true });
  progress.pause();
  nowMs = 400;
  progress.update({ ...HALF, doneItems: 1400, totalIsFinal: true });
  progress.resume();
  progress.finish();
  return sink.text(2);
}

test("it draws at once, at most ten times a second, not while paused, and cleans up", () => {
  const lines = draw({}).split("\r\u001b[2K");
  expect(lines.map((line) => line.slice(2, 22))).toEqual([
    "",
    "Copying 0 of at leas",
    "Copying 1,200 of 2,4",
    "",
    "Copying 1,400 of 2,4",
    "",
  ]);
  expect(lines.every((line) => line.length < 40)).toBe(true);
});

test.each([
  ["no terminal", { isTerminal: () => false }, {}],
  ["-q", { level: -1 }, {}],
  ["-v", { level: 1 }, {}],
  ["--json", { json: true }, {}],
  ["--no-progress", { progress: false }, {}],
  ["CI", {}, { CI: "true" }],
  ["TERM=dumb", {}, { TERM: "dumb" }],
] as const)("%s silences it", (_name, options, environment) => {
  expect(draw(options, environment)).toBe("");
});
