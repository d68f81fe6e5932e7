import {
  closeSync,
  existsSync,
  fstatSync,
  futimesSync,
  mkdirSync,
  openSync,
  rmSync,
  statfsSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { type Made, makeSet } from "../data.ts";
import { busyProcessors } from "../local/bystanders.ts";
import { RunFailed, type Stopwatch } from "../local/measure.ts";
import { SCENARIOS as LOCAL_SCENARIOS } from "../local/scenario.ts";
import { sameTotals, verifyEqual } from "../local/verify.ts";
import { command, Volume } from "../local/volume.ts";
import { warmMemory } from "../local/warm-memory.ts";
import type { Link } from "./link.ts";
import type { Row, ToolResult } from "./results.ts";
import type { Scenario } from "./scenario.ts";
import { type RunningServer, startServer } from "./server.ts";
import { type Job, newSeat, onlyFile, type Seat, type Tool } from "./tool.ts";

const MIB = 2 ** 20;
const GIB = 2 ** 30;
/** From here on an image's own pages would push the data out of memory. */
const FORGET_FROM_BYTES = GIB;
/** A time that no set has. */
const OLD_SECONDS = 1_500_000_000;

/** What every row of a session shares. */
export interface Session {
  readonly scratch: string;
  readonly environment: Record<string, string>;
  readonly scale: number;
  /** In place of the scenario's own number. */
  readonly rounds: number | undefined;
  readonly tools: readonly Tool[];
  readonly stopwatch: Stopwatch;
  readonly say: (line: string) => void;
  /** Lets pending signals in. @throws Interrupted when one asked to stop */
  readonly checkpoint: () => Promise<void>;
}

/**
 * Measures one scenario over one link: all servers run all the time, on the same volume.
 * @throws Error when blit fails or copies badly, Interrupted when somebody asks to stop
 */
export async function measureRow(session: Session, scenario: Scenario, link: Link): Promise<Row> {
  const row: Row = {
    scenario: scenario.id,
    link: link.kind,
    at: new Date().toISOString().slice(0, 16),
    busy: busyProcessors(),
    tools: {},
  };
  const lacking = whyTooLarge(session, scenario);
  if (lacking !== undefined) return { ...row, skipped: lacking };
  const bench = new Workbench(session, scenario, link);
  try {
    await bench.start();
    bench.rehearse();
    const rounds = session.rounds ?? scenario.rounds;
    for (let round = 0; round < rounds; round++) {
      for (const tool of shuffled(session.tools)) {
        bench.measure(tool, row);
        await session.checkpoint();
      }
      session.say(`  round ${round + 1} of ${rounds}: ${summary(row)}`);
    }
  } finally {
    await bench.end();
  }
  return row;
}

/** A volume with the set on it, the servers, and the state that the task starts from. */
class Workbench {
  readonly #session: Session;
  readonly #job: Job;
  readonly #link: Link;
  readonly #volume: Volume;
  readonly #made: Made;
  readonly #seats = new Map<string, Seat>();
  readonly #servers = new Map<string, RunningServer>();

  constructor(session: Session, scenario: Scenario, link: Link) {
    this.#session = session;
    this.#link = link;
    this.#volume = new Volume(session.scratch, "ext4");
    const [source, target] = [this.#volume.path("source"), this.#volume.path("target")];
    this.#job = { scenario, root: this.#volume.root, source, target };
    this.#made = makeSet(source, scenario.set, session.scale);
    const isThere = scenario.task === "again" || scenario.task === "delta";
    if (isThere) command(["cp", "-a", `${source}/.`, target]);
    this.#settle();
  }

  async start(): Promise<void> {
    for (const tool of this.#session.tools) {
      const seat = newSeat(
        this.#link,
        join(this.#session.scratch, "seats", tool.id),
        this.#job.root,
      );
      this.#seats.set(tool.id, seat);
      const argv = tool.server(seat);
      if (argv === undefined) continue;
      const server = await startServer({
        argv: this.#link.served(argv),
        folder: seat.folder,
        environment: this.#session.environment,
        host: this.#link.address,
        port: seat.port,
      });
      this.#servers.set(tool.id, server);
    }
  }

  #settle(): number {
    return this.#volume.settle(this.#made.bytes >= FORGET_FROM_BYTES);
  }

  /** Puts the target back, outside of the timed part. */
  #reset(): void {
    const { scenario, target } = this.#job;
    switch (scenario.task) {
      case "file":
        rmSync(target, { recursive: true, force: true });
        mkdirSync(target);
        break;
      case "copy":
        if (existsSync(target)) command(["rm", "-rf", target]);
        break;
      case "delta":
        makeOlder(join(target, onlyFile(this.#job.source)));
        break;
      case "again":
        break;
    }
  }

  /** One run of blit that does not count: it warms the caches, and its result is compared. */
  rehearse(): void {
    const [blit] = this.#session.tools;
    const argv = blit === undefined ? undefined : this.#argv(blit);
    if (blit?.id !== "blit" || argv === undefined) return;
    this.#reset();
    this.#session.stopwatch.once(argv);
    verifyEqual(this.#asLocal());
  }

  #argv(tool: Tool): string[] | undefined {
    const seat = this.#seats.get(tool.id);
    return seat === undefined ? undefined : tool.client(this.#job, seat);
  }

  measure(tool: Tool, row: Row): void {
    const argv = this.#argv(tool);
    const known = row.tools[tool.id];
    if (argv === undefined || known?.failed !== undefined) return;
    const result: ToolResult = known ?? { wall: [], cpu: [], peakMib: [] };
    row.tools[tool.id] = result;
    this.#reset();
    this.#settle();
    warmMemory(this.#job.scenario.footprint * this.#session.scale * 2);
    const server = this.#servers.get(tool.id);
    const before = server?.cpuSeconds ?? 0;
    try {
      const sample = this.#session.stopwatch.once(argv);
      result.wall.push(rounded(sample.wall, 4));
      result.cpu.push(rounded(sample.cpu + (server?.cpuSeconds ?? 0) - before, 2));
      result.peakMib.push(rounded(sample.peakMib, 1));
      if (server !== undefined) result.serverPeakMib = rounded(server.peakMib, 1);
    } catch (error) {
      if (!(error instanceof RunFailed) || tool.id.startsWith("blit")) throw error;
      result.failed = error.message;
      return;
    }
    if (result.wall.length > 1) return;
    if (tool.id.startsWith("blit")) verifyEqual(this.#asLocal());
    else if (!sameTotals(this.#asLocal())) result.failed = "left files or bytes out";
  }

  /** For the judges of the local benchmark, who only ask for the set and whether it is a file. */
  #asLocal() {
    const { scenario, source, target } = this.#job;
    const isFile = scenario.task === "file" || scenario.task === "delta";
    const like = LOCAL_SCENARIOS.find(({ task }) => task === (isFile ? "file" : "copy"));
    if (like === undefined) throw new Error("The local scenarios lack a task");
    return { scenario: { ...like, id: scenario.id, set: scenario.set }, source, target };
  }

  async end(): Promise<void> {
    for (const server of this.#servers.values()) await server.stop();
    this.#volume[Symbol.dispose]();
  }
}

/** Makes 1 MiB in the middle of a file different, and the file older. */
function makeOlder(path: string): void {
  const fd = openSync(path, "r+");
  const { size } = fstatSync(fd);
  const length = Math.min(MIB, size);
  const middle = Math.floor((size - length) / 2);
  writeSync(fd, new Uint8Array(length).fill(7), 0, length, middle);
  futimesSync(fd, OLD_SECONDS, OLD_SECONDS);
  closeSync(fd);
}

/** A reason to leave a row out rather than to fill the disk. */
function whyTooLarge(session: Session, scenario: Scenario): string | undefined {
  const wanted = (scenario.footprint * 3 + GIB) * session.scale;
  const disk = statfsSync(session.scratch);
  if (wanted * 1.1 <= disk.bavail * disk.bsize) return undefined;
  return `needs ${(wanted / GIB).toFixed(1)} GiB of disk space`;
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  const keyed = items.map((item) => ({ item, key: Math.random() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
}

function summary(row: Row): string {
  return Object.entries(row.tools)
    .map(([id, result]) => `${id} ${result.failed ?? result.wall.at(-1)?.toFixed(3) ?? "–"}`)
    .join(", ");
}

function rounded(value: number, digits: number): number {
  return Number(value.toFixed(digits));
}
