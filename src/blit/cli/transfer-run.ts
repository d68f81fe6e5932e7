import type { CommandContext } from "../../kit/cli/command.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { createProgress, type Progress } from "../../kit/out/progress.ts";
import { type BlitConfig, loadBlitConfig } from "../config.ts";
import { displayPath } from "../engine/path.ts";
import type { TransferRequest } from "../engine/prepare.ts";
import type { Totals } from "../engine/scout.ts";
import { counter, type SharedState } from "../engine/shared-state.ts";
import { type TransferHooks, transfer } from "../engine/transfer.ts";
import { ports } from "../ports.ts";
import { createTelemetry } from "../telemetry.ts";
import type { CopyArgs } from "./copy.ts";
import { collectFilter } from "./filter-flags.ts";
import { keepRecord, type Learned, learnFrom } from "./learned.ts";
import type { MirrorArgs } from "./mirror.ts";
import type { MoveArgs } from "./move.ts";
import { Signals } from "./signals.ts";
import { reportTransfer } from "./summary.ts";

type Command = "copy" | "mirror" | "move";
type Context = CommandContext<CopyArgs> | CommandContext<MirrorArgs> | CommandContext<MoveArgs>;

/** More threads than this only wait for each other's locks in the kernel. */
const workersMax = 8;

/**
 * Copies, mirrors or moves as the command line says, and tells how it went.
 * @returns the exit code: 0, 4 where some entries failed, 130 after Ctrl-C
 * @throws {Fault} where nothing could be done
 */
export async function runTransfer(command: Command, context: Context): Promise<number> {
  if (process.platform !== "linux") {
    throw new Fault({
      code: "E_NEEDS_LINUX",
      message: `Cannot ${command} here: blit's local engine needs Linux`,
      hint: "it works through Linux system calls; other platforms follow",
    });
  }
  const { printer } = context;
  const config = await loadBlitConfig(process.env, flagsOverConfig(context));
  const telemetry = createTelemetry({
    environment: process.env,
    enabled: config.telemetry.enabled,
  });
  const learned = learnFrom(telemetry);
  const request = requestOf(command, context, config, learned);
  const isQuietProgress = request.purpose === "plan" || !config.transfer.progress;
  const progress = createProgress(printer, { label: labels[command] });
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

const labels: Readonly<Record<Command, string>> = {
  copy: "Copying",
  mirror: "Mirroring",
  move: "Moving",
};

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
      const { askOnTerminal } = await import("./ask.ts");
      const answer = await signals.orEnd(askOnTerminal(printer, question));
      progress.resume();
      if (answer === "no") {
        throw new Fault({ code: "E_CONFIRM", message: "Cancelled: nothing was changed" });
      }
      return answer === "yes";
    },
  };
}

/** What the command line says about things that the config file may say too. */
function flagsOverConfig(context: Context): Record<string, Record<string, boolean | undefined>> {
  const { args, argv } = context;
  const isGiven = (flag: string): boolean =>
    argv.includes(`--${flag}`) || argv.includes(`--no-${flag}`);
  return {
    transfer: {
      xattrs: isGiven("xattrs") ? args.xattrs : undefined,
      owner: isGiven("owner") ? args.owner : undefined,
    },
  };
}

function requestOf(
  command: Command,
  context: Context,
  config: BlitConfig,
  learned: Learned,
): TransferRequest {
  const { args } = context;
  const raw = context.rawPositionals();
  const target = raw.at(-1) ?? "";
  const sources = raw.slice(0, -1);
  const mirror = command === "mirror" ? (args as CommandContext<MirrorArgs>["args"]) : undefined;
  const maxDelete = mirror?.["max-delete"];
  return {
    command,
    purpose: args["dry-run"] ? "plan" : "transfer",
    sources,
    target,
    comparison: comparisonOf(args),
    ignoreExisting: args["ignore-existing"],
    update: args.update,
    xattrs: config.transfer.xattrs,
    owner: config.transfer.owner,
    specials: args.specials,
    filter: collectFilter(context, config, sources),
    backupDir: context.rawValues("backup-dir")[0],
    yes: args.yes,
    maxDelete: maxDelete === undefined ? undefined : Number(maxDelete),
    allowEmptySource: mirror?.["allow-empty-source"] ?? false,
    chooseStrategy: (sourceFs, targetFs) => learned.chooseStrategy(sourceFs, targetFs),
  };
}

function comparisonOf(args: Context["args"]): TransferRequest["comparison"] {
  if (args.checksum && args["size-only"]) {
    throw new Fault({
      code: "E_USAGE",
      message: "Cannot use --checksum and --size-only together",
      hint: "--checksum compares content, --size-only looks at sizes alone",
    });
  }
  if (args.checksum) return "checksum";
  return args["size-only"] ? "size" : "time";
}
