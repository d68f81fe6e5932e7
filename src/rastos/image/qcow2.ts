import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { SEEK } from "../../../ffi/abi/constants.ts";
import { sys } from "../../../ffi/sys.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";
import { isZero, OpenTarget } from "./byte-target.ts";

/**
 * QCOW2, version 3 (QEMU's docs/interop/qcow2.txt), written in one pass: header, data in the order
 * of the disk, then the tables. The same disk gives the same bytes; qemu-img does not promise that.
 */
const CLUSTER_BITS = 16;
const CLUSTER = 2 ** CLUSTER_BITS;
const MAGIC = 0x514649fb;
const HEADER_BYTES = 104;
/** Entries of 8 bytes in a cluster. */
const ENTRIES = CLUSTER / 8;
/** Reference counts of 16 bits in a cluster. */
const COUNTS = CLUSTER / 2;
/** Used once: it may be written to in place. */
const COPIED = 2 ** 63;

/** What a conversion has come to. */
export interface ConversionSummary {
  readonly sizeBytes: number;
  readonly clusters: number;
  readonly fileBytes: number;
}

/**
 * Writes a raw image as a new QCOW2 file. Clusters of zeros are left out.
 *
 * @throws {Fault} E_NOT_FOUND, E_IO, E_NO_SPACE
 */
export function convertToQcow2(
  from: string,
  to: string,
  onBytes: (bytes: number) => void = () => undefined,
): ConversionSummary {
  const fd = openRaw(from);
  try {
    using target = new OpenTarget(to, true);
    const summary = new Qcow2Writer(target, fstatSync(fd).size).write(fd, onBytes);
    target.sync();
    return summary;
  } finally {
    closeSync(fd);
  }
}

class Qcow2Writer {
  readonly #target: OpenTarget;
  readonly #sizeBytes: number;
  /** Cluster in the file for each cluster of the disk; 0: zeros. */
  readonly #places: Float64Array;
  #next = 1;

  constructor(target: OpenTarget, sizeBytes: number) {
    this.#target = target;
    this.#sizeBytes = sizeBytes;
    this.#places = new Float64Array(Math.ceil(sizeBytes / CLUSTER));
  }

  write(fd: number, onBytes: (bytes: number) => void): ConversionSummary {
    const block = new Uint8Array(CLUSTER);
    for (let index = 0; index < this.#places.length; index++) {
      const position = index * CLUSTER;
      const data = sys.lseek(fd, position, SEEK.DATA);
      // Behind the last data there is nothing but a hole. Other failures: then it is read.
      if (data === -6) break;
      const skipped = data > position ? Math.floor(data / CLUSTER) - index : 0;
      if (skipped > 0) {
        onBytes(skipped * CLUSTER);
        index += skipped - 1;
        continue;
      }
      block.fill(0);
      readSync(fd, block, 0, CLUSTER, position);
      onBytes(CLUSTER);
      if (isZero(block)) continue;
      this.#places[index] = this.#next;
      this.#target.write(this.#next * CLUSTER, block);
      this.#next += 1;
    }
    const clusters = this.#next - 1;
    this.#writeTables();
    return { sizeBytes: this.#sizeBytes, clusters, fileBytes: this.#next * CLUSTER };
  }

  #writeTables(): void {
    const tables = this.#writeLevel2();
    const first = this.#next;
    const level1 = new DataView(new ArrayBuffer(roundToCluster(tables.length * 8)));
    for (const [index, place] of tables.entries()) {
      if (place !== 0) level1.setBigUint64(index * 8, entry(place));
    }
    this.#append(level1);
    const { table, clusters } = this.#writeCounts();
    this.#writeHeader({ level1: first, level1Count: tables.length, counts: table, clusters });
  }

  #writeLevel2(): number[] {
    const places = this.#places;
    return Array.from({ length: Math.ceil(places.length / ENTRIES) }, (_, index) => {
      const own = places.subarray(index * ENTRIES, (index + 1) * ENTRIES);
      if (own.every((place) => place === 0)) return 0;
      const table = new DataView(new ArrayBuffer(CLUSTER));
      for (const [at, place] of own.entries()) {
        if (place !== 0) table.setBigUint64(at * 8, entry(place));
      }
      return this.#append(table);
    });
  }

  /** Counts for all clusters of the file, those of the counts included. */
  #writeCounts(): { table: number; clusters: number } {
    let blocks = 0;
    let tableClusters = 1;
    for (;;) {
      const total = this.#next + blocks + tableClusters;
      const wanted = Math.ceil(total / COUNTS);
      tableClusters = Math.ceil(wanted / ENTRIES);
      if (wanted === blocks) break;
      blocks = wanted;
    }
    const total = this.#next + blocks + tableClusters;
    const table = new DataView(new ArrayBuffer(tableClusters * CLUSTER));
    for (let block = 0; block < blocks; block++) {
      const counts = new DataView(new ArrayBuffer(CLUSTER));
      const used = Math.min(COUNTS, total - block * COUNTS);
      for (let at = 0; at < used; at++) counts.setUint16(at * 2, 1);
      table.setBigUint64(block * 8, BigInt(this.#append(counts) * CLUSTER));
    }
    return { table: this.#append(table), clusters: tableClusters };
  }

  #writeHeader(facts: {
    readonly level1: number;
    readonly level1Count: number;
    readonly counts: number;
    readonly clusters: number;
  }): void {
    const header = new DataView(new ArrayBuffer(CLUSTER));
    header.setUint32(0, MAGIC);
    header.setUint32(4, 3);
    header.setUint32(20, CLUSTER_BITS);
    header.setBigUint64(24, BigInt(this.#sizeBytes));
    header.setUint32(36, facts.level1Count);
    header.setBigUint64(40, BigInt(facts.level1 * CLUSTER));
    header.setBigUint64(48, BigInt(facts.counts * CLUSTER));
    header.setUint32(56, facts.clusters);
    // Counts of 2^4 bits.
    header.setUint32(96, 4);
    header.setUint32(100, HEADER_BYTES);
    this.#target.write(0, new Uint8Array(header.buffer));
  }

  #append(table: DataView<ArrayBuffer>): number {
    const place = this.#next;
    this.#target.write(place * CLUSTER, new Uint8Array(table.buffer));
    this.#next += table.byteLength / CLUSTER;
    return place;
  }
}

function entry(cluster: number): bigint {
  return BigInt(cluster * CLUSTER) | BigInt(COPIED);
}

function roundToCluster(bytes: number): number {
  return Math.max(1, Math.ceil(bytes / CLUSTER)) * CLUSTER;
}

function openRaw(path: string): number {
  try {
    return openSync(path, "r");
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new Fault({
      code: isMissing ? "E_NOT_FOUND" : "E_IO",
      message: `Cannot read "${path}": ${reasonOf(error)}`,
    });
  }
}
