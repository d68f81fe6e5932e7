import type { BigIntStats } from "node:fs";
import { lstatSync, readdirSync, readlinkSync } from "node:fs";

import type { CommandContext } from "../../kit/cli/command.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";
import { escapeControls } from "../../kit/fault/redact.ts";
import type { Printer } from "../../kit/out/printer.ts";
import { formatBytes } from "../../kit/text/format.ts";
import { textOfName } from "../tree/name-text.ts";
import type { ListArgs } from "./list.ts";

type EntryType =
  | "file"
  | "folder"
  | "symlink"
  | "fifo"
  | "socket"
  | "block-device"
  | "character-device";

/** An entry; names and paths are bytes as latin1 strings. */
interface Entry {
  readonly path: string;
  readonly name: string;
  readonly type: EntryType;
  readonly status: BigIntStats;
  readonly target: string | undefined;
}

/** Lists what the paths name: of a folder its entries, of everything else the entry itself. */
export async function run(context: CommandContext<ListArgs>): Promise<number> {
  const { printer } = context;
  const given = context.rawPositionals();
  const paths = given.length === 0 ? ["."] : given;
  let listed = 0;
  let failed = 0;
  const fail = (error: unknown): void => {
    failed += 1;
    printer.error(asFault(error));
  };
  for (const [index, path] of paths.entries()) {
    try {
      const root = readEntry(path, path);
      const isFolder = root.type === "folder";
      if (!printer.jsonMode && isFolder && paths.length > 1) {
        printer.out(`${index === 0 ? "" : "\n"}${shownName(path)}:`);
      }
      printEntries(isFolder ? readFolder(path, fail) : [root], printer);
      listed += 1;
    } catch (error) {
      fail(error);
    }
  }
  if (failed === 0) {
    return 0;
  }
  return listed === 0 ? 1 : 4;
}

function readFolder(path: string, fail: (error: unknown) => void): Entry[] {
  const entries: Entry[] = [];
  // Without withFileTypes: Bun mixes that up with buffers (oven-sh/bun#27914).
  const names = attempt("list", path, () => readdirSync(bytesOf(path), { encoding: "buffer" }));
  const sorted = names.map((name) => name.toString("latin1")).sort(byBytes);
  const prefix = path.endsWith("/") ? path : `${path}/`;
  for (const name of sorted) {
    try {
      entries.push(readEntry(prefix + name, name));
    } catch (error) {
      fail(error);
    }
  }
  return entries;
}

function readEntry(path: string, name: string): Entry {
  const status = attempt("read", path, () => lstatSync(bytesOf(path), { bigint: true }));
  const type = typeOf(status);
  const target =
    type === "symlink"
      ? attempt("read", path, () => readlinkSync(bytesOf(path), { encoding: "buffer" }))
      : undefined;
  return { path, name, type, status, target: target?.toString("latin1") };
}

function typeOf(status: BigIntStats): EntryType {
  if (status.isFile()) return "file";
  if (status.isDirectory()) return "folder";
  if (status.isSymbolicLink()) return "symlink";
  if (status.isFIFO()) return "fifo";
  if (status.isSocket()) return "socket";
  return status.isBlockDevice() ? "block-device" : "character-device";
}

function printEntries(entries: readonly Entry[], printer: Printer): void {
  if (printer.jsonMode) {
    for (const entry of entries) {
      printer.json(jsonOf(entry));
    }
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

function nameText(entry: Entry, printer: Printer): string {
  const name = shownName(entry.name);
  if (entry.type === "folder") {
    return printer.dataStyle.hint(name.endsWith("/") ? name : `${name}/`);
  }
  return entry.target === undefined ? name : `${name} -> ${shownName(entry.target)}`;
}

function sizeText(entry: Entry): string {
  return entry.type === "file" ? formatBytes(Number(entry.status.size)) : "-";
}

/** Local time to the minute, of fixed width. */
function timeText(entry: Entry): string {
  const time = new Date(Number(entry.status.mtimeMs));
  const two = (number: number): string => String(number).padStart(2, "0");
  const day = `${time.getFullYear()}-${two(time.getMonth() + 1)}-${two(time.getDate())}`;
  return `${day} ${two(time.getHours())}:${two(time.getMinutes())}`;
}

function jsonOf(entry: Entry): Record<string, unknown> {
  const { status, type } = entry;
  return {
    schema: "blit.list/1",
    ...jsonName("path", entry.path),
    type,
    size: Number(status.size),
    mtime: new Date(Number(status.mtimeMs)).toISOString(),
    // A string: nanoseconds since 1970 do not fit into a number without loss.
    mtimeNs: String(status.mtimeNs),
    mode: (Number(status.mode) & 0o7777).toString(8).padStart(4, "0"),
    ...(entry.target === undefined ? {} : jsonName("target", entry.target)),
  };
}

/** Valid UTF-8 as it is; otherwise readable text, and the bytes beside it in base64. */
function jsonName(key: string, latin1: string): Record<string, string> {
  const bytes = bytesOf(latin1);
  const text = bytes.toString("utf8");
  const isLossless = textOfName(latin1) === text;
  return isLossless ? { [key]: text } : { [key]: text, [`${key}Bytes`]: bytes.toString("base64") };
}

/** For a terminal: control characters and bytes that are no UTF-8 as escapes. */
function shownName(latin1: string): string {
  return escapeControls(textOfName(latin1));
}

function bytesOf(latin1: string): Buffer {
  return Buffer.from(latin1, "latin1");
}

function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Runs a call; its failure becomes a fault that says what was done to which path. */
function attempt<T>(action: "list" | "read", path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code ?? "";
    throw new Fault({
      code: errno === "ENOENT" || errno === "ENOTDIR" ? "E_NOT_FOUND" : "E_IO",
      message: `Cannot ${action} "${textOfName(path)}": ${reasonOf(error)}`,
      details: { errno },
    });
  }
}

function asFault(error: unknown): Fault {
  if (error instanceof Fault) {
    return error;
  }
  throw error;
}
