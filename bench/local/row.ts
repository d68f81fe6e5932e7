import { existsSync, mkdirSync, rmSync, statfsSync } from "node:fs";
import { changeSet, type Made, makeSet } from "../data.ts";
import { busyProcessors } from "./bystanders.ts";
import { RunFailed, type Sample, type Stopwatch } from "./measure.ts";
import type { Row, ToolResult } from "./results.ts";
import type { Scenario } from "./scenario.ts";
import type { Job, Tool } from "./tool.ts";
import { sameTotals, verifyEqual } from "./verify.ts";
import { command, memoryAvailable, Volume, type VolumeKind } from "./volume.ts";
import { warmExecutable, warmMemory } from "./warm-memory.ts";

const GIB = 2 ** 30;
/** From here on an image's own pages would push the data out of memory. */
const FORGET_FROM_BYTES = GIB;

/** What every row of a session shares. */
export interface Session {
  readonly scratch: string;
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
 * Measures one scenario on one kind of file system.
 * @throws Error when blit fails or copies badly, Interrupted when somebody asks to stop
 */
export async function measureRow(
  session: Session,
  scenario: Scenario,
  kind: VolumeKind,
): Promise<Row> {
  const row: Row = {
    scenario: scenario.id,
    fs: kind,
    at: new Date().toISOString().slice(0, 16),
    busy: busyProcessors(),
    tools: {},
  };
  const lacking = whyTooLarge(session, scenario, kind);
  if (lacking !== undefined) return { ...row, skipped: lacking };
  const rounds = session.rounds ?? scenario.rounds;
  let bench = new Workbench(session, scenario, kind);
  try {
    bench.rehearse();
    for (let round = 0; round < rounds; round++) {
      if (scenario.freshRounds === true && round > 0) {
        bench[Symbol.dispose]();
        bench = new Workbench(session, scenario, kind);
      }
      for (const tool of shuffled(session.tools)) {
        const before = row.tools[tool.id];
        const result = before ?? { wall: [], cpu: [], peakMib: [], sync: [] };
        if (before === undefined) row.tools[tool.id] = result;
        bench.measure(tool, result);
        await session.checkpoint();
      }
      session.say(`  round ${round + 1} of ${rounds}: ${summary(row)}`);
    }
  } finally {
    bench[Symbol.dispose]();
  }
  return row;
}

/** A volume with the set on it, and the target in the state that the task starts from. */
class Workbench {
  readonly #session: Session;
  readonly #job: Job;
  readonly #volume: Volume;
  readonly #made: Made;

  constructor(session: Session, scenario: Scenario, kind: VolumeKind) {
    this.#session = session;
    this.#volume = new Volume(session.scratch, kind);
    try {
      const [source, target] = [this.#volume.path("source"), this.#volume.path("target")];
      this.#job = { scenario, source, target };
      this.#made = makeSet(source, scenario.set, session.scale);
      this.#prepare();
    } catch (error) {
      this.#volume[Symbol.dispose]();
      throw error;
    }
  }

  #prepare(): void {
    const { scenario, source, target } = this.#job;
    const { task } = scenario;
    if (task === "again" || task === "checksum") command(["cp", "-a", `${source}/.`, target]);
    if (task === "mirror") {
      command(["cp", "-a", `${source}/.`, this.#older]);
      command(["cp", "-a", `${source}/.`, target]);
      changeSet(source);
    }
    this.#settle();
  }

  /** What the target of a mirror looks like before. */
  get #older(): string {
    return this.#volume.path("older");
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
      case "mirror":
        command(["rsync", "-a", "--delete", "--modify-window=-1", `${this.#older}/`, `${target}/`]);
        break;
      case "again":
      case "checksum":
        break;
    }
  }

  /** One run of blit that does not count: it warms the caches, and its result is compared. */
  rehearse(): void {
    const blit = this.#session.tools[0];
    const argv = blit?.argv(this.#job);
    if (blit?.id !== "blit" || argv === undefined) return;
    this.#reset();
    this.#session.stopwatch.once(argv);
    verifyEqual(this.#job);
  }

  measure(tool: Tool, result: ToolResult): void {
    const argv = tool.argv(this.#job);
    if (argv === undefined || result.failed !== undefined) return;
    this.#reset();
    this.#settle();
    warmMemory(this.#job.scenario.footprint * this.#session.scale * 2);
    warmExecutable(tool.path);
    try {
      this.#note(result, this.#run(argv));
    } catch (error) {
      if (!(error instanceof RunFailed) || tool.id === "blit") throw error;
      result.failed = error.message;
      return;
    }
    if (result.wall.length > 1) return;
    if (tool.id === "blit") verifyEqual(this.#job);
    else if (!sameTotals(this.#job)) result.failed = "left files or bytes out";
  }

  #run(argv: readonly string[]): Sample {
    const { repeats } = this.#job.scenario;
    const { stopwatch } = this.#session;
    if (repeats === undefined) return stopwatch.once(argv);
    return stopwatch.repeated(argv, repeats, () => this.#reset());
  }

  #note(result: ToolResult, sample: Sample): void {
    result.wall.push(rounded(sample.wall, 4));
    result.cpu.push(rounded(sample.cpu, 2));
    result.peakMib.push(rounded(sample.peakMib, 1));
    result.sync.push(rounded(this.#settle(), 2));
  }

  [Symbol.dispose](): void {
    this.#volume[Symbol.dispose]();
  }
}

/** A reason to leave a row out rather than measure the machine's swapping. */
function whyTooLarge(session: Session, scenario: Scenario, kind: VolumeKind): string | undefined {
  const copies = scenario.task === "mirror" ? 3 : 2;
  const wanted = (scenario.footprint * copies + GIB) * session.scale;
  const disk = statfsSync(session.scratch);
  const available = kind === "tmpfs" ? memoryAvailable() : disk.bavail * disk.bsize;
  if (wanted * 1.1 <= available) return undefined;
  const what = kind === "tmpfs" ? "memory" : "disk space";
  return `needs ${(wanted / GIB).toFixed(1)} GiB of ${what}`;
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
