import { Fault } from "../../kit/fault/fault.ts";
import { createProgress, type Progress } from "../../kit/out/progress.ts";
import { loadBlitConfig } from "../config.ts";
import { displayPath } from "../engine/path.ts";
import type { TransferRequest } from "../engine/prepare.ts";
import type { Totals } from "../engine/scout.ts";
import { counter, type SharedState } from "../engine/shared-state.ts";
import { type TransferHooks, transfer } from "../engine/transfer.ts";
import { ports } from "../ports.ts";
import { createTelemetry } from "../telemetry.ts";
import { keepRecord, type Learned, learnFrom } from "./learned.ts";
import { Signals } from "./signals.ts";
import { reportTransfer } from "./summary.ts";
import {
  type Command,
  type Context,
  flagsOverConfig,
  progressLabels,
  requestOf,
} from "./transfer-request.ts";

/** More threads than this only wait for each other's locks in the kernel. */
const workersMax = 8;

/**
 * Copies, mirrors or moves on this machine, as the command line says, and tells how it went.
 * @returns the exit code: 0, 4 where some entries failed, 130 after Ctrl-C
 * @throws {Fault} where nothing could be done
 */
export async function runLocalTransfer(command: Command, context: Context): Promise<number> {
  refuseNetworkFlags(context);
  const { printer } = context;
  const config = await loadBlitConfig(process.env, flagsOverConfig(context));
  const telemetry = createTelemetry({
    environment: process.env,
    enabled: config.telemetry.enabled,
  });
  const learned = learnFrom(telemetry);
  const request: TransferRequest = {
    ...requestOf(command, context, config),
    chooseStrategy: (sourceFs, targetFs) => learned.chooseStrategy(sourceFs, targetFs),
  };
  const isQuietProgress = request.purpose === "plan" || !config.transfer.progress;
  const progress = createProgress(printer, { label: progressLabels[command] });
  const signals = new Signals();
  const started = performance.now();
  const watcher = new Watcher(progress);
  if (isQuietProgress) watcher.stop();
  const hooks = hooksOf(context, { learned, signals, progress, watcher });
  const isWatched = !isQuietProgress && printer.isTerminal(2) && !printer.jsonMode;
  const onTotals = isWatched ? (totals: Totals) => watcher.expect(totals) : undefined;
  try {
    const result = await transfer(request, { ...hooks, onTotals });
    watcher.stop();
    const seconds = (performance.now() - started) / 1000;
    if (request.purpose === "transfer") keepRecord(telemetry, { command, result, seconds });
    return reportTransfer(printer, { command, request, result, seconds, signal: signals.received });
  } finally {
    watcher.stop();
    signals.close();
  }
}

/** @throws {Fault} E_USAGE for a limit that nothing here keeps to */
function refuseNetworkFlags({ args }: Context): void {
  if (args.bwlimit === undefined) return;
  throw new Fault({
    code: "E_USAGE",
    message: "Cannot use --bwlimit here: neither side is on a server",
    hint: 'places on servers are written "server:/module/path"',
  });
}

/** Shows ten times a second how far the run is. */
class Watcher {
  readonly #progress: Progress;
  readonly #timer: Timer;
  #shared: SharedState | undefined;
  #totals: Totals = { items: 0, bytes: 0, isFinal: false };

  constructor(progress: Progress) {
    this.#progress = progress;
    this.#timer = setInterval(() => this.#show(), 100);
  }

  expect(totals: Totals): void {
    this.#totals = totals;
  }

  watch(shared: SharedState): void {
    this.#shared = shared;
  }

  #show(): void {
    const shared = this.#shared;
    if (shared === undefined) return;
    const { items, bytes, isFinal } = this.#totals;
    this.#progress.update({
      doneBytes: shared.total(counter.bytesDone),
      totalBytes: Math.max(bytes, shared.total(counter.seenBytes)),
      doneItems: shared.total(counter.itemsDone),
      totalItems: Math.max(items, shared.total(counter.seen)),
      totalIsFinal: isFinal,
    });
  }

  stop(): void {
    clearInterval(this.#timer);
    this.#progress.finish();
  }
}

function hooksOf(
  context: Context,
  parts: { learned: Learned; signals: Signals; progress: Progress; watcher: Watcher },
): Omit<TransferHooks, "onTotals"> {
  const { printer } = context;
  const { learned, signals, progress, watcher } = parts;
  return {
    createWorker: ports.createCopyWorker,
    workerCount: Math.min(workersMax, Math.max(2, navigator.hardwareConcurrency)),
    inlineMs: 10,
    onStart: (shared) => {
      watcher.watch(shared);
      signals.watch(shared);
    },
    nowMs: () => performance.now(),
    isWorthWorkers: (work) => learned.isWorthWorkers(work),
    onBeat: () => {},
    onWaiting: (forMs, where) => {
      const places = where.map((path) => `"${displayPath(path === "" ? "." : path)}"`).join(", ");
      const seconds = Math.round(forMs / 1000);
      printer.warn(`storage has not answered for ${seconds} s (in ${places}); still waiting`);
    },
    confirmDeletion: async (entries, target) => {
      progress.pause();
      const noun = entries === 1 ? "entry" : "entries";
      const question = `Delete ${entries} ${noun} from "${displayPath(target)}"?`;
      const { askOnTerminal } = await import("../../kit/cli/ask.ts");
      const answer = await signals.orEnd(askOnTerminal(printer, question));
      progress.resume();
      if (answer === "no") {
        throw new Fault({ code: "E_CONFIRM", message: "Cancelled: nothing was changed" });
      }
      return answer === "yes";
    },
  };
}
