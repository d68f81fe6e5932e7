import { ptr } from "bun:ffi";
import { mkdirSync, readFileSync } from "node:fs";
import { processCalls } from "../../../ffi/process.ts";

/** Flags of mount(2). */
export const MOUNT = {
  RDONLY: 1,
  NOSUID: 2,
  NODEV: 4,
  NOEXEC: 8,
  REMOUNT: 32,
} as const;

/** A line of /proc/self/mountinfo, as far as init needs it: proc(5). */
export interface MountEntry {
  readonly path: string;
  readonly type: string;
  readonly isReadOnly: boolean;
}

/** Reads the lines of mountinfo. */
export function parseMountInfo(text: string): MountEntry[] {
  return text.split("\n").flatMap((line) => {
    const [before = "", after] = line.split(" - ");
    const [, , , , path, options = ""] = before.split(" ");
    if (path === undefined || after === undefined) return [];
    const isReadOnly = options.split(",").includes("ro");
    return [{ path: unescapePath(path), type: after.split(" ")[0] ?? "", isReadOnly }];
  });
}

/** Spaces, tabs, line breaks and backslashes are written in octal. */
function unescapePath(path: string): string {
  return path.replace(/\\([0-7]{3})/g, (_, digits) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}

/** What is mounted, first things first; nothing where /proc is not there. */
export function readMounts(): MountEntry[] {
  try {
    return parseMountInfo(readFileSync("/proc/self/mountinfo", "utf8"));
  } catch {
    return [];
  }
}

/** mount(2). Returns 0 or -errno. */
export function mount(options: {
  readonly source: string;
  readonly path: string;
  readonly type: string;
  readonly flags: number;
  readonly data?: string;
}): number {
  const texts = [options.source, options.path, options.type, options.data ?? ""];
  const [source, path, type, data] = texts.map((text) => Buffer.from(`${text}\0`));
  if (!source || !path || !type || !data) return -1;
  return processCalls().mount(ptr(source), ptr(path), ptr(type), options.flags, ptr(data));
}

/** umount2(2). Returns 0 or -errno. */
export function unmount(path: string, flags = 0): number {
  return processCalls().umount2(ptr(Buffer.from(`${path}\0`)), flags);
}

/** Makes a folder to mount on, if that is possible. */
export function makeMountPoint(path: string): void {
  try {
    mkdirSync(path, { recursive: true });
  } catch {
    // The mount says what is wrong.
  }
}
