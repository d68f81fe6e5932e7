import { afterEach, beforeEach, describe, expect, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { PerfRecord } from "../../src/blit/plan/perf-record.ts";
import { createTelemetry } from "../../src/blit/telemetry.ts";
import { perfRecord } from "./plan/perf-record.fixture.ts";

let home = "";
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "blit-telemetry-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

const open = (extra: Record<string, string> = {}, enabled?: boolean) =>
  createTelemetry({ environment: { HOME: home, ...extra }, ...(enabled === false && { enabled }) });
const logPath = () => join(home, ".config", "blit", "perf_local.jsonl");
const stamp = (timestampMs: number): PerfRecord => perfRecord({ timestampMs });

describe("the log", () => {
  test("what was appended is read again, oldest first; file and folder are private", () => {
    const telemetry = open();
    expect(telemetry.append(stamp(1))).toBe(true);
    expect(telemetry.append(stamp(2))).toBe(true);
    expect(telemetry.path).toBe(logPath());
    expect(telemetry.readTail()).toEqual([stamp(1), stamp(2)]);
    expect(telemetry.readRecentRuns(1)).toEqual([stamp(2)]);
    expect(telemetry.readRecentRuns(0)).toEqual([]);
    expect(statSync(logPath()).mode & 0o777).toBe(0o600);
    expect(statSync(join(home, ".config", "blit")).mode & 0o777).toBe(0o700);
  });

  test("XDG_CONFIG_HOME moves it, a relative one is ignored", () => {
    open({ XDG_CONFIG_HOME: join(home, "xdg") }).append(stamp(1));
    expect(existsSync(join(home, "xdg", "blit", "perf_local.jsonl"))).toBe(true);
    open({ XDG_CONFIG_HOME: "xdg" }).append(stamp(1));
    expect(existsSync(logPath())).toBe(true);
  });

  test("a log that others could read is closed to them", () => {
    open().append(stamp(1));
    chmodSync(logPath(), 0o644);
    open().append(stamp(2));
    expect(statSync(logPath()).mode & 0o777).toBe(0o600);
  });

  test("nothing but the known fields is written, and no path as file system", () => {
    const extra = { ...stamp(1), path: "/home/me/secret", sourceFs: "/home/me", targetFs: "ext4" };
    open().append(extra);
    const text = readFileSync(logPath(), "utf8");
    expect(text).not.toMatch(/home|secret|path"/);
    expect(open().readTail()[0]?.sourceFs).toBe("other");
  });
});

describe("the cap of 1 MiB", () => {
  test("the newest half stays, in whole lines", () => {
    const telemetry = open();
    telemetry.append(stamp(0));
    const line = readFileSync(logPath(), "utf8").replace(
      '"timestampMs":0',
      '"timestampMs":1000000',
    );
    const count = Math.floor((1024 * 1024) / line.length);
    const lines = Array.from({ length: count }, (_, n) =>
      line.replace("1000000", `${1000000 + n}`),
    );
    writeFileSync(logPath(), lines.join(""));
    expect(telemetry.append(stamp(7777777))).toBe(true);
    const size = statSync(logPath()).size;
    expect(size).toBeLessThanOrEqual(512 * 1024 + line.length);
    expect(size).toBeGreaterThan(500 * 1024);
    const runs = telemetry.readRecentRuns(100_000);
    expect(runs).toHaveLength(readFileSync(logPath(), "utf8").split("\n").length - 1);
    expect(runs.at(-1)?.timestampMs).toBe(7777777);
    expect(runs.at(-2)?.timestampMs).toBe(1000000 + count - 1);
    expect(statSync(logPath()).mode & 0o777).toBe(0o600);
    expect(telemetry.readTail().length).toBeLessThan(300);
  });

  test("one endless line is thrown away", () => {
    mkdirSync(join(home, ".config", "blit"), { recursive: true });
    writeFileSync(logPath(), "x".repeat(2 * 1024 * 1024));
    open().append(stamp(1));
    expect(open().readTail()).toEqual([stamp(1)]);
    expect(statSync(logPath()).size).toBeLessThan(1024);
  });
});

describe("trouble is silent", () => {
  test("off by the variable or by the config: nothing read, nothing written", () => {
    open().append(stamp(1));
    for (const off of [open({ BLIT_DISABLE_LOCAL_TELEMETRY: "1" }), open({}, false)]) {
      expect(off.enabled).toBe(false);
      expect(off.append(stamp(2))).toBe(false);
      expect(off.readTail()).toEqual([]);
      expect(off.readRecentRuns(5)).toEqual([]);
    }
    expect(open({ BLIT_DISABLE_LOCAL_TELEMETRY: "0" }).enabled).toBe(true);
    expect(open().readTail()).toEqual([stamp(1)]);
  });

  test("torn, foreign and hostile lines are skipped; the line after a torn one is whole", () => {
    open().append(stamp(1));
    const good = readFileSync(logPath(), "utf8");
    const bad = [
      "",
      "null",
      "[]",
      "{",
      '{"schema":2}',
      good.replace('"files":', '"files":-'),
      "\xff",
    ];
    writeFileSync(logPath(), `${bad.join("\n")}\n${good}${good.slice(0, 40)}`);
    open().append(stamp(2));
    expect(open().readTail()).toEqual([stamp(1), stamp(2)]);
  });

  test("no log, a folder or a symbolic link in its place, a home that takes no files", () => {
    expect(open().readTail()).toEqual([]);
    mkdirSync(logPath(), { recursive: true });
    expect(open().append(stamp(1))).toBe(false);
    expect(open().readTail()).toEqual([]);
    rmSync(logPath(), { recursive: true });
    const victim = join(home, "victim");
    writeFileSync(victim, "");
    symlinkSync(victim, logPath());
    expect(open().append(stamp(1))).toBe(false);
    expect(readFileSync(victim, "utf8")).toBe("");
    const blocked = createTelemetry({ environment: { HOME: "/proc/1/nowhere" } });
    expect(blocked.append(stamp(1))).toBe(false);
    expect(blocked.readTail()).toEqual([]);
  });

  test("a FIFO in its place does not block", () => {
    mkdirSync(join(home, ".config", "blit"), { recursive: true });
    Bun.spawnSync(["mkfifo", logPath()]);
    expect(open().append(stamp(1))).toBe(false);
    expect(open().readTail()).toEqual([]);
  });
});

test("the lines of parallel writers stay whole", async () => {
  const script = join(home, "writer.ts");
  const source = new URL("../../src/blit/telemetry.ts", import.meta.url).pathname;
  const fixture = new URL("./plan/perf-record.fixture.ts", import.meta.url).pathname;
  writeFileSync(
    script,
    `import { createTelemetry } from ${JSON.stringify(source)};
     import { perfRecord } from ${JSON.stringify(fixture)};
     const telemetry = createTelemetry({ environment: { HOME: ${JSON.stringify(home)} } });
     for (let n = 0; n < 200; n += 1) telemetry.append(perfRecord({ timestampMs: n }));`,
  );
  const writers = [0, 1, 2].map(() => Bun.spawn([process.execPath, script], { stderr: "inherit" }));
  await Promise.all(writers.map((writer) => writer.exited));
  expect(open().readRecentRuns(1000)).toHaveLength(600);
});
