import { crc32cRaw } from "../crc32c.ts";
import { GENERATION, put64, record, SECTOR_BYTES } from "./format.ts";
import type { Content } from "./model.ts";

const FLAG_DATA = 1;
const FLAG_NODE = 2;
const NODE_REFERENCE = 176;
const DATA_REFERENCE = 178;

/** Who uses an extent: an inode of a tree, from this byte of the file on. */
export interface DataReference {
  readonly tree: number;
  readonly inode: number;
  readonly fileOffset: number;
}

/** A piece of a file on the disk. */
export interface Extent {
  readonly address: number;
  /** Whole sectors. */
  readonly length: number;
  readonly fileOffset: number;
  readonly content: Content;
  readonly references: DataReference[];
}

/** EXTENT_ITEM of data, with its references; btrfs wants them in falling order of a hash. */
export function dataExtentRecord(extent: Extent): Uint8Array {
  const counted = countReferences(extent.references);
  const { bytes, view } = record(24 + 29 * counted.length);
  put64(view, 0, extent.references.length);
  put64(view, 8, GENERATION);
  put64(view, 16, FLAG_DATA);
  for (const [index, { reference, count }] of counted.entries()) {
    const at = 24 + index * 29;
    view.setUint8(at, DATA_REFERENCE);
    put64(view, at + 1, reference.tree);
    put64(view, at + 9, reference.inode);
    put64(view, at + 17, reference.fileOffset);
    view.setUint32(at + 25, count, true);
  }
  return bytes;
}

/** METADATA_ITEM of a node. */
export function nodeExtentRecord(owner: number): Uint8Array {
  const { bytes, view } = record(33);
  put64(view, 0, 1);
  put64(view, 8, GENERATION);
  put64(view, 16, FLAG_NODE);
  view.setUint8(24, NODE_REFERENCE);
  put64(view, 25, owner);
  return bytes;
}

function countReferences(references: readonly DataReference[]) {
  const counted = new Map<string, { reference: DataReference; count: number; hash: bigint }>();
  for (const reference of references) {
    const id = `${reference.tree} ${reference.inode} ${reference.fileOffset}`;
    const known = counted.get(id);
    if (known === undefined) counted.set(id, { reference, count: 1, hash: hashOf(reference) });
    else known.count += 1;
  }
  return [...counted.values()].sort((a, b) => (a.hash < b.hash ? 1 : a.hash > b.hash ? -1 : 0));
}

function hashOf(reference: DataReference): bigint {
  const number = (value: number): Uint8Array => {
    const { bytes, view } = record(8);
    put64(view, 0, value);
    return bytes;
  };
  const high = crc32cRaw(-1, number(reference.tree));
  const low = crc32cRaw(crc32cRaw(-1, number(reference.inode)), number(reference.fileOffset));
  return (BigInt(high) << 31n) ^ BigInt(low);
}

/** Whole sectors. */
export function sectorsOf(bytes: number): number {
  return Math.ceil(bytes / SECTOR_BYTES);
}
