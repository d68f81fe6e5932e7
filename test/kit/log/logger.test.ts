import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { createLogger } from "../../../src/kit/log/logger.ts";
import { Sink } from "../../support/capture.ts";

test("records up to the level reach the file, one object per line, repeated ones too", () => {
  const folder = mkdtempSync(join(tmpdir(), "logger-"));
  try {
    const file = join(folder, "log.jsonl");
    const now = () => new Date(0);
    const logger = createLogger({ level: "info", file, now });
    logger.error("broken", { path: "a" });
    logger.info("same");
    logger.info("same");
    logger.debug("too much");
    const time = "1970-01-01T00:00:00.000Z";
    expect(
      readFileSync(file, "utf8")
        .trimEnd()
        .split("\n")
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { time, level: "error", message: "broken", data: { path: "a" } },
      { time, level: "info", message: "same" },
      { time, level: "info", message: "same" },
    ]);
    expect(statSync(file).mode & 0o777).toBe(0o600);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("the printer shows records only with --debug or -vv, made harmless", () => {
  const quiet = new Sink();
  createLogger({ level: "trace", printer: quiet.printer() }).warn("x");
  expect(quiet.text(2)).toBe("");
  const loud = new Sink();
  const logger = createLogger({ level: "trace", printer: loud.printer({ debug: true }) });
  logger.trace("see https://u:p@h/\u001b[2J", { n: 1 });
  expect(loud.text(2)).toBe('trace: see https://u:***@h/\\e[2J {"n":1}\n');
});

test("a log that cannot be written stops nobody", () => {
  const logger = createLogger({ level: "info", file: "/nonexistent/folder/log" });
  expect(() => logger.info("x")).not.toThrow();
});
