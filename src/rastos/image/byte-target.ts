import { closeSync, constants, fsyncSync, openSync, writeSync } from "node:fs";
import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";

/** Something that bytes are put into at any place: an image file, or a disk. */
export interface ByteTarget {
  /** @throws {Fault} E_NO_SPACE, E_IO */
  write(position: number, bytes: Uint8Array): void;
}

/** An open image or disk; a part of it is a {@link ByteTarget} by `part`. */
export class OpenTarget implements ByteTarget, Disposable {
  readonly path: string;
  /** A new file: what is not written reads as zeros. */
  readonly isNew: boolean;
  readonly #fd: number;
  #isOpen = true;

  /**
   * @param path opened for writing; made when `isNew`, else taken for nobody but us: of a disk that
   *   is mounted or in use otherwise, that fails
   */
  constructor(path: string, isNew: boolean) {
    this.path = path;
    this.isNew = isNew;
    const flags = isNew ? "wx+" : constants.O_RDWR | constants.O_EXCL;
    this.#fd = attempt("open", path, () => openSync(path, flags, 0o644));
  }

  /** Zeros in a new file stay holes. */
  write(position: number, bytes: Uint8Array): void {
    if (this.isNew && isZero(bytes)) return;
    attempt("write", this.path, () => {
      let done = 0;
      while (done < bytes.length) {
        done += writeSync(this.#fd, bytes, done, bytes.length - done, position + done);
      }
    });
  }

  /** The part from this byte on. */
  part(start: number): ByteTarget {
    return { write: (position, bytes) => this.write(start + position, bytes) };
  }

  /** Waits until all is on the disk. */
  sync(): void {
    attempt("write", this.path, () => fsyncSync(this.#fd));
  }

  [Symbol.dispose](): void {
    if (this.#isOpen) closeSync(this.#fd);
    this.#isOpen = false;
  }
}

const ZEROS = new Uint8Array(1024 * 1024);

/** Whether all bytes are zero. */
export function isZero(bytes: Uint8Array): boolean {
  for (let at = 0; at < bytes.length; at += ZEROS.length) {
    const piece = bytes.subarray(at, at + ZEROS.length);
    if (Buffer.compare(piece, ZEROS.subarray(0, piece.length)) !== 0) return false;
  }
  return true;
}

/** @throws {Fault} */
function attempt<T>(action: "open" | "write", path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code ?? "";
    const isFull = errno === "ENOSPC" || errno === "EDQUOT";
    const isForbidden = errno === "EACCES" || errno === "EPERM";
    throw new Fault({
      code: isFull ? "E_NO_SPACE" : isForbidden ? "E_PRIVILEGE" : "E_IO",
      message: `Cannot ${action} "${path}": ${reasonOf(error)}`,
      hint: isFull ? "make room there, or write the image to another disk" : undefined,
      details: { errno, path },
    });
  }
}
