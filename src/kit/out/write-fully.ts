import { writeSync } from "node:fs";

import { Fault } from "../fault/fault.ts";
import { reasonOf } from "../fault/reason.ts";
import type { OutputFd } from "./tty.ts";

/** The reader of stdout has gone. The command stops quietly, with exit code 0. */
export class BrokenPipe extends Error {
  constructor() {
    super("The reader of standard output has gone");
    this.name = "BrokenPipe";
  }
}

/** As `fs.writeSync`: returns how many bytes were written. Replaced in tests. */
export type WriteCall = (fd: number, bytes: Uint8Array, offset: number, length: number) => number;

const WAIT_MS_MAX = 8;

/**
 * Writes every byte, synchronously: `process.stdout` and `Bun.stdout.writer` lose data at exit or
 * raise EPIPE by the thousand (docs/bun.md). A descriptor that another process has made
 * non-blocking answers EAGAIN: that is waited out, without limit, as a blocking write would.
 *
 * @throws {BrokenPipe} when the reader of the pipe has gone
 * @throws {Fault} E_IO or E_NO_SPACE for every other failure
 */
export function writeFully(fd: OutputFd, bytes: Uint8Array, write: WriteCall = writeSync): void {
  let offset = 0;
  let waitMs = 1;
  while (offset < bytes.length) {
    try {
      offset += write(fd, bytes, offset, bytes.length - offset);
      waitMs = 1;
    } catch (error) {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === "EAGAIN") {
        Bun.sleepSync(waitMs);
        waitMs = Math.min(waitMs * 2, WAIT_MS_MAX);
      } else if (code !== "EINTR") {
        throw asFault(error, { fd, code });
      }
    }
  }
}

function asFault(error: unknown, where: { fd: OutputFd; code: string | undefined }): Error {
  if (where.code === "EPIPE") {
    return new BrokenPipe();
  }
  return new Fault({
    code: where.code === "ENOSPC" || where.code === "EDQUOT" ? "E_NO_SPACE" : "E_IO",
    message: `Cannot write to standard ${where.fd === 1 ? "output" : "error"}: ${reasonOf(error)}`,
  });
}
