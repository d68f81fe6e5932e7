import { ptr } from "bun:ffi";
import { O } from "../../../ffi/abi/constants.ts";
import { Fd } from "../../../ffi/fd.ts";
import type { Memory } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";
import { HERE, openAt } from "../../kit/fs/at.ts";
import { integrityFault, systemFault } from "./faults.ts";
import { PIECE_BYTES } from "./limits.ts";
import { scratch } from "./scratch.ts";
import type { ByteSource } from "./zip.ts";

/**
 * An archive file that is open. Small ones are read once, as a whole, large ones a window at a
 * time, into memory that all archives of a thread share: one at a time can be used.
 */
export class ArchiveFile implements ByteSource, Disposable {
  readonly label: string;
  readonly sizeBytes: number;
  readonly #path: string;
  readonly #fd: Fd;
  readonly #memory: Memory;
  /** What part of the file the memory holds. */
  #windowStart = 0;
  #windowBytes = 0;

  /** @throws {Fault} E_NOT_FOUND or E_IO */
  constructor(path: string, label: string) {
    this.#path = path;
    this.label = label;
    this.#fd = new Fd(openAt(HERE, path, O.RDONLY));
    if (!this.#fd.isOpen) throw systemFault("read", path, this.#fd.number);
    this.#memory = scratch().archive;
    try {
      this.sizeBytes = this.#size();
      if (this.sizeBytes <= this.#memory.bytes.length) this.#fill(0, this.sizeBytes);
    } catch (error) {
      this.#fd.close();
      throw error;
    }
  }

  #size(): number {
    const result = scratch().stat(this.#fd.number);
    if (result < 0) throw systemFault("read", this.#path, result);
    return scratch().status.sizeBytes;
  }

  read(offset: number, lengthBytes: number): Uint8Array {
    if (lengthBytes > this.#memory.bytes.length) return this.#readApart(offset, lengthBytes);
    if (!this.#holds(offset, lengthBytes)) {
      const most = Math.max(lengthBytes, Math.min(PIECE_BYTES, this.sizeBytes - offset));
      this.#fill(offset, most);
    }
    const start = offset - this.#windowStart;
    return this.#memory.bytes.subarray(start, Math.min(start + lengthBytes, this.#windowBytes));
  }

  /** The digest of the whole file. */
  sha256(): string {
    const hasher = new Bun.CryptoHasher("sha256");
    for (let at = 0; at < this.sizeBytes; ) {
      const piece = this.read(at, Math.min(PIECE_BYTES, this.sizeBytes - at));
      if (piece.length === 0) throw integrityFault(this.label, "it is shorter than it should be");
      hasher.update(piece);
      at += piece.length;
    }
    return hasher.digest("hex");
  }

  #holds(offset: number, lengthBytes: number): boolean {
    const start = offset - this.#windowStart;
    return start >= 0 && start + lengthBytes <= this.#windowBytes;
  }

  #fill(offset: number, lengthBytes: number): void {
    this.#windowStart = offset;
    this.#windowBytes = 0;
    this.#windowBytes = this.#readTo(this.#memory.pointer, offset, lengthBytes);
  }

  #readApart(offset: number, lengthBytes: number): Uint8Array {
    const bytes = new Uint8Array(lengthBytes);
    return bytes.subarray(0, this.#readTo(ptr(bytes), offset, lengthBytes));
  }

  /** Reads as much as there is; returns how much. */
  #readTo(pointer: number, offset: number, lengthBytes: number): number {
    let done = 0;
    while (done < lengthBytes) {
      const fd = this.#fd.number;
      const got = sys.pread(fd, pointer + done, lengthBytes - done, offset + done);
      if (got < 0) throw systemFault("read", this.#path, got);
      if (got === 0) break;
      done += got;
    }
    return done;
  }

  [Symbol.dispose](): void {
    this.#fd.close();
  }
}
