import { closeSync, fstatSync, openSync, readSync, watch } from "node:fs";
import { dirname } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";

const CHUNK_BYTES = 64 * 1024;
/** File systems without inotify are looked at this often. */
const LOOK_MS = 1000;

/** Where reading goes on. */
export interface LogPosition {
  readonly inode: number;
  readonly offset: number;
}

/**
 * The last lines of a log, of its rotated part too where the file has too few.
 *
 * @throws {Fault} E_NOT_FOUND, E_PRIVILEGE, E_IO
 */
export function lastLines(path: string, count: number): { lines: string[]; end: LogPosition } {
  const now = readTail(path, count);
  let { lines } = now;
  for (let index = 1; lines.length < count && index <= 1000; index += 1) {
    try {
      lines = [...readTail(`${path}.${index}`, count - lines.length).lines, ...lines];
    } catch {
      break;
    }
  }
  return { lines, end: now.end };
}

function readTail(path: string, count: number): { lines: string[]; end: LogPosition } {
  const fd = openLog(path);
  try {
    const { size, ino } = fstatSync(fd);
    let text = "";
    const chunks: Buffer[] = [];
    let breaks = 0;
    let at = size;
    while (at > 0 && breaks <= count) {
      const length = Math.min(CHUNK_BYTES, at);
      at -= length;
      const chunk = Buffer.alloc(length);
      const got = readSync(fd, chunk, 0, length, at);
      chunks.unshift(chunk.subarray(0, got));
      for (const byte of chunk) if (byte === 10) breaks += 1;
    }
    text = Buffer.concat(chunks).toString("utf8");
    const lines = text.split("\n");
    lines.pop();
    return { lines: count === 0 ? [] : lines.slice(-count), end: { inode: ino, offset: size } };
  } finally {
    closeSync(fd);
  }
}

/** Tells each line that comes after `from`, through rotations, until it is aborted. */
export async function followLog(
  path: string,
  from: LogPosition,
  onLine: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const reader = new Follower(path, from, onLine);
  const { promise, resolve } = Promise.withResolvers<void>();
  const look = (): void => reader.look();
  const watcher = watch(dirname(path), look);
  const timer = setInterval(look, LOOK_MS);
  signal.addEventListener("abort", () => resolve());
  if (signal.aborted) resolve();
  look();
  await promise;
  clearInterval(timer);
  watcher.close();
}

class Follower {
  readonly #path: string;
  readonly #onLine: (line: string) => void;
  #position: LogPosition;
  #partial = "";
  readonly #decoder = new TextDecoder();

  constructor(path: string, from: LogPosition, onLine: (line: string) => void) {
    this.#path = path;
    this.#position = from;
    this.#onLine = onLine;
  }

  look(): void {
    const { inode } = this.#position;
    const now = this.#open(this.#path);
    if (now === undefined) return;
    if (now.inode === inode) {
      this.#read(now.fd, this.#position.offset);
    } else {
      // It was rotated: first the rest of the old one.
      const old = this.#open(`${this.#path}.1`);
      if (old?.inode === inode) this.#read(old.fd, this.#position.offset);
      else if (old !== undefined) closeSync(old.fd);
      this.#position = { inode: now.inode, offset: 0 };
      this.#read(now.fd, 0);
    }
  }

  #open(path: string): { fd: number; inode: number } | undefined {
    try {
      const fd = openSync(path, "r");
      return { fd, inode: fstatSync(fd).ino };
    } catch {
      return undefined;
    }
  }

  #read(fd: number, from: number): void {
    const chunk = Buffer.alloc(CHUNK_BYTES);
    let offset = from;
    for (;;) {
      const got = readSync(fd, chunk, 0, chunk.length, offset);
      if (got === 0) break;
      offset += got;
      const text = this.#partial + this.#decoder.decode(chunk.subarray(0, got), { stream: true });
      const lines = text.split("\n");
      this.#partial = lines.pop() ?? "";
      for (const line of lines) this.#onLine(line);
    }
    closeSync(fd);
    this.#position = { ...this.#position, offset };
  }
}

function openLog(path: string): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const isDenied = code === "EACCES" || code === "EPERM";
    throw new Fault({
      code: code === "ENOENT" ? "E_NOT_FOUND" : isDenied ? "E_PRIVILEGE" : "E_IO",
      message: `Cannot read "${path}": ${reasonOf(error)}`,
      hint:
        code === "ENOENT" ? "it has printed nothing yet, or there is no such service" : undefined,
    });
  }
}
