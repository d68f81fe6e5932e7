import { afterAll, describe, expect, setDefaultTimeout } from "bun:test";
import { existsSync, linkSync, mkdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { FaultCount } from "../../../ffi/fault-count.ts";
import { type RunResult, runBlit } from "../../support/binary.ts";
import { type Holding, leftovers, lost, partial, readHolding } from "../../support/safety.ts";
import { makeSafetyTree, olderTree, sourceTree, straysTree } from "../../support/safety-trees.ts";
import { secondFilesystem } from "../../support/second-filesystem.ts";
import { testUnless } from "../../support/skip.ts";
import { differences, makeTree, type TreeOperation, treeToolsMissing } from "../../support/tree.ts";
import { createWorkspace, removeTree, type Workspace } from "../../support/workspace.ts";

// Other work on the machine may slow these down; none of them depends on time.
setDefaultTimeout(60_000);

/**
 * Each system call of a run made to fail in turn. Whatever fails: the exit code says so or the
 * target is what it should be, every difference is named, nothing partial and nothing temporary is
 * left, no descriptor leaks, and the same command without the fault completes the work.
 */

const isSoak = process.env["TRIAD_TEST_SOAK"] === "1";
const errors = ["EIO", "ENOSPC", "EACCES"] as const;
const lateMs = 20_000;

type Scenario = {
  readonly name: string;
  readonly words: readonly string[];
  readonly older: typeof olderTree | undefined;
  readonly isMove: boolean;
  readonly crosses: boolean;
};

/** A mirror does all that a copy does, and more. */
const copyAlone: Scenario = {
  name: "copy",
  words: ["copy"],
  older: olderTree,
  isMove: false,
  crosses: false,
};

const scenarios: readonly Scenario[] = [
  ...(isSoak ? [copyAlone] : []),
  { name: "mirror", words: ["mirror", "--yes"], older: straysTree, isMove: false, crosses: false },
  { name: "move", words: ["move"], older: olderTree, isMove: true, crosses: false },
  { name: "move elsewhere", words: ["move"], older: undefined, isMove: true, crosses: true },
];

/** What `--json` tells of a run. */
type Told = {
  readonly exitCode: number;
  readonly deletionsSkipped?: string | null;
  readonly issues?: readonly {
    readonly kind: string;
    readonly path: string;
    readonly code: string;
    readonly message: string;
  }[];
};

class Bench {
  readonly source: string;
  readonly target: string;
  readonly #base: string;
  readonly #scenario: Scenario;
  readonly #count: string;
  readonly roots: readonly string[];
  readonly wanted: Holding;
  readonly before: Holding;

  constructor(scenario: Scenario, base: string, other: string) {
    this.#base = base;
    this.#scenario = scenario;
    this.#count = join(base, "count");
    const [near, far] = [join(base, "near"), join(other, "far")];
    for (const path of [near, far, this.pristine, join(base, "older")]) {
      mkdirSync(path, { recursive: true });
    }
    makeSafetyTree(this.pristine, sourceTree);
    if (scenario.older !== undefined) makeSafetyTree(join(base, "older"), scenario.older);
    this.source = join(near, "source");
    this.target = join(scenario.crosses ? far : near, "target");
    this.roots = [near, far];
    this.wanted = readHolding(this.pristine);
    this.before = readHolding(join(base, "older"));
  }

  get pristine(): string {
    return join(this.#base, "pristine");
  }

  reset(): void {
    removeTree(this.target);
    if (this.#scenario.isMove || !existsSync(this.source)) {
      removeTree(this.source);
      clone(this.pristine, this.source);
    }
    if (this.#scenario.older !== undefined) clone(join(this.#base, "older"), this.target);
  }

  async run(faults: string | undefined): Promise<RunResult & { count: FaultCount }> {
    const command = [...this.#scenario.words, "--json", `${this.source}/`, `${this.target}/`];
    const run = await runBlit(command, {
      env: { TRIAD_FAULTS: faults, TRIAD_FAULTS_COUNT: this.#count },
      timeoutMs: lateMs,
    });
    return { ...run, count: JSON.parse(readFileSync(this.#count, "utf8")) as FaultCount };
  }

  /** Lines of rsync for what the target still lacks. Folder times change where a move took part. */
  differing(): string[] {
    // What a failed move has moved of a file's names already is not put together again.
    const flags = this.#scenario.isMove ? ["--omit-dir-times", "--no-hard-links"] : [];
    const lines = differences(this.pristine, this.target, ...flags).split("\n");
    return lines.filter((line) => line !== "");
  }

  checkAlways(run: RunResult & { count: FaultCount }): void {
    const now = readHolding(this.target);
    expect(partial(now, this.before, this.wanted)).toEqual([]);
    if (this.#scenario.isMove) {
      expect(lost(this.wanted, [readHolding(this.source), now])).toEqual([]);
    } else expect(differences(this.pristine, this.source)).toBe("");
    const isInside = (path: string): boolean => this.roots.some((root) => path.startsWith(root));
    expect(run.count.open.filter(isInside)).toEqual([]);
  }
}

function clone(from: string, to: string): void {
  const copied = Bun.spawnSync(["cp", "-a", "--sparse=always", from, to], { stderr: "pipe" });
  expect(copied.stderr.toString()).toBe("");
}

/** The path in a line of rsync's itemised changes. */
function pathOf(line: string): string {
  const path = line.startsWith("*deleting") ? line.slice(9).trim() : line.slice(12);
  return path
    .replace(/ -> .*$/, "")
    .replace(/ => .*$/, "")
    .replace(/\/$/, "");
}

/** Names of one file: what is said of one of them holds for all. */
const sameFile = ["third-name", "sub/one", "sub/other-name"];

/** Lines for which no issue names the entry, a folder above it or one below it. */
function unexplained(lines: readonly string[], told: Told, source: string): string[] {
  const named = (told.issues ?? []).map(({ path }) => path.slice(source.length + 1));
  if (named.some((name) => sameFile.includes(name))) named.push(...sameFile);
  const isNamed = (path: string): boolean =>
    path === "." ||
    named.some(
      (name) =>
        name === "" || name === path || path.startsWith(`${name}/`) || name.startsWith(`${path}/`),
    );
  return lines.filter((line) => {
    if (line.startsWith("*deleting") && told.deletionsSkipped != null) return false;
    return !isNamed(pathOf(line));
  });
}

async function failAndRecover(bench: Bench, faults: string): Promise<void> {
  bench.reset();
  let run: (RunResult & { count: FaultCount }) | undefined;
  try {
    run = await bench.run(faults);
    bench.checkAlways(run);
    expect([0, 1, 4]).toContain(run.code);
    const told = JSON.parse(run.stdout) as Told;
    const lines = bench.differing();
    if (run.code === 0) expect(lines).toEqual([]);
    const isStopped = faults.includes("ENOSPC");
    if (run.code === 4) {
      if (told.deletionsSkipped == null) expect(told.issues).not.toEqual([]);
      if (!isStopped) expect(unexplained(lines, told, bench.source)).toEqual([]);
    }
    if (run.code === 1) {
      const isTold = run.stderr.startsWith("error: ") || (told.issues ?? []).length > 0;
      expect(isTold).toBe(true);
    }
    // The same call may fail again where what is unfinished is removed; that is told, too.
    const isUntidy = (told.issues ?? []).some(({ message }) => message.startsWith("delete: "));
    if (!isUntidy && !faults.startsWith("unlinkat")) {
      expect(leftovers(...bench.roots)).toEqual([]);
    }
    if (existsSync(bench.source)) {
      const again = await bench.run(undefined);
      expect([again.code, again.stdout]).toEqual([0, again.stdout]);
    }
    expect(bench.differing()).toEqual([]);
    expect(leftovers(...bench.roots)).toEqual([]);
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error);
    throw new Error(`with ${faults}: ${text}\n${run?.stdout}\n${run?.stderr}`);
  }
}

/** Which calls to disturb, and how: a few of each name, or in a soak each of them in each way. */
function faultsOf(calls: Readonly<Record<string, number>>): string[] {
  const faults: string[] = [];
  for (const [name, count] of Object.entries(calls)) {
    const few = new Set([1, 2, Math.ceil(count / 2), count].filter((at) => at <= count));
    const all = Array.from({ length: count }, (_, index) => index + 1);
    for (const at of isSoak ? all : few) {
      // One error of the three, another one at each place.
      const rotated = errors.filter((_, index) => isSoak || index === faults.length % 3);
      for (const error of rotated) faults.push(`${name}:${error}@${at}`);
    }
  }
  return faults;
}

describe("one failing system call", () => {
  for (const scenario of scenarios) {
    const isShort = scenario.crosses && secondFilesystem() === undefined;
    const reason = isShort ? "needs a second file system in /dev/shm" : undefined;
    testUnless(treeToolsMissing() ?? reason)(
      scenario.name,
      async () => {
        const memory = secondFilesystem() ?? tmpdir();
        using work = createWorkspace(scenario.crosses ? tmpdir() : memory);
        using far = createWorkspace(memory);
        const bench = new Bench(scenario, work.path, far.path);
        bench.reset();
        const plain = await bench.run(undefined);
        expect([plain.code, bench.differing()]).toEqual([0, []]);
        const calls = plain.count.threads.reduce<Record<string, number>>((most, thread) => {
          for (const [name, count] of Object.entries(thread.calls)) {
            most[name] = Math.max(most[name] ?? 0, count);
          }
          return most;
        }, {});
        for (const fault of faultsOf(calls)) await failAndRecover(bench, fault);
      },
      isSoak ? 3_600_000 : 240_000,
    );
  }
});

describe("calls that do less than they were asked for", () => {
  const MIB = 1024 * 1024;
  const short = ["read", "pread", "write", "pwrite", "getdents64", "copy_file_range"];
  const faults: [string, string][] = [
    ["every read, write and listing comes short", short.map((name) => `${name}:short@1+`).join()],
    ["copies within the kernel answer zero", "copy_file_range:zero@1+"],
    [
      "every call is interrupted",
      [...short, "openat", "statx", "renameat2", "futimens", "mkdirat", "fsetxattr", "linkat"]
        .flatMap((name) => [`${name}:EINTR@1`, `${name}:EINTR@2`, `${name}:EINTR@5`])
        .join(),
    ],
  ];
  for (const [name, rules] of faults) {
    testUnless(treeToolsMissing())(name, async () => {
      using work = createWorkspace(secondFilesystem() ?? tmpdir());
      makeSafetyTree(work.folder("source"), [
        ...sourceTree,
        // Large enough to be copied in parts, some of them by copy_file_range.
        { op: "file", path: "huge", size: 70 * MIB + 7, seed: 6, mtimeNs: "1700000000000000001" },
      ]);
      const run = await runBlit(["copy", work.at("source/"), work.at("target")], {
        env: { TRIAD_FAULTS: rules },
        timeoutMs: lateMs,
      });
      expect([run.code, run.stderr]).toEqual([0, run.stderr]);
      expect(differences(work.at("source"), work.at("target"))).toBe("");
    });
  }
});

testUnless(treeToolsMissing())(
  "names of a file whose first copy fails get no older content",
  async () => {
    using work = createWorkspace();
    work.write("source/a", "new");
    linkSync(work.at("source/a"), work.at("source/b"));
    linkSync(work.at("source/a"), work.at("source/c"));
    for (const name of ["a", "b", "c"]) work.write(`target/${name}`, `older ${name}`);
    const run = await runBlit(["copy", "--json", work.at("source/"), work.at("target")], {
      env: { TRIAD_FAULTS: "write:EIO@1" },
    });
    const told = JSON.parse(run.stdout) as Told;
    expect([run.code, told.issues?.length]).toEqual([4, 1]);
    const failed = told.issues?.[0]?.path.at(-1) ?? "";
    for (const name of ["a", "b", "c"]) {
      const content = readFileSync(work.at(`target/${name}`), "utf8");
      expect(content).toBe(name === failed ? `older ${name}` : "new");
    }
    expect((await runBlit(["copy", work.at("source/"), work.at("target")])).code).toBe(0);
    expect(differences(work.at("source"), work.at("target"))).toBe("");
  },
);

describe("faults in runs of several threads", () => {
  const MIB = 1024 * 1024;
  const mtimeNs = "1700000000000000001";
  const tree: TreeOperation[] = [
    ...Array.from({ length: 480 }, (_, index): TreeOperation => {
      const path = `folder-${index % 24}/below/file-${index}`;
      return { op: "file", path, size: index * 50, seed: index, mtimeNs };
    }),
    { op: "file", path: "huge", size: 66 * MIB + 1, seed: 3, mtimeNs },
  ];
  const faults = [
    ...["openat:EIO@90", "write:EIO@40", "mkdirat:EACCES@5", "renameat2:EIO@6", "statx:EIO@70"],
    ...["getdents64:EIO@4", "futimens:EIO@30", "pwrite:EIO@9", "pread:EIO@9", "pwrite:ENOSPC@20"],
    ...["*:EIO@200", "*:EACCES@333", "pwrite:zero@5"],
  ];
  let made: Workspace | undefined;
  afterAll(() => made?.[Symbol.dispose]());
  const sourceOnce = (): string => {
    if (made === undefined) {
      made = createWorkspace(secondFilesystem() ?? tmpdir());
      makeTree(made.folder("source"), tree);
    }
    return made.at("source");
  };
  for (const fault of faults) {
    testUnless(treeToolsMissing())(
      fault,
      async () => {
        using work = createWorkspace(secondFilesystem() ?? tmpdir());
        const [source, target] = [sourceOnce(), work.at("target")];
        const command = ["mirror", "--yes", "--json", `${source}/`, target];
        const env = { TRIAD_FAULTS: fault, TRIAD_FAULTS_COUNT: work.at("count") };
        const run = await runBlit(command, { env, timeoutMs: lateMs });
        const told = JSON.parse(run.stdout) as Told;
        expect([run.code, told.issues]).not.toEqual([4, []]);
        expect([0, 4]).toContain(run.code);
        const lines = differences(source, target)
          .split("\n")
          .filter((line) => line !== "");
        if (run.code === 0) expect(lines).toEqual([]);
        else if (!fault.includes("ENOSPC")) expect(unexplained(lines, told, source)).toEqual([]);
        expect(partial(readHolding(target), new Map(), readHolding(source))).toEqual([]);
        expect(leftovers(work.path)).toEqual([]);
        const { open } = JSON.parse(readFileSync(work.at("count"), "utf8")) as FaultCount;
        const isOurs = (path: string): boolean =>
          path.startsWith(source) || path.startsWith(target);
        expect(open.filter(isOurs)).toEqual([]);
        expect((await runBlit(command)).code).toBe(0);
        expect(differences(source, target)).toBe("");
      },
      lateMs * 2,
    );
  }
});
