import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";

/** The bytes of a disk, whatever kind of file holds them. */
export interface DiskReader extends Disposable {
  readonly format: "raw" | "qcow2";
  readonly sizeBytes: number;
  /** Bytes of the disk; zeros behind its end. @throws {Fault} E_IO */
  read(position: number, length: number): Buffer;
}

const QCOW2_MAGIC = 0x514649fb;
/** Bits of an entry that are an offset (QEMU's docs/interop/qcow2.txt). */
const OFFSET_BITS = 0x00fffffffffffe00n;
const COMPRESSED = 1n << 62n;
const ZEROS = 1n;
const CLUSTER_BITS_MAX = 21;

/**
 * Opens an image, or a disk.
 *
 * @throws {Fault} E_NOT_FOUND, E_PRIVILEGE, E_IO; E_REFUSED for QCOW2 that needs more than is known
 *   here: encryption, a file that it is an overlay of
 */
export function openDisk(path: string): DiskReader {
  const fd = openFile(path);
  try {
    const head = readFully(fd, path, 0, 104);
    if (head.readUInt32BE(0) === QCOW2_MAGIC) return new Qcow2Disk(fd, path, head);
    return new RawDisk(fd, path);
  } catch (error) {
    closeSync(fd);
    throw error;
  }
}

class RawDisk implements DiskReader {
  readonly format = "raw";
  readonly sizeBytes: number;
  readonly #fd: number;
  readonly #path: string;

  constructor(fd: number, path: string) {
    this.#fd = fd;
    this.#path = path;
    this.sizeBytes = fstatSync(fd).size;
  }

  read(position: number, length: number): Buffer {
    return readFully(this.#fd, this.#path, position, length);
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

class Qcow2Disk implements DiskReader {
  readonly format = "qcow2";
  readonly sizeBytes: number;
  readonly #fd: number;
  readonly #path: string;
  readonly #clusterBytes: number;
  readonly #level1: Buffer;

  constructor(fd: number, path: string, head: Buffer) {
    this.#fd = fd;
    this.#path = path;
    const bits = head.readUInt32BE(20);
    const count = head.readUInt32BE(36);
    const isPlain = head.readUInt32BE(32) === 0 && head.readBigUInt64BE(8) === 0n;
    const isKnown = head.readUInt32BE(4) >= 2 && head.readUInt32BE(4) <= 3;
    if (!isPlain || !isKnown || bits < 9 || bits > CLUSTER_BITS_MAX || count > 2 ** 22) {
      throw new Fault({
        code: "E_REFUSED",
        message: `Cannot look into "${path}": it is encrypted, an overlay, or damaged`,
        hint: "qemu-img convert -O raw makes a plain image of it",
      });
    }
    this.#clusterBytes = 2 ** bits;
    this.sizeBytes = Number(head.readBigUInt64BE(24));
    this.#level1 = readFully(fd, path, Number(head.readBigUInt64BE(40)), count * 8);
  }

  read(position: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    for (let done = 0; done < length; ) {
      const at = position + done;
      const inCluster = at % this.#clusterBytes;
      const piece = Math.min(length - done, this.#clusterBytes - inCluster);
      const place = this.#placeOf(Math.floor(at / this.#clusterBytes));
      if (place !== undefined) {
        readFully(this.#fd, this.#path, place + inCluster, piece).copy(bytes, done);
      }
      done += piece;
    }
    return bytes;
  }

  /** Where in the file a cluster of the disk is; undefined: nowhere, it is zeros. */
  #placeOf(cluster: number): number | undefined {
    const entries = this.#clusterBytes / 8;
    const index = Math.floor(cluster / entries) * 8;
    if (index + 8 > this.#level1.length) return undefined;
    const table = Number(this.#level1.readBigUInt64BE(index) & OFFSET_BITS);
    if (table === 0) return undefined;
    const at = table + (cluster % entries) * 8;
    const entry = readFully(this.#fd, this.#path, at, 8).readBigUInt64BE();
    if ((entry & COMPRESSED) !== 0n) {
      throw new Fault({
        code: "E_REFUSED",
        message: `Cannot look into "${this.#path}": it is compressed`,
        hint: "qemu-img convert -O raw makes a plain image of it",
      });
    }
    const place = Number(entry & OFFSET_BITS);
    return place === 0 || (entry & ZEROS) !== 0n ? undefined : place;
  }

  [Symbol.dispose](): void {
    closeSync(this.#fd);
  }
}

function openFile(path: string): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    const errno = (error as NodeJS.ErrnoException).code;
    throw new Fault({
      code: errno === "ENOENT" ? "E_NOT_FOUND" : errno === "EACCES" ? "E_PRIVILEGE" : "E_IO",
      message: `Cannot read "${path}": ${reasonOf(error)}`,
    });
  }
}

/** Bytes of a file; zeros behind its end. */
function readFully(fd: number, path: string, position: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  try {
    for (let done = 0; done < length; ) {
      const got = readSync(fd, bytes, done, length - done, position + done);
      if (got === 0) break;
      done += got;
    }
  } catch (error) {
    throw new Fault({ code: "E_IO", message: `Cannot read "${path}": ${reasonOf(error)}` });
  }
  return bytes;
}
