import {
  appendFileSync,
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readSync,
  renameSync,
  type Stats,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";

import { reasonOf } from "../../kit/fault/reason.ts";

/** A file of the cache. */
export interface CacheEntry {
  readonly bytes: Buffer;
  /** When it was written, or last found to be still right. */
  readonly writtenMs: number;
}

/** A file of the cache of which parts are read; it stays the same one if it is replaced. */
export interface CacheFile {
  readonly sizeBytes: number;
  /** When it was written, or last found to be still right. */
  readonly writtenMs: number;
  /** Of its content: another one when the file was replaced, the same one when it was touched. */
  readonly stamp: string;
  read(offset: number, lengthBytes: number): Buffer;
  /** Removes it: it is no good. */
  discard(): void;
}

/**
 * The folder where an index client keeps what it has learned. It is only a cache: what cannot be
 * read is not there, what cannot be written is told once and done without. Files are replaced as a
 * whole, without fsync: whoever reads them checks them.
 */
export class CacheFolder {
  readonly #folder: string;
  readonly #warn: (text: string, hint?: string) => void;
  /** Descriptors of files that are read in parts. */
  readonly #open = new Set<number>();
  #isWritable: boolean;

  constructor(folder: string, warn: (text: string, hint?: string) => void) {
    this.#folder = folder;
    this.#warn = warn;
    this.#isWritable = true;
  }

  pathOf(...parts: string[]): string {
    return join(this.#folder, ...parts);
  }

  /** Undefined when it is not there or cannot be read. */
  read(path: string): CacheEntry | undefined {
    let fd: number | undefined;
    try {
      fd = openSync(path, "r");
      const status = fstatSync(fd);
      const bytes = Buffer.allocUnsafeSlow(status.size);
      const count = readFully(fd, bytes, 0);
      return { bytes: bytes.subarray(0, count), writtenMs: status.mtimeMs };
    } catch {
      return undefined;
    } finally {
      if (fd !== undefined) closeSync(fd);
    }
  }

  /** As {@link read}, for a file that is not read as a whole. */
  open(path: string): CacheFile | undefined {
    try {
      const fd = openSync(path, "r");
      this.#open.add(fd);
      const status = fstatSync(fd);
      const { mtimeMs, size } = status;
      let whole: Buffer | undefined;
      const read = (offset: number, lengthBytes: number): Buffer => {
        if (whole !== undefined) return whole.subarray(offset, offset + lengthBytes);
        const bytes = this.#readPart(fd, size, offset, lengthBytes);
        if (offset > 0 || bytes.length < size) return bytes;
        // Most files are smaller than the first part asked for.
        this.#open.delete(fd);
        closeSync(fd);
        whole = bytes;
        return bytes;
      };
      const stamp = stampOf(status);
      const discard = (): void => removeQuietly(path);
      return { sizeBytes: size, writtenMs: mtimeMs, stamp, read, discard };
    } catch {
      return undefined;
    }
  }

  /** Closes what is open; files that were opened cannot be read any more. */
  close(): void {
    for (const fd of this.#open) closeSync(fd);
    this.#open.clear();
  }

  #readPart(fd: number, sizeBytes: number, offset: number, lengthBytes: number): Buffer {
    if (!this.#open.has(fd)) return Buffer.alloc(0);
    const bytes = Buffer.allocUnsafeSlow(Math.min(lengthBytes, Math.max(0, sizeBytes - offset)));
    return bytes.subarray(0, readFully(fd, bytes, offset));
  }

  /** Replaces a file. @returns its stamp; undefined where it could not be written */
  write(path: string, bytes: Uint8Array): string | undefined {
    let stamp: string | undefined;
    this.#attempt(path, () => {
      const temporary = temporaryPath(path);
      try {
        writeFileSync(temporary, bytes, { flag: "wx", mode: 0o600 });
        // Of the file under its temporary name: another process may replace it right after.
        const written = stampOf(statSync(temporary));
        renameSync(temporary, path);
        stamp = written;
      } catch (error) {
        removeQuietly(temporary);
        throw error;
      }
    });
    return stamp;
  }

  /** Adds to the end of a file, in one call, so that two processes do not mix their lines. */
  append(path: string, text: string): void {
    this.#attempt(path, () => appendFileSync(path, text, { mode: 0o600 }));
  }

  /** What the file holds is still right. */
  touch(path: string, nowMs: number): void {
    this.#attempt(path, () => utimesSync(path, nowMs / 1000, nowMs / 1000));
  }

  /** Makes a folder for files that are written elsewhere. @throws node:fs errors */
  makeFolder(path: string): void {
    mkdirSync(path, { recursive: true });
  }

  #attempt(path: string, action: () => void): void {
    if (!this.#isWritable) return;
    try {
      try {
        action();
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
        mkdirSync(dirname(path), { recursive: true });
        action();
      }
    } catch (error) {
      this.#isWritable = false;
      this.#warn(
        `Cannot write to the cache in "${this.#folder}": ${reasonOf(error)}`,
        "the run goes on, but nothing is kept for the next one",
      );
    }
  }
}

/** Fills the bytes from an offset of the file on. @returns how many there were */
export function readFully(fd: number, bytes: Uint8Array, offset: number): number {
  let done = 0;
  while (done < bytes.length) {
    const count = readSync(fd, bytes, done, bytes.length - done, offset + done);
    if (count === 0) break;
    done += count;
  }
  return done;
}

/** A name beside the path that nobody else uses. */
export function temporaryPath(path: string): string {
  const random = Buffer.from(crypto.getRandomValues(new Uint8Array(6))).toString("hex");
  return join(dirname(path), `.${random}.tmp`);
}

/** Removes a file if it is there. */
export function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // It never was, or somebody else was faster.
  }
}

/**
 * Which content a file has, as far as its folder entry tells: files of the cache are only ever
 * replaced, and a new file has another number or another time of birth.
 */
export function stampOf({ birthtimeMs, ino, size }: Stats): string {
  return `${ino}:${size}:${birthtimeMs}`;
}
