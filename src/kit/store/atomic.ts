import {
  closeSync,
  fchmodSync,
  fsyncSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { Fault } from "../fault/fault.ts";

/** How a small file is replaced. */
export interface AtomicWriteOptions {
  readonly path: string;
  readonly content: string | Uint8Array;
  /** Permission bits of the new file, whatever the umask. Default 0o644. */
  readonly mode?: number;
  /**
   * Whether the new file has its name for good on return. Otherwise a power cut soon after may
   * bring the old one back, as a whole. Default true.
   */
  readonly waitsForName?: boolean;
}

/**
 * Replaces a small file as a whole: a reader, and a crash at any moment, sees the old content or
 * the new, never a part. Temporary file in the same folder, fsync, rename, fsync of the folder. A
 * symbolic link at `path` is replaced, not followed.
 *
 * @throws {Fault} E_IO or E_NO_SPACE; the old file is untouched then, and no temporary file stays
 */
export function writeFileAtomic(options: AtomicWriteOptions): void {
  const { path } = options;
  const folder = dirname(path);
  const random = Buffer.from(crypto.getRandomValues(new Uint8Array(6))).toString("hex");
  const temporary = join(folder, `.${basename(path)}.${random}.tmp`);
  const bytes =
    typeof options.content === "string" ? Buffer.from(options.content) : options.content;
  let created = false;
  try {
    const fd = openSync(temporary, "wx", 0o600);
    created = true;
    try {
      writeAll(fd, bytes);
      fchmodSync(fd, options.mode ?? 0o644);
      fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(temporary, path);
    created = false;
    if (options.waitsForName !== false) syncFolder(folder);
  } catch (error) {
    if (created) removeQuietly(temporary);
    throw writeFault(path, error);
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  let done = 0;
  while (done < bytes.length) {
    done += writeSync(fd, bytes, done, bytes.length - done);
  }
}

/** Makes the new name last through a power cut; file systems that cannot do it say EINVAL. */
function syncFolder(folder: string): void {
  const fd = openSync(folder, "r");
  try {
    fsyncSync(fd);
  } catch (error) {
    if (errorCode(error) !== "EINVAL") throw error;
  } finally {
    closeSync(fd);
  }
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // The failure that brought us here is the one to report.
  }
}

function writeFault(path: string, error: unknown): Fault {
  const code = errorCode(error);
  return new Fault({
    code: code === "ENOSPC" || code === "EDQUOT" ? "E_NO_SPACE" : "E_IO",
    message: `Cannot write "${path}"`,
    cause: error,
    details: { path, errno: code },
  });
}

function errorCode(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}
