import {
  ENTRY,
  FIRST_CHUNK_TREE,
  GENERATION,
  type Key,
  NODE_BYTES,
  put64,
  putKey,
  record,
  SECTOR_BYTES,
  STRIPE_BYTES,
  TREE,
  uuidBytes,
} from "./format.ts";
import type { Nanoseconds, TreeNode } from "./model.ts";

const BILLION = 1_000_000_000n;
/** In a root's inode: the flags of the root mean something. */
const ROOT_FLAGS_VALID = 2 ** 31;
const INLINE = 0;
const REGULAR = 1;
const KEY_BYTES = 17;

/** What an inode's item says. */
export interface InodeFacts {
  readonly size: number;
  /** Bytes that its extents take. */
  readonly storedBytes: number;
  readonly links: number;
  readonly uid: number;
  readonly gid: number;
  /** Type and permissions. */
  readonly mode: number;
  readonly device: number;
  readonly flags?: number;
  readonly modified: Nanoseconds;
}

/** INODE_ITEM, 160 bytes. */
export function inodeRecord(facts: InodeFacts): Uint8Array {
  const { bytes, view } = record(160);
  put64(view, 0, GENERATION);
  put64(view, 8, GENERATION);
  put64(view, 16, facts.size);
  put64(view, 24, facts.storedBytes);
  view.setUint32(40, facts.links, true);
  view.setUint32(44, facts.uid, true);
  view.setUint32(48, facts.gid, true);
  view.setUint32(52, facts.mode, true);
  put64(view, 56, facts.device);
  put64(view, 64, facts.flags ?? 0);
  for (const at of [112, 124, 136, 148]) putTime(view, at, facts.modified);
  return bytes;
}

function putTime(view: DataView, at: number, time: Nanoseconds): void {
  let seconds = time / BILLION;
  let rest = time % BILLION;
  if (rest < 0n) {
    rest += BILLION;
    seconds -= 1n;
  }
  view.setBigInt64(at, seconds, true);
  view.setUint32(at + 8, Number(rest), true);
}

/** One name of an inode: INODE_REF holds one for each name in the folder. */
export function inodeReferenceRecord(index: number, name: string): Uint8Array {
  const { bytes, view } = record(10 + name.length);
  put64(view, 0, index);
  view.setUint16(8, name.length, true);
  bytes.set(Buffer.from(name, "latin1"), 10);
  return bytes;
}

/** DIR_ITEM, DIR_INDEX and XATTR_ITEM. */
export function folderEntryRecord(
  location: Key,
  type: number,
  name: string,
  value: Uint8Array = new Uint8Array(0),
): Uint8Array {
  const { bytes, view } = record(30 + name.length + value.length);
  putKey(view, 0, location);
  put64(view, KEY_BYTES, GENERATION);
  view.setUint16(25, value.length, true);
  view.setUint16(27, name.length, true);
  view.setUint8(29, type);
  bytes.set(Buffer.from(name, "latin1"), 30);
  bytes.set(value, 30 + name.length);
  return bytes;
}

/** XATTR_ITEM. */
export function attributeRecord(name: string, value: Uint8Array): Uint8Array {
  return folderEntryRecord({ objectId: 0, type: 0, offset: 0 }, ENTRY.attribute, name, value);
}

/** EXTENT_DATA of bytes that lie in the tree. */
export function inlineExtentRecord(content: Uint8Array): Uint8Array {
  const { bytes, view } = record(21 + content.length);
  put64(view, 0, GENERATION);
  put64(view, 8, content.length);
  view.setUint8(20, INLINE);
  bytes.set(content, 21);
  return bytes;
}

/** EXTENT_DATA of a whole extent. */
export function extentRecord(address: number, length: number): Uint8Array {
  const { bytes, view } = record(53);
  put64(view, 0, GENERATION);
  put64(view, 8, length);
  view.setUint8(20, REGULAR);
  put64(view, 21, address);
  put64(view, 29, length);
  put64(view, 45, length);
  return bytes;
}

/** What a ROOT_ITEM says of a tree. */
export interface RootFacts {
  readonly address: number;
  readonly level: number;
  readonly nodeCount: number;
  /** A tree of files, with a folder as its root. */
  readonly isSubvolume: boolean;
  readonly isReadOnly?: boolean;
  readonly uuid?: string;
  readonly parentUuid?: string | undefined;
  readonly modified: Nanoseconds;
}

/** ROOT_ITEM, 439 bytes. */
export function rootRecord(facts: RootFacts): Uint8Array {
  const { bytes, view } = record(439);
  bytes.set(
    inodeRecord({
      size: 3,
      storedBytes: NODE_BYTES,
      links: 1,
      uid: 0,
      gid: 0,
      mode: 0o40755,
      device: 0,
      flags: facts.isSubvolume ? ROOT_FLAGS_VALID : 0,
      modified: 0n,
    }),
  );
  put64(view, 0, 1);
  put64(view, 8, 0);
  put64(view, 160, GENERATION);
  put64(view, 168, facts.isSubvolume ? TREE.firstFree : 0);
  put64(view, 176, facts.address);
  put64(view, 192, facts.nodeCount * NODE_BYTES);
  put64(view, 208, facts.isReadOnly === true ? 1 : 0);
  view.setUint32(216, 1, true);
  view.setUint8(238, facts.level);
  put64(view, 239, GENERATION);
  if (facts.uuid === undefined) return bytes;
  bytes.set(uuidBytes(facts.uuid), 247);
  if (facts.parentUuid !== undefined) bytes.set(uuidBytes(facts.parentUuid), 263);
  put64(view, 295, GENERATION);
  put64(view, 303, GENERATION);
  putTime(view, 327, facts.modified);
  putTime(view, 339, facts.modified);
  return bytes;
}

/** ROOT_REF and ROOT_BACKREF: where in its parent a subvolume stands. */
export function rootReferenceRecord(folder: number, index: number, name: string): Uint8Array {
  const { bytes, view } = record(18 + name.length);
  put64(view, 0, folder);
  put64(view, 8, index);
  view.setUint16(16, name.length, true);
  bytes.set(Buffer.from(name, "latin1"), 18);
  return bytes;
}

/** A piece of the logical address space, and where it lies on the device. */
export interface Chunk {
  readonly logical: number;
  readonly length: number;
  readonly flags: number;
  /** One place, or two with the same bytes. */
  readonly physical: readonly number[];
}

/** CHUNK_ITEM. */
export function chunkRecord(chunk: Chunk, device: Uint8Array): Uint8Array {
  const { bytes, view } = record(48 + 32 * chunk.physical.length);
  put64(view, 0, chunk.length);
  put64(view, 8, TREE.extent);
  put64(view, 16, STRIPE_BYTES);
  put64(view, 24, chunk.flags);
  view.setUint32(32, STRIPE_BYTES, true);
  view.setUint32(36, STRIPE_BYTES, true);
  view.setUint32(40, SECTOR_BYTES, true);
  view.setUint16(44, chunk.physical.length, true);
  view.setUint16(46, 1, true);
  for (const [index, place] of chunk.physical.entries()) {
    put64(view, 48 + index * 32, 1);
    put64(view, 56 + index * 32, place);
    bytes.set(device, 64 + index * 32);
  }
  return bytes;
}

/** DEV_EXTENT. */
export function deviceExtentRecord(chunk: Chunk, chunkTree: Uint8Array): Uint8Array {
  const { bytes, view } = record(48);
  put64(view, 0, TREE.chunk);
  put64(view, 8, FIRST_CHUNK_TREE);
  put64(view, 16, chunk.logical);
  put64(view, 24, chunk.length);
  bytes.set(chunkTree, 32);
  return bytes;
}

/** BLOCK_GROUP_ITEM. */
export function blockGroupRecord(usedBytes: number, flags: number): Uint8Array {
  const { bytes, view } = record(24);
  put64(view, 0, usedBytes);
  put64(view, 8, FIRST_CHUNK_TREE);
  put64(view, 16, flags);
  return bytes;
}

/** What the format needs of a node besides its own bytes: type and mode bits. */
export function kindOf(node: TreeNode): { readonly type: number; readonly mode: number } {
  switch (node.kind) {
    case "folder":
    case "subvolume":
      return { type: ENTRY.folder, mode: 0o040000 };
    case "file":
      return { type: ENTRY.file, mode: 0o100000 };
    case "symlink":
      return { type: ENTRY.symlink, mode: 0o120000 };
    case "special":
      return SPECIAL[node.type];
  }
}

const SPECIAL = {
  character: { type: ENTRY.character, mode: 0o020000 },
  block: { type: ENTRY.block, mode: 0o060000 },
  pipe: { type: ENTRY.pipe, mode: 0o010000 },
  socket: { type: ENTRY.socket, mode: 0o140000 },
} as const;
