import { crc32cRaw } from "../crc32c.ts";

/**
 * The on-disk format of btrfs (btrfs(5), "On-disk format" of its documentation): numbers of trees,
 * types of items, sizes. Everything is little endian.
 */

export const SECTOR_BYTES = 4096;
export const NODE_BYTES = 16_384;
/** Header of a node: checksum, file system, address, flags, chunk tree, generation, owner, … */
export const HEADER_BYTES = 101;
/** An item's entry in a leaf: key, offset and size of its data. */
export const ITEM_BYTES = 25;
/** A pointer of an inner node: key, address, generation. */
export const POINTER_BYTES = 33;
/** Chunks are cut into stripes of this size. */
export const STRIPE_BYTES = 65_536;
/** Where superblocks lie on the device. */
export const SUPERBLOCKS_AT = [65_536, 64 * 1024 ** 2, 256 * 1024 ** 3] as const;
export const SUPERBLOCK_BYTES = 4096;
/** Files up to this size lie in the tree itself, as the kernel's max_inline has it. */
export const INLINE_BYTES_MAX = 2048;
/** The largest piece of a file that is one extent. */
export const EXTENT_BYTES_MAX = 128 * 1024 ** 2;
/** All is written in one transaction, of this number. */
export const GENERATION = 8;

/** Object ids of the trees. Negative numbers are counted from 2^64 down. */
export const TREE = {
  root: 1,
  extent: 2,
  chunk: 3,
  device: 4,
  top: 5,
  rootDirectory: 6,
  checksum: 7,
  uuid: 9,
  freeSpace: 10,
  dataRelocation: -9,
  firstFree: 256,
} as const;

/** Types of items, in the order of keys. */
export const ITEM = {
  inode: 1,
  inodeReference: 12,
  attribute: 24,
  folderItem: 84,
  folderIndex: 96,
  fileExtent: 108,
  checksum: 128,
  root: 132,
  rootBackReference: 144,
  rootReference: 156,
  extent: 168,
  metadata: 169,
  blockGroup: 192,
  freeSpaceInfo: 198,
  freeSpaceExtent: 199,
  deviceExtent: 204,
  device: 216,
  chunk: 228,
  uuidOfSubvolume: 251,
} as const;

/** Kinds of space, and how often it is kept. */
export const GROUP = { data: 1, system: 2, metadata: 4, twice: 32 } as const;

/** Object id of all checksums of data. */
export const CHECKSUMS = -10;
export const FIRST_CHUNK_TREE = 256;
export const FIRST_INODE = 256;
export const DEVICE_ID = 1;

/** Types of the entries of folders. */
export const ENTRY = {
  file: 1,
  folder: 2,
  character: 3,
  block: 4,
  pipe: 5,
  socket: 6,
  symlink: 7,
  attribute: 8,
} as const;

/** A place in a tree; `offset` means something else for each type. */
export interface Key {
  readonly objectId: number | bigint;
  readonly type: number;
  readonly offset: number | bigint;
}

/** A number of 64 bits; negative ones are counted from 2^64 down. */
export function put64(target: DataView, at: number, value: number | bigint): void {
  if (typeof value === "number" && value >= 0) {
    target.setUint32(at, value % 2 ** 32, true);
    target.setUint32(at + 4, Math.floor(value / 2 ** 32), true);
  } else {
    target.setBigUint64(at, BigInt.asUintN(64, BigInt(value)), true);
  }
}

/** Writes the 17 bytes of a key. */
export function putKey(target: DataView, at: number, key: Key): void {
  put64(target, at, key.objectId);
  target.setUint8(at + 8, key.type);
  put64(target, at + 9, key.offset);
}

/** Below zero when the first key stands before the second. */
export function compareKeys(a: Key, b: Key): number {
  return compare64(a.objectId, b.objectId) || a.type - b.type || compare64(a.offset, b.offset);
}

function compare64(a: number | bigint, b: number | bigint): number {
  if (typeof a === "number" && typeof b === "number" && a >= 0 && b >= 0) return a - b;
  const difference = BigInt.asUintN(64, BigInt(a)) - BigInt.asUintN(64, BigInt(b));
  return difference < 0n ? -1 : difference > 0n ? 1 : 0;
}

/** The 16 bytes of a UUID given as text with dashes. */
export function uuidBytes(uuid: string): Uint8Array {
  return Uint8Array.from(Buffer.from(uuid.replaceAll("-", ""), "hex"));
}

/** How a name in a folder is looked up. */
export function nameHash(name: string): number {
  return crc32cRaw(0xfffffffe, Buffer.from(name, "latin1"));
}

/** Bytes, and a view on them. */
export interface Record {
  readonly bytes: Uint8Array;
  readonly view: DataView;
}

/** Room for a record of so many bytes, zeros. */
export function record(size: number): Record {
  const bytes = new Uint8Array(size);
  return { bytes, view: new DataView(bytes.buffer) };
}

/** The next multiple. */
export function roundUp(value: number, unit: number): number {
  return Math.ceil(value / unit) * unit;
}
