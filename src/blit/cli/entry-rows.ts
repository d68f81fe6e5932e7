import type { BigIntStats } from "node:fs";
import { escapeControls } from "../../kit/fault/redact.ts";
import type { Printer } from "../../kit/out/printer.ts";
import { formatBytes } from "../../kit/text/format.ts";
import { formatTable } from "../../kit/text/table.ts";
import type { AdminEntry, ModuleInfo } from "../admin/types.ts";
import { textOfName } from "../tree/name-text.ts";

/** An entry as it is shown; names and paths are bytes as latin1 strings. */
export type ListedEntry = {
  /** In full, for JSON. */
  readonly path: string;
  /** As it stands in a table. */
  readonly name: string;
  readonly type: EntryType;
  readonly sizeBytes: number;
  /** Since 1970. */
  readonly mtimeNs: bigint;
  readonly mode: number;
  readonly target: string | undefined;
};

type EntryType =
  | "file"
  | "folder"
  | "symlink"
  | "fifo"
  | "socket"
  | "block-device"
  | "character-device";

/** By the type bits of st_mode, inode(7). */
const typeOfBits: ReadonlyMap<number, EntryType> = new Map([
  [0o100000, "file"],
  [0o040000, "folder"],
  [0o120000, "symlink"],
  [0o010000, "fifo"],
  [0o140000, "socket"],
  [0o060000, "block-device"],
  [0o020000, "character-device"],
] as const);

const nsPerSecond = 1_000_000_000n;

/** An entry that was looked at by descriptor, here or at a daemon. */
export function listedEntry(entry: AdminEntry, path: string, name: string): ListedEntry {
  const { kind, mode, sizeBytes, mtimeSec, mtimeNsec, linkTarget } = entry;
  return {
    path,
    name,
    type: typeOfBits.get(mode & 0o170000) ?? (kind === "special" ? "fifo" : kind),
    sizeBytes,
    mtimeNs: BigInt(mtimeSec) * nsPerSecond + BigInt(mtimeNsec),
    mode,
    target: linkTarget,
  };
}

/** An entry that node:fs has looked at. */
export function listedStatus(
  status: BigIntStats,
  about: Pick<ListedEntry, "path" | "name" | "target">,
): ListedEntry {
  const mode = Number(status.mode);
  return {
    ...about,
    type: typeOfBits.get(mode & 0o170000) ?? "file",
    sizeBytes: Number(status.size),
    mtimeNs: status.mtimeNs,
    mode,
  };
}

/** Prints entries as a table, or with --json one object a line. */
export function printEntries(entries: readonly ListedEntry[], printer: Printer): void {
  if (printer.jsonMode) {
    for (const entry of entries) printer.json(jsonOfEntry(entry, "blit.list/1"));
    return;
  }
  const rows = entries.map((entry) => [entry.type, sizeText(entry), timeText(entry)] as const);
  const typeColumns = Math.max(0, ...rows.map(([type]) => type.length));
  const sizeColumns = Math.max(0, ...rows.map(([, size]) => size.length));
  for (const [index, [type, size, time]] of rows.entries()) {
    const entry = entries[index];
    if (entry !== undefined) {
      const figures = `${type.padEnd(typeColumns)}  ${size.padStart(sizeColumns)}  ${time}`;
      printer.out(`${figures}  ${nameText(entry, printer)}`);
    }
  }
}

/** One row that fits no table, because there is no end to wait for. */
export function entryLine(entry: ListedEntry, printer: Printer): string {
  const type = entry.type.padEnd("symlink".length);
  const figures = `${type}  ${sizeText(entry).padStart(8)}  ${timeText(entry)}`;
  return `${figures}  ${nameText(entry, printer)}`;
}

/** A name with a slash behind a folder's, and where a link points. */
export function nameText(entry: ListedEntry, printer: Printer): string {
  const name = shownName(entry.name);
  if (entry.type === "folder") {
    return printer.dataStyle.hint(name.endsWith("/") ? name : `${name}/`);
  }
  return entry.target === undefined ? name : `${name} -> ${shownName(entry.target)}`;
}

function sizeText(entry: ListedEntry): string {
  return entry.type === "file" ? formatBytes(entry.sizeBytes) : "-";
}

/** Local time to the minute, of fixed width. */
function timeText(entry: ListedEntry): string {
  const time = new Date(millisecondsOf(entry));
  const two = (number: number): string => String(number).padStart(2, "0");
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}`;
}

function millisecondsOf(entry: ListedEntry): number {
  return Number(entry.mtimeNs / 1_000_000n);
}

/** An entry as data. */
export function jsonOfEntry(entry: ListedEntry, schema: string): Record<string, unknown> {
  return {
    schema,
    ...jsonName("path", entry.path),
    type: entry.type,
    size: entry.sizeBytes,
    mtime: isoTime(millisecondsOf(entry)),
    // A string: nanoseconds since 1970 do not fit into a number without loss.
    mtimeNs: String(entry.mtimeNs),
    mode: (entry.mode & 0o7777).toString(8).padStart(4, "0"),
    ...(entry.target === undefined ? {} : jsonName("target", entry.target)),
  };
}

/** null where a file system (or a peer) tells of a year that has no such text. */
function isoTime(milliseconds: number): string | null {
  const time = new Date(milliseconds);
  return Number.isNaN(time.getTime()) ? null : time.toISOString();
}

/** Valid UTF-8 as it is; otherwise readable text, and the bytes beside it in base64. */
export function jsonName(key: string, latin1: string): Record<string, string> {
  const bytes = Buffer.from(latin1, "latin1");
  const text = bytes.toString("utf8");
  const isLossless = textOfName(latin1) === text;
  return isLossless ? { [key]: text } : { [key]: text, [`${key}Bytes`]: bytes.toString("base64") };
}

/** For a terminal: control characters and bytes that are no UTF-8 as escapes. */
export function shownName(latin1: string): string {
  return escapeControls(textOfName(latin1));
}

/** latin1 strings in the order of their bytes. */
export function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Prints the modules of a server; `server` is how it was typed, latin1. */
export function printModules(
  modules: readonly ModuleInfo[],
  server: string,
  printer: Printer,
): void {
  if (printer.jsonMode) {
    for (const { name, comment, isReadOnly } of modules) {
      const place = `${textOfName(server)}:/${name}/`;
      printer.json({ schema: "blit.modules/1", name, place, readOnly: isReadOnly, comment });
    }
    return;
  }
  if (modules.length === 0) return;
  const columns = [{ title: "Place" }, { title: "Access" }, { title: "Comment" }];
  const rows = modules.map(({ name, comment, isReadOnly }) => [
    escapeControls(`${textOfName(server)}:/${name}/`),
    isReadOnly ? "read-only" : "read and write",
    escapeControls(comment),
  ]);
  for (const line of formatTable(columns, rows)) printer.out(line);
}
