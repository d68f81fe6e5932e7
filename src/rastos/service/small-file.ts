import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";

const BYTES_MAX = 64;

/**
 * The beginning of a file that somebody else writes, such as one with a pid; undefined where there
 * is none. The first process reads it: a named pipe in its place must not hold that up, nor a file
 * without end.
 */
export function readSmallFile(path: string): string | undefined {
  let fd: number;
  try {
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch {
    return undefined;
  }
  try {
    if (!fstatSync(fd).isFile()) return undefined;
    const bytes = Buffer.alloc(BYTES_MAX);
    return bytes.toString("latin1", 0, readSync(fd, bytes));
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
}
