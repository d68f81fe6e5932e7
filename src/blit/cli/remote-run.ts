import { Fault } from "../../kit/fault/fault.ts";
import type { Printer } from "../../kit/out/printer.ts";
import { createProgress } from "../../kit/out/progress.ts";
import { loadBlitConfig } from "../config.ts";
import { looksRemote, type PlaceEndpoint, parsePlace } from "../endpoint.ts";
import { displayPath, joinPath } from "../engine/path.ts";
import { type Dialler, openLink } from "../remote/open-link.ts";
import { Passes } from "../remote/passes.ts";
import { routeOf, sessionPath } from "../remote/route.ts";
import type { SessionOptions } from "../session/types.ts";
import { connectDaemon, securityFor } from "./connect.ts";
import { parseRate } from "./rate.ts";
import { RemoteWatcher } from "./remote-watcher.ts";
import { Signals } from "./signals.ts";
import { type EndedResult, reportTransfer } from "./summary.ts";
import {
  type Command,
  type Context,
  flagsOverConfig,
  progressLabels,
  requestOf,
} from "./transfer-request.ts";

type Request = ReturnType<typeof requestOf>;

/**
 * Copies, mirrors or moves where one side or both are on a server, and tells how it went.
 * @returns the exit code: 0, 4 where some entries failed, 130 after Ctrl-C
 * @throws {Fault} where nothing could be done
 */
export async function runRemoteTransfer(command: Command, context: Context): Promise<number> {
  const { printer, args } = context;
  const config = await loadBlitConfig(process.env, flagsOverConfig(context));
  const request = requestOf(command, context, config);
  const route = routeOf(command, request.sources, request.target);
  const isQuiet = request.purpose === "plan" || !config.transfer.progress;
  const progress = createProgress(printer, { label: progressLabels[command] });
  const signals = new Signals();
  const controller = new AbortController();
  const started = performance.now();
  const watcher = new RemoteWatcher(printer, progress);
  if (isQuiet) watcher.stop();
  signals.watch({ cancel: () => controller.abort(new Error("interrupted")) });
  try {
    const opening = openLink(route, diallerFor(context, controller.signal), {
      options: optionsOf(request, args),
      forceGrpcData: args["force-grpc-data"] || process.env["BLIT_FORCE_GRPC_DATA"] === "1",
      signal: controller.signal,
      warn: (text, hint) => printer.warn(text, hint),
    });
    // An interrupted one may still come about: its connections would keep the process alive.
    opening.then((late) => (controller.signal.aborted ? late.close() : undefined)).catch(() => {});
    const open = await signals.orEnd(opening);
    try {
      const passes = new Passes(open.link, passesRequest(request), {
        confirmDeletion: (entries, target) =>
          confirm({ printer, signals, watcher }, entries, target),
      });
      signals.watch(passes);
      watcher.watch(open.link);
      const outcome = await passes.run();
      watcher.stop();
      if (signals.received === undefined) await takeLeave(open.link, printer);
      const seconds = (performance.now() - started) / 1000;
      const result = resultOf(request, open.link, outcome);
      const signal = signals.received;
      return reportTransfer(printer, { command, request, result, seconds, signal });
    } finally {
      await open.close();
    }
  } finally {
    watcher.stop();
    signals.close();
  }
}

/** All is done and told by now: a connection that breaks here has nothing left to spoil. */
async function takeLeave(link: Link, printer: Printer): Promise<void> {
  try {
    await link.finish();
  } catch (error) {
    printer.verbose(`The transfer is done, but its end was not: ${(error as Error).message}`);
  }
}

function diallerFor({ args: flags, printer }: Context, signal: AbortSignal): Dialler {
  return {
    connect: (server) => connectDaemon(server, { flags, printer }, { signal }),
    token: async (server) => (await securityFor(server, { flags, printer })).token,
  };
}

function passesRequest(request: Request) {
  const { command, yes, maxDelete, allowEmptySource, target } = request;
  const purpose = request.purpose === "plan" ? "plan" : "transfer";
  return { command, purpose, yes, maxDelete, allowEmptySource, target } as const;
}

/** What both sides are told. @throws {Fault} E_USAGE */
function optionsOf(request: Request, args: Context["args"]): SessionOptions {
  const { command, comparison, ignoreExisting, update, xattrs, owner, specials } = request;
  return {
    command,
    // A source file is removed for the sake of what the target has: that has to be its content.
    comparison: command === "move" ? "checksum" : comparison,
    ignoreExisting,
    update,
    xattrs,
    owner,
    specials,
    filter: request.filter,
    backupDir: backupDirOf(request),
    allowEmptySource: request.allowEmptySource,
    bytesPerSecond: args.bwlimit === undefined ? 0 : parseRate(args.bwlimit),
    compress: args.compress,
  };
}

/** As the target's side takes it. @throws {Fault} E_USAGE for one that is on another side */
function backupDirOf({ backupDir, target }: Request): string | undefined {
  if (backupDir === undefined) return undefined;
  const isRemote = looksRemote(target);
  if (!isRemote && !looksRemote(backupDir)) return backupDir;
  if (isRemote && looksRemote(backupDir)) {
    const [place, folder] = [parsePlace(target), parsePlace(backupDir)];
    if (isSameModule(place, folder) && folder.path !== "") return folder.path;
  }
  throw new Fault({
    code: "E_USAGE",
    message: `Cannot keep backups in "${displayPath(backupDir)}": it is not where the target is`,
    hint: isRemote
      ? "name a folder in the same module, written as the target is"
      : "name a folder of this machine, on the file system of the target",
  });
}

function isSameModule(a: PlaceEndpoint, b: PlaceEndpoint): boolean {
  return a.host === b.host && a.port === b.port && a.module === b.module;
}

async function confirm(
  parts: { printer: Printer; signals: Signals; watcher: RemoteWatcher },
  entries: number,
  target: string,
): Promise<boolean> {
  const { printer, signals, watcher } = parts;
  const noun = entries === 1 ? "entry" : "entries";
  const question = `Delete ${entries} ${noun} from "${displayPath(target)}"?`;
  const { askOnTerminal } = await import("../../kit/cli/ask.ts");
  watcher.pause();
  const answer = await signals.orEnd(askOnTerminal(printer, question));
  watcher.resume();
  if (answer !== "no") return answer === "yes";
  throw new Fault({ code: "E_CONFIRM", message: "Cancelled: nothing was changed" });
}

type Link = Awaited<ReturnType<typeof openLink>>["link"];
type Outcome = Awaited<ReturnType<Passes["run"]>>;

function resultOf(request: Request, link: Link, outcome: Outcome): EndedResult {
  const { counts, issues, actions, deletionsSkipped, cancelled } = outcome;
  const { transport, streams, isEncrypted, sourceFs, targetFs } = link;
  return {
    shared: { total: (column) => counts[column] ?? 0 },
    roots: link.roots.map((root, index) => {
      const sourcePath = request.sources[index] ?? root.typed;
      return { kind: root.kind, sourcePath, targetPath: targetPathOf(request, root, link) };
    }),
    issues,
    actions,
    cancelled,
    deletionsSkipped,
    sourceFs: sourceFs === "" ? "unknown" : sourceFs,
    targetFs,
    workers: streams,
    isWholeRename: false,
    network: { transport, streams, isEncrypted },
  };
}

/** Where a source goes: of a single one the target's side has told it. */
function targetPathOf(request: Request, root: Link["roots"][number], link: Link): string {
  const { target, sources } = request;
  const isAlone = sources.length === 1;
  if (!looksRemote(target)) {
    if (isAlone) return link.shownTarget;
    return root.isContents ? target : joinPath(target, root.name);
  }
  const isAsTyped = root.isContents || (isAlone && link.shownTarget === pathOf(target));
  return isAsTyped ? target : joinPath(target, root.name);
}

function pathOf(target: string): string {
  return sessionPath(parsePlace(target));
}
