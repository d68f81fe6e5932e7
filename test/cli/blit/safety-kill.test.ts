import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FaultCount } from "../../../ffi/fault-count.ts";
import { runBlit } from "../../support/binary.ts";
import {
  type Holding,
  leftovers,
  lost,
  partial,
  readHolding,
  readStatuses,
} from "../../support/safety.ts";
import { makeSafetyTree, olderTree, sourceTree, straysTree } from "../../support/safety-trees.ts";
import { secondFilesystem } from "../../support/second-filesystem.ts";
import { testUnless } from "../../support/skip.ts";
import { differences, treeToolsMissing } from "../../support/tree.ts";
import { createWorkspace, removeTree } from "../../support/workspace.ts";

// Other work on the machine may slow these down; none of them depends on time.
setDefaultTimeout(60_000);

/**
 * A crash at every call of a run: kill -9 before the n-th system call, for n from the first to the
 * last. After each, final names hold old or new content and nothing is lost; and the same command,
 * run again, completes what was interrupted and leaves nothing behind.
 */

const isSoak = process.env["TRIAD_TEST_SOAK"] === "1";
/** How many crashes per scenario, spread over all of its calls. */
const killsPerScenario = isSoak ? Number.POSITIVE_INFINITY : 27;

type Scenario = {
  readonly name: string;
  /** Makes the target: "missing" = the command makes it. */
  readonly target: "missing" | "older" | "strays";
  readonly command: (paths: Paths) => string[];
  readonly isMove?: boolean;
  /** The target is on a file system of its own. */
  readonly crosses?: boolean;
  readonly keepsBackup?: boolean;
};

type Paths = { readonly source: string; readonly target: string; readonly backup: string };

const scenarios: readonly Scenario[] = [
  {
    // With a slash: without one, the second run would mean a folder in the target of the first.
    name: "copy to a new folder",
    target: "missing",
    command: (p) => ["copy", `${p.source}/`, p.target],
  },
  {
    name: "copy over an older state",
    target: "older",
    command: (p) => ["copy", `${p.source}/`, `${p.target}/`],
  },
  {
    name: "mirror",
    target: "strays",
    command: (p) => ["mirror", "--yes", `${p.source}/`, `${p.target}/`],
  },
  {
    name: "mirror with backups",
    target: "strays",
    command: (p) => {
      return ["mirror", "--yes", "--backup-dir", p.backup, `${p.source}/`, `${p.target}/`];
    },
    keepsBackup: true,
  },
  {
    name: "move as a whole",
    target: "missing",
    command: (p) => ["move", p.source, p.target],
    isMove: true,
  },
  {
    name: "move into an older state",
    target: "older",
    command: (p) => ["move", `${p.source}/`, `${p.target}/`],
    isMove: true,
  },
  {
    name: "move to another file system",
    target: "missing",
    command: (p) => ["move", `${p.source}/`, p.target],
    isMove: true,
    crosses: true,
  },
  {
    name: "move to another file system, into an older state",
    target: "older",
    command: (p) => ["move", `${p.source}/`, `${p.target}/`],
    isMove: true,
    crosses: true,
  },
];

let kills = 0;
const noSecond = "needs a second file system in /dev/shm";
/** Source, target and their contents before the run. */
class Bench {
  readonly paths: Paths;
  readonly #pristine: string;
  readonly #scenario: Scenario;
  #untouched: ReadonlyMap<string, string> = new Map();
  readonly source: Holding;
  readonly older: Holding;
  /** Folders in which nothing of blit may be left. */
  readonly roots: readonly string[];

  constructor(scenario: Scenario, base: string, other: string) {
    this.#scenario = scenario;
    this.#pristine = join(base, "pristine");
    const [near, far] = [join(base, "near"), join(other, "far")];
    for (const path of [
      near,
      far,
      join(this.#pristine, "source"),
      join(this.#pristine, "target"),
    ]) {
      mkdirSync(path, { recursive: true });
    }
    const targetParent = scenario.crosses === true ? far : near;
    this.paths = {
      source: join(near, "source"),
      target: join(targetParent, "target"),
      backup: join(targetParent, "backup"),
    };
    makeSafetyTree(join(this.#pristine, "source"), sourceTree);
    const older = scenario.target === "strays" ? straysTree : olderTree;
    if (scenario.target !== "missing") makeSafetyTree(join(this.#pristine, "target"), older);
    this.source = readHolding(join(this.#pristine, "source"));
    this.older = readHolding(join(this.#pristine, "target"));
    this.roots = [near, targetParent];
  }

  get pristineSource(): string {
    return join(this.#pristine, "source");
  }

  reset(): void {
    const { source, target, backup } = this.paths;
    for (const path of [target, backup]) removeTree(path);
    // What a copy or a mirror reads is checked to be untouched, and used again.
    if (this.#scenario.isMove === true || !existsSync(source)) {
      removeTree(source);
      clone(this.pristineSource, source);
      this.#untouched = readStatuses(source);
    }
    if (this.#scenario.target !== "missing") clone(join(this.#pristine, "target"), target);
  }

  /** What must be true whenever the process ends. */
  check(): void {
    const { paths, source, older } = this;
    const now = readHolding(paths.target);
    expect(partial(now, older, source)).toEqual([]);
    if (this.#scenario.isMove === true) {
      const sourceNow = readHolding(paths.source);
      expect(lost(source, [sourceNow, now])).toEqual([]);
      expect(partial(sourceNow, source, source)).toEqual([]);
    } else expect(readStatuses(paths.source)).toEqual(this.#untouched);
    if (this.#scenario.keepsBackup === true) {
      expect(lost(older, [now, readHolding(paths.backup)])).toEqual([]);
    }
  }

  /** What must be true when the command has come to its end. */
  checkEnd(): void {
    const isMove = this.#scenario.isMove === true;
    this.check();
    // A move that was interrupted has changed the times of the source's folders.
    const flags = isMove ? ["--omit-dir-times"] : [];
    expect(differences(this.pristineSource, this.paths.target, ...flags)).toBe("");
    expect(leftovers(...this.roots)).toEqual([]);
    if (isMove) expect(readHolding(this.paths.source).size).toBe(0);
  }
}

function clone(from: string, to: string): void {
  const copied = Bun.spawnSync(["cp", "-a", "--sparse=always", from, to], { stderr: "pipe" });
  expect(copied.stderr.toString()).toBe("");
}

/** The highest number of calls that one thread makes in an undisturbed run. */
async function countCalls(bench: Bench, command: readonly string[], file: string): Promise<number> {
  bench.reset();
  const run = await runBlit(command, { env: { TRIAD_FAULTS_COUNT: file } });
  expect([run.code, run.stderr]).toEqual([0, run.stderr]);
  bench.checkEnd();
  const count = JSON.parse(readFileSync(file, "utf8")) as FaultCount;
  expect(count.open.filter((path) => bench.roots.some((root) => path.startsWith(root)))).toEqual(
    [],
  );
  return Math.max(...count.threads.map(({ total }) => total));
}

describe("kill -9 before any system call", () => {
  for (const scenario of scenarios) {
    // Memory takes these hundreds of copies faster than a disk.
    const near = secondFilesystem() ?? tmpdir();
    const isShort = scenario.crosses === true && secondFilesystem() === undefined;
    const reason = isShort ? noSecond : undefined;
    testUnless(treeToolsMissing() ?? reason)(
      scenario.name,
      async () => {
        // Memory is the target across file systems: to sync a busy disk would take seconds.
        using work = createWorkspace(scenario.crosses === true ? tmpdir() : near);
        using far = createWorkspace(near);
        const bench = new Bench(scenario, work.path, far.path);
        const command = scenario.command(bench.paths);
        const calls = await countCalls(bench, command, work.at("count"));
        const step = Math.max(1, calls / killsPerScenario);
        for (let at = 1; at <= calls; at += step) {
          await crashAndComplete(bench, command, Math.floor(at));
        }
      },
      isSoak ? 1_800_000 : 120_000,
    );
  }
});

async function crashAndComplete(
  bench: Bench,
  command: readonly string[],
  at: number,
): Promise<void> {
  bench.reset();
  const fault = `*:KILL@${at}`;
  const run = await runBlit(command, { env: { TRIAD_FAULTS: fault } });
  try {
    if (run.code === 137) kills++;
    else expect(run.code).toBe(0);
    bench.check();
    if (existsSync(bench.paths.source)) {
      const again = await runBlit(command);
      expect([again.code, again.stderr]).toEqual([0, again.stderr]);
    }
    bench.checkEnd();
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new Error(`after ${fault}: ${text}\n${run.stderr}`);
  }
}

test("the two file systems are two", () => {
  const other = secondFilesystem();
  if (other === undefined) return;
  using work = createWorkspace();
  expect(statSync(other).dev).not.toBe(statSync(work.path).dev);
});

testUnless(treeToolsMissing() ?? (secondFilesystem() === undefined ? noSecond : undefined))(
  "most of these runs were killed on their way",
  () => {
    // Where threads share the work, one of them may not get as far as in the run that was counted.
    const wanted = isSoak ? 1000 : scenarios.length * killsPerScenario * 0.8;
    expect(kills).toBeGreaterThan(wanted);
  },
);
