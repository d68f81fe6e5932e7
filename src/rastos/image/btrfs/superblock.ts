import { crc32c } from "../crc32c.ts";
import {
  DEVICE_ID,
  FIRST_CHUNK_TREE,
  GENERATION,
  ITEM,
  NODE_BYTES,
  put64,
  putKey,
  record,
  SECTOR_BYTES,
  SUPERBLOCK_BYTES,
  TREE,
} from "./format.ts";
import { type Chunk, chunkRecord } from "./records.ts";

const MAGIC = "_BHRfS_M";
const WRITTEN = 1;
/** Backward references mixed, big metadata, many links, skinny metadata, no holes. */
const INCOMPATIBLE = 0x1 | 0x20 | 0x40 | 0x100 | 0x200;
/** A free space tree, and it is valid. */
const READ_ONLY_COMPATIBLE = 0x1 | 0x2;
const LABEL_AT = 299;
export const LABEL_BYTES_MAX = 255;
const SYSTEM_CHUNKS_AT = 811;
const DEVICE_AT = 201;

/** What the superblock says. */
export interface SuperblockFacts {
  readonly filesystem: Uint8Array;
  readonly device: Uint8Array;
  readonly deviceBytes: number;
  /** Of the device, that belong to chunks. */
  readonly allocatedBytes: number;
  readonly usedBytes: number;
  readonly rootTree: { readonly address: number; readonly level: number };
  readonly chunkTree: { readonly address: number; readonly level: number };
  readonly system: Chunk;
  readonly label: string;
}

/** DEV_ITEM of the one device. */
export function deviceRecord(
  facts: Pick<SuperblockFacts, "filesystem" | "device" | "deviceBytes" | "allocatedBytes">,
): Uint8Array {
  const { bytes, view } = record(98);
  put64(view, 0, DEVICE_ID);
  put64(view, 8, facts.deviceBytes);
  put64(view, 16, facts.allocatedBytes);
  view.setUint32(24, SECTOR_BYTES, true);
  view.setUint32(28, SECTOR_BYTES, true);
  view.setUint32(32, SECTOR_BYTES, true);
  bytes.set(facts.device, 66);
  bytes.set(facts.filesystem, 82);
  return bytes;
}

/** The superblock for one of its places on the device. */
export function superblock(facts: SuperblockFacts, at: number): Uint8Array {
  const { bytes, view } = record(SUPERBLOCK_BYTES);
  bytes.set(facts.filesystem, 32);
  put64(view, 48, at);
  put64(view, 56, WRITTEN);
  bytes.set(Buffer.from(MAGIC), 64);
  put64(view, 72, GENERATION);
  put64(view, 80, facts.rootTree.address);
  put64(view, 88, facts.chunkTree.address);
  put64(view, 112, facts.deviceBytes);
  put64(view, 120, facts.usedBytes);
  put64(view, 128, TREE.rootDirectory);
  put64(view, 136, 1);
  view.setUint32(144, SECTOR_BYTES, true);
  view.setUint32(148, NODE_BYTES, true);
  view.setUint32(152, NODE_BYTES, true);
  view.setUint32(156, SECTOR_BYTES, true);
  put64(view, 164, GENERATION);
  put64(view, 180, READ_ONLY_COMPATIBLE);
  put64(view, 188, INCOMPATIBLE);
  view.setUint8(198, facts.rootTree.level);
  view.setUint8(199, facts.chunkTree.level);
  bytes.set(deviceRecord(facts), DEVICE_AT);
  bytes.set(Buffer.from(facts.label).subarray(0, LABEL_BYTES_MAX), LABEL_AT);
  put64(view, 563, GENERATION);
  const chunk = chunkRecord(facts.system, facts.device);
  putKey(view, SYSTEM_CHUNKS_AT, {
    objectId: FIRST_CHUNK_TREE,
    type: ITEM.chunk,
    offset: facts.system.logical,
  });
  bytes.set(chunk, SYSTEM_CHUNKS_AT + 17);
  view.setUint32(160, 17 + chunk.length, true);
  view.setUint32(0, crc32c(bytes.subarray(32)), true);
  return bytes;
}
