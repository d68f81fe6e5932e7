import type { Printer } from "../../kit/out/printer.ts";
import { formatBytes, formatCount, formatRate, formatSeconds } from "../../kit/text/format.ts";
import { looksRemote } from "../endpoint.ts";
import type { Action, Issue } from "../engine/options.ts";
import { displayPath, joinPath, meansContents } from "../engine/path.ts";
import { cancelReason, counter } from "../engine/shared-state.ts";

/** What a transfer has come to, wherever its two sides are. Paths are latin1. */
export type EndedResult = {
  readonly shared: { total(column: number): number };
  readonly roots: readonly {
    readonly kind: "folder" | "entry";
    readonly sourcePath: string;
    readonly targetPath: string;
  }[];
  readonly issues: readonly Issue[];
  readonly actions: readonly Action[];
  readonly cancelled: number;
  readonly deletionsSkipped: string | undefined;
  readonly sourceFs: string;
  readonly targetFs: string;
  readonly workers: number;
  readonly isWholeRename: boolean;
  /** How the bytes went, where they went over a network. */
  readonly network?: Readonly<Record<string, unknown>> | undefined;
};

/** A transfer that has ended, with what it was asked. */
export type Ended = {
  readonly command: "copy" | "mirror" | "move";
  readonly request: {
    readonly purpose: "transfer" | "plan" | "count";
    readonly sources: readonly string[];
    readonly target: string;
  };
  readonly result: EndedResult;
  readonly seconds: number;
  readonly signal: "SIGINT" | "SIGTERM" | undefined;
};

const MB = 1e6;

/** Exit code: 0, 4 for a part, 1 where a full disk left nothing done, 130 and 143 for signals. */
function exitCodeOf(ended: Ended): number {
  const { result, signal } = ended;
  if (signal !== undefined) return signal === "SIGINT" ? 130 : 143;
  const total = (column: number): number => result.shared.total(column);
  const isPartial =
    total(counter.failed) > 0 ||
    total(counter.vanished) > 0 ||
    total(counter.attributesFailed) > 0 ||
    result.deletionsSkipped !== undefined;
  if (!isPartial) return 0;
  const isNothing = total(counter.files) + total(counter.upToDate) + total(counter.folders) === 0;
  return result.cancelled === cancelReason.noSpace && isNothing ? 1 : 4;
}

/** Path of an issue as the user knows it: what was typed, and what is below it. */
export function issuePath(
  ended: Pick<Ended, "result">,
  issue: { root: number; path: string },
): string {
  const root = ended.result.roots[issue.root];
  if (root === undefined) return issue.path;
  if (root.kind === "entry" || issue.path === "") return root.sourcePath;
  return root.sourcePath.endsWith("/")
    ? root.sourcePath + issue.path
    : `${root.sourcePath}/${issue.path}`;
}

/** Path of an action: deletions are in the target, everything else is told by its source. */
function actionPath(ended: Pick<Ended, "result">, action: Action): string {
  const root = ended.result.roots[action.root];
  if (action.action !== "delete" || root === undefined) return issuePath(ended, action);
  return joinPath(root.targetPath, action.path);
}

/** Prints what happened and returns the exit code. */
export function reportTransfer(printer: Printer, ended: Ended): number {
  const exitCode = exitCodeOf(ended);
  if (printer.jsonMode) {
    printer.json(jsonSummary(ended, exitCode));
    return exitCode;
  }
  if (ended.request.purpose === "plan") printPlan(printer, ended);
  for (const issue of ended.result.issues) printIssue(printer, ended, issue);
  const { result } = ended;
  if (result.deletionsSkipped !== undefined) {
    printer.warn(
      `nothing was deleted: ${result.deletionsSkipped}`,
      "deal with what is named above and run the same command again",
    );
  }
  if (result.cancelled === cancelReason.noSpace) {
    printer.warn(
      "the target is full: the transfer was stopped, unfinished files were removed",
      `make room and run ${againWords(ended)} again; it goes on where this one stopped`,
    );
  }
  if (ended.signal !== undefined) printer.note(interruptedText(ended));
  printer.note(summaryLine(ended));
  return exitCode;
}

/** Over a network the parts of large files stay, under hidden names. */
function interruptedText(ended: Ended): string {
  if (ended.result.network === undefined) return "Interrupted; unfinished files were removed";
  return `Interrupted; ${againWords(ended)} goes on where this one stopped`;
}

/** What was made by this run is there for the next one, which would copy a folder into it. */
function againWords({ request, result }: Ended): string {
  const [source, another] = request.sources;
  const [root] = result.roots;
  const isMadeTarget =
    source !== undefined &&
    another === undefined &&
    root?.kind === "folder" &&
    !meansContents(source) &&
    trimmed(root.targetPath) === trimmed(request.target);
  if (!isMadeTarget) return "the same command";
  return `the same command with "${displayPath(`${source}/`)}" as its source`;
}

function trimmed(path: string): string {
  return path.replace(/\/+$/, "");
}

const issueWords: Readonly<Record<Issue["kind"], string>> = {
  failed: "failed",
  vanished: "vanished",
  skipped: "skipped",
  attributes: "attributes",
  warning: "warning",
};

function printIssue(printer: Printer, ended: Ended, issue: Issue): void {
  const path = displayPath(issuePath(ended, issue));
  printer.warn(`${issueWords[issue.kind]}: "${path}": ${issue.message}`);
}

/** One line per entry, then the roots: results, so on stdout. */
function printPlan(printer: Printer, ended: Ended): void {
  const { result } = ended;
  const actions = [...result.actions].sort((a, b) => {
    if (a.root !== b.root) return a.root - b.root;
    return a.path < b.path ? -1 : Number(a.path > b.path);
  });
  for (const action of actions) {
    printer.out(`${action.action.padEnd(10)} ${displayPath(actionPath(ended, action))}`);
  }
  for (const root of result.roots) {
    printer.note(`Source: ${displayPath(absolute(root.sourcePath))}`);
    printer.note(`Target: ${displayPath(absolute(root.targetPath))}`);
  }
}

function absolute(path: string): string {
  if (path.startsWith("/") || looksRemote(path)) return path;
  const folder = Buffer.from(process.cwd()).toString("latin1");
  return `${folder}/${path}`;
}

const pastTense = { copy: "Copied", mirror: "Mirrored", move: "Moved" } as const;
const conditional = { copy: "Would copy", mirror: "Would mirror", move: "Would move" } as const;

function summaryLine(ended: Ended): string {
  const { result, seconds, command, request } = ended;
  const total = (column: number): number => result.shared.total(column);
  const isPlan = request.purpose === "plan";
  const verb = isPlan ? conditional[command] : pastTense[command];
  const bytes = total(counter.bytes);
  const rate = seconds > 0 && bytes > 0 ? ` (${formatRate(bytes / seconds)})` : "";
  const files = command === "move" ? total(counter.moved) : total(counter.files);
  const noun = command === "move" ? "entry" : "file";
  const plural = command === "move" ? "entries" : "files";
  const parts = [`${verb} ${formatCount(files, noun, plural)}, ${formatBytes(bytes)}`];
  const also: [number, string][] = [
    [total(counter.upToDate), "up to date"],
    [total(counter.attributesOnly), "with new attributes"],
    [isPlan ? total(counter.deletable) : total(counter.deleted), isPlan ? "to delete" : "deleted"],
    [total(counter.skipped), "skipped"],
    [total(counter.vanished), "vanished"],
    [total(counter.attributesFailed), "with attributes missing"],
    [total(counter.failed), "failed"],
  ];
  for (const [count, words] of also) if (count > 0) parts.push(`${count} ${words}`);
  return `${parts.join(", ")} in ${formatSeconds(seconds)}${isPlan ? "" : rate}`;
}

function jsonSummary(ended: Ended, exitCode: number): Record<string, unknown> {
  const { result, seconds, command, request } = ended;
  const total = (column: number): number => result.shared.total(column);
  const isPlan = request.purpose === "plan";
  return {
    schema: "blit.transfer/1",
    command,
    source: request.sources.map(displayPath),
    target: displayPath(request.target),
    dryRun: isPlan,
    roots: result.roots.map((root) => ({
      source: displayPath(absolute(root.sourcePath)),
      target: displayPath(absolute(root.targetPath)),
    })),
    files: total(counter.files),
    bytes: total(counter.bytes),
    bytesReflinked: total(counter.bytesReflinked),
    folders: total(counter.folders),
    symlinks: total(counter.symlinks),
    hardlinks: total(counter.hardlinks),
    specials: total(counter.specials),
    moved: total(counter.moved),
    upToDate: total(counter.upToDate),
    attributesOnly: total(counter.attributesOnly),
    attributesFailed: total(counter.attributesFailed),
    deleted: isPlan ? total(counter.deletable) : total(counter.deleted),
    deletionsSkipped: result.deletionsSkipped ?? null,
    skipped: total(counter.skipped),
    vanished: total(counter.vanished),
    failed: total(counter.failed),
    leftoversSwept: total(counter.swept),
    bytesCompared: total(counter.bytesCompared),
    seconds,
    mbPerSecond: seconds > 0 ? total(counter.bytes) / MB / seconds : 0,
    strategies: strategiesOf(ended),
    workers: result.workers,
    ...(result.network === undefined ? {} : { network: result.network }),
    fileSystems: { source: result.sourceFs, target: result.targetFs },
    ...(isPlan ? { actions: actionsOf(ended) } : {}),
    issues: result.issues.map((issue) => ({
      kind: issue.kind,
      path: displayPath(issuePath(ended, issue)),
      ...pathBytesOf(issuePath(ended, issue)),
      code: issue.code,
      call: issue.call ?? null,
      message: issue.message,
    })),
    exitCode,
  };
}

/** The exact bytes of a path that is no plain text. */
function pathBytesOf(path: string): { pathBytes?: string } {
  const bytes = Buffer.from(path, "latin1");
  return bytes.toString("utf8") === displayPath(path)
    ? {}
    : { pathBytes: bytes.toString("base64") };
}

function actionsOf(ended: Ended): unknown[] {
  return ended.result.actions.map((action) => {
    const full = actionPath(ended, action);
    const { bytes } = action;
    return { action: action.action, path: displayPath(full), ...pathBytesOf(full), bytes };
  });
}

/** How the files of each class were moved: counts by way. */
function strategiesOf(ended: Ended): Record<string, number | string> {
  const { result } = ended;
  const total = (column: number): number => result.shared.total(column);
  const ways: [string, number][] = [
    ["small", total(counter.bySmall)],
    ["reflink", total(counter.byReflink)],
    ["copyFileRange", total(counter.byCopyRange)],
    ["buffered", total(counter.byBuffered)],
    ["sparse", total(counter.bySparse)],
  ];
  const used: Record<string, number | string> = {};
  for (const [name, count] of ways) if (count > 0) used[name] = count;
  if (result.isWholeRename) used["move"] = "rename";
  const buffered = total(counter.bufferedBytes);
  const range = total(counter.rangeBytes);
  if (buffered + range > 0) used["huge"] = range > buffered ? "copy_file_range" : "buffered";
  return used;
}
