import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync } from "node:fs";
import type { FromWorker, ToWorker } from "../../../src/blit/engine/messages.ts";
import type { TransferRequest } from "../../../src/blit/engine/prepare.ts";
import { type TransferHooks, transfer } from "../../../src/blit/engine/transfer.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { createCopyWorker } from "../../../src/workers.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

// Other work on the machine may slow these down; none of them depends on time.
setDefaultTimeout(60_000);

const folders = 24;
const WORKER = new URL("../../../src/blit/work/copy.worker.ts", import.meta.url).href;

function makeSource(work: Workspace): void {
  for (let folder = 0; folder < folders; folder++) {
    for (let file = 0; file < 8; file++) work.write(`source/folder-${folder}/file-${file}`, "x");
  }
}

function requestOf(work: Workspace): TransferRequest {
  return {
    command: "copy",
    purpose: "transfer",
    sources: [`${work.at("source")}/`],
    target: work.at("target"),
    comparison: "time",
    ignoreExisting: false,
    update: false,
    xattrs: true,
    owner: true,
    specials: false,
    filter: undefined,
    backupDir: undefined,
    yes: false,
    maxDelete: undefined,
    allowEmptySource: false,
    chooseStrategy: () => "buffered",
  };
}

/** Everything goes to workers, and ten seconds pass in a quarter of one. */
function hooksOf(createWorker: () => Worker, waiting: [number, readonly string[]][]) {
  const hooks: TransferHooks = {
    createWorker,
    workerCount: 2,
    inlineMs: 0,
    isWorthWorkers: () => true,
    confirmDeletion: async () => false,
    onBeat: () => {},
    onTotals: undefined,
    onWaiting: (forMs, where) => waiting.push([forMs, where]),
    onStart: () => {},
    nowMs: () => performance.now() * 40,
  };
  return hooks;
}

/** A worker between which and the pool something gets lost. */
function lossyWorker(loses: {
  readonly fromWorker?: (message: FromWorker) => boolean;
  readonly toWorker?: (message: ToWorker) => boolean;
}): Worker {
  const inner = createCopyWorker();
  const outer = {
    onmessage: (_: MessageEvent) => {},
    onerror: (_: ErrorEvent) => {},
    postMessage: (message: ToWorker) => {
      if (loses.toWorker?.(message) !== true) inner.postMessage(message);
    },
    terminate: () => inner.terminate(),
    addEventListener: inner.addEventListener.bind(inner),
  };
  inner.onmessage = (event: MessageEvent<FromWorker>) => {
    if (loses.fromWorker?.(event.data) !== true) outer.onmessage(event);
  };
  inner.onerror = (event) => outer.onerror(event);
  return outer as unknown as Worker;
}

async function faultOf(run: Promise<unknown>): Promise<Fault> {
  try {
    await run;
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error("The run succeeded");
}

test("without a loss workers do all of it", async () => {
  using work = createWorkspace();
  makeSource(work);
  const waiting: [number, readonly string[]][] = [];
  const hooks = { ...hooksOf(createCopyWorker, waiting), nowMs: () => performance.now() };
  const result = await transfer(requestOf(work), hooks);
  expect([result.workers, result.stalls, result.issues, waiting]).toEqual([2, 0, [], []]);
  expect(readdirSync(work.at("target"))).toHaveLength(folders);
});

describe("the stall detector", () => {
  test("ends a run in which an answer of a worker is lost, with an exact message", async () => {
    using work = createWorkspace();
    makeSource(work);
    let lost = 0;
    const createWorker = (): Worker =>
      lossyWorker({ fromWorker: (message) => message.kind === "done" && lost++ === 0 });
    const fault = await faultOf(transfer(requestOf(work), hooksOf(createWorker, [])));
    expect(lost).toBeGreaterThan(0);
    expect([fault.code, fault.exit]).toEqual(["E_STALL", 1]);
    expect(fault.message).toMatch(
      /^Planner and workers idle for \d+ s with work left \(worker 1: 0 open, worker 2: 0 open;/,
    );
    expect(fault.message).not.toContain("main: 0 open");
    expect(fault.hint).toBe("run the same command again: it goes on where this one stopped");
    // And it does.
    const again = await transfer(requestOf(work), hooksOf(createCopyWorker, []));
    expect(again.issues).toEqual([]);
    expect(readdirSync(work.at("target"))).toHaveLength(folders);
  });

  test("only warns where a worker waits for storage", async () => {
    using work = createWorkspace();
    makeSource(work);
    const waiting: [number, readonly string[]][] = [];
    // Each worker has its own table of calls, and an environment that only it sees.
    const env = { ...process.env, TRIAD_FAULTS: "openat:delay:2500ms@9" };
    const createWorker = (): Worker => new Worker(WORKER, { env } as WorkerOptions);
    const result = await transfer(requestOf(work), hooksOf(createWorker, waiting));
    expect(waiting.length).toBeGreaterThan(0);
    const [forMs, where] = waiting[0] as [number, readonly string[]];
    expect(forMs).toBeGreaterThanOrEqual(10_000);
    expect(where.length).toBeGreaterThan(0);
    // "" is the root, which one that has hardly begun may still be in.
    for (const path of where) expect(path).toMatch(/^(folder-\d+)?$/);
    expect(result.issues).toEqual([]);
    expect(readdirSync(work.at("target"))).toHaveLength(folders);
  });
});

test("a worker whose thread ends, ends the run", async () => {
  using work = createWorkspace();
  makeSource(work);
  const createWorker = (): Worker => {
    const worker = lossyWorker({
      toWorker: (message) => {
        if (message.kind === "tasks") worker.terminate();
        return message.kind === "tasks";
      },
    });
    return worker;
  };
  const fault = await faultOf(transfer(requestOf(work), hooksOf(createWorker, [])));
  expect([fault.code, fault.message]).toEqual(["E_BUG", "A worker failed: its thread has ended"]);
});

test("a worker that fails ends the run, with its words", async () => {
  using work = createWorkspace();
  makeSource(work);
  let sent = 0;
  const createWorker = (): Worker => {
    const worker = lossyWorker({});
    const post = worker.postMessage.bind(worker);
    worker.postMessage = (message: ToWorker) => {
      // A task that no worker understands: the engine's own bug, as it would look.
      const isFirst = message.kind === "tasks" && sent++ === 0;
      post(isFirst ? { kind: "tasks", tasks: [{ kind: "batch" }] } : message);
    };
    return worker;
  };
  const fault = await faultOf(transfer(requestOf(work), hooksOf(createWorker, [])));
  expect([fault.code, fault.exit]).toEqual(["E_BUG", 3]);
  expect(fault.message).toStartWith("A worker failed: ");
});
