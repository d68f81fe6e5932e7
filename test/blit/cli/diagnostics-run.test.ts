import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run } from "../../../src/blit/cli/diagnostics-run.ts";
import type { PerfRecord } from "../../../src/blit/plan/perf-record.ts";
import { createTelemetry } from "../../../src/blit/telemetry.ts";
import { Printer } from "../../../src/kit/out/printer.ts";
import { perfRecord } from "../plan/perf-record.fixture.ts";

let home = "";
beforeEach(() => {
  home = mkdtempSync(join(tmpdir(), "blit-diagnostics-"));
});
afterEach(() => rmSync(home, { recursive: true, force: true }));

function record(change: Partial<PerfRecord> = {}): void {
  createTelemetry({ environment: { HOME: home } }).append(perfRecord(change));
}

/** What the command prints on stdout, with the home folder taken out. */
async function show(
  options: { json?: boolean; limit?: number; off?: boolean } = {},
): Promise<string> {
  const chunks: string[] = [];
  const printer = new Printer({
    json: options.json ?? false,
    write: (fd, bytes) => {
      if (fd === 1) chunks.push(new TextDecoder().decode(bytes));
    },
  });
  const environment = {
    HOME: home,
    ...(options.off === true && { BLIT_DISABLE_LOCAL_TELEMETRY: "1" }),
  };
  const code = await run({ args: { limit: options.limit }, printer }, environment);
  printer.flush();
  expect(code).toBe(0);
  return chunks.join("").replaceAll(home, "~");
}

test("the runs, what was learnt, where it lies and how to turn it off", async () => {
  record();
  record({
    command: "mirror",
    targetFs: "tmpfs",
    files: 1,
    bytes: 2 ** 30,
    upToDate: 12_345,
    deleted: 3,
    totalMs: 500,
    workers: 2,
    fastPath: "huge-file",
    bigFile: { strategy: "direct", mibPerSecond: 2048 },
  });
  const text = (await show()).replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d/g, "2023-11-14 22:13");
  // Alignment is the table's own business; a bar stands for the space between two columns.
  expect(text.replaceAll(/ {2,}/g, "|")).toMatchInlineSnapshot(`
    "When|Command|From→to|Files|Size|Same|Deleted|Time|Rate|Workers|Way
    2023-11-14 22:13|copy|ext4→ext4|1,000|1.9 MiB|0|0|0.01 s|159 MiB/s|0|none
    2023-11-14 22:13|mirror|ext4→tmpfs|1|1.0 GiB|12,345|3|0.50 s|2.0 GiB/s|2|huge-file, direct

    Learnt of|New file|Without workers|Same file|Big files
    ext4→ext4|10 µs (1)|10 µs (1)|-|-
    ext4→tmpfs|-|-|0.8 µs (1)|direct 2.0 GiB/s (1)

    Log: "~/.config/blit/perf_local.jsonl", at most 1 MiB
    It holds no names and never leaves this machine
    Off: BLIT_DISABLE_LOCAL_TELEMETRY=1, or "enabled = false" under [telemetry] in config.toml
    "
  `);
});

test("--limit shows the last runs only", async () => {
  for (let n = 1; n <= 30; n += 1) record({ files: 1000 + n });
  expect((await show()).match(/copy/g)).toHaveLength(20);
  const text = await show({ limit: 2 });
  expect(text.match(/copy/g)).toHaveLength(2);
  expect(text).toContain("1,030");
  expect(text).not.toContain("1,028");
});

test("--json is one object with everything", async () => {
  record();
  const text = await show({ json: true });
  expect(text.trim().split("\n")).toHaveLength(1);
  expect(JSON.parse(text)).toEqual({
    schema: "blit.diagnostics.perf/1",
    path: "~/.config/blit/perf_local.jsonl",
    enabled: true,
    runs: [perfRecord()],
    learned: [
      {
        profile: "ext4→ext4",
        newFileUs: { value: 10, samples: 1, lastMs: perfRecord().timestampMs },
        newFileInlineUs: { value: 10, samples: 1, lastMs: perfRecord().timestampMs },
        mibPerSecond: {},
      },
    ],
  });
});

test("no runs yet, and a log that is turned off", async () => {
  expect(await show()).toStartWith('No runs yet in "~/.config/blit/perf_local.jsonl"');
  record();
  expect(await show({ off: true })).toStartWith("The log is off");
  expect(JSON.parse(await show({ off: true, json: true }))).toMatchObject({
    enabled: false,
    runs: [],
    learned: [],
  });
});

test("config.toml turns it off too", async () => {
  mkdirSync(join(home, ".config", "blit"), { recursive: true });
  writeFileSync(join(home, ".config", "blit", "config.toml"), "telemetry.enabled = false");
  record();
  expect(await show()).toStartWith("The log is off");
});
