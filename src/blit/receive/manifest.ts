import { S } from "../../../ffi/abi/constants.ts";
import type { ReceivedXattrs } from "../engine/thread.ts";
import { STATUS_BYTES, XATTR_BLOB_BYTES_MAX } from "../wire/frame.ts";
import { broken, isNameAt, isPathBelow } from "./check.ts";
import { readXattrBlob } from "./xattr-blob.ts";

/** Reads what FOLDER and LINKS frames hold. Every length is checked before it is used. */

/** Bits of an entry. */
export const entryBit = {
  link: 2,
  /** One of several names of a file: a LINKS frame brings them. */
  linked: 4,
  /** It exists, and nothing more is known: not to be deleted. */
  listedOnly: 8,
} as const;

const allBits = entryBit.link | entryBit.linked | entryBit.listedOnly;

const entryHeadBytes = 8 + STATUS_BYTES;

/** PATH_MAX of linux/limits.h, less the NUL. */
const linkBytesMax = 4095;

const types: ReadonlySet<number> = new Set([
  S.IFREG,
  S.IFDIR,
  S.IFLNK,
  S.IFIFO,
  S.IFSOCK,
  S.IFBLK,
  S.IFCHR,
]);

/** Where the mode and the high half of the size lie in a status record (wire/status.ts). */
const modeOffset = 12;
const sizeOffset = 24;
const sizeHighOffset = sizeOffset + 4;
const sizeHighMax = 2 ** 21;

/** Checks a status record; returns the type of the entry, a bit of its mode. */
export function checkStatus(view: DataView, offset: number): number {
  const type = view.getUint16(offset + modeOffset, true) & S.IFMT;
  if (!types.has(type)) broken("an entry of no known type");
  if (view.getUint32(offset + sizeHighOffset, true) >= sizeHighMax) broken("a size above 2^53");
  return type;
}

/** A payload with a view on it. */
export class Payload {
  readonly bytes: Uint8Array;
  readonly view: DataView;

  constructor(bytes: Uint8Array) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get length(): number {
    return this.bytes.length;
  }

  /** One of its own, where the memory is another's. */
  copy(): Payload {
    return new Payload(this.bytes.slice());
  }

  text(offset: number, length: number): string {
    const { buffer, byteOffset } = this.bytes;
    return Buffer.from(buffer, byteOffset + offset, length).toString("latin1");
  }

  /** Ends the session where `length` bytes at `offset` are not there. */
  demand(offset: number, length: number): void {
    if (offset + length > this.bytes.length) broken("a frame that is cut off");
  }
}

export type FolderHead = {
  readonly root: number;
  /** Below the root, latin1. */
  readonly path: string;
  /** A copy of the status record. */
  readonly status: Uint8Array;
  readonly xattrs: Uint8Array;
  /** Where the entries begin. */
  readonly end: number;
};

/** The first part of a FOLDER frame that has `frameFlag.first`. @throws Fault E_INTEGRITY */
export function readFolderHead(payload: Payload): FolderHead {
  payload.demand(0, 8);
  const root = payload.view.getUint16(0, true);
  const pathLength = payload.view.getUint32(4, true);
  let at = 8;
  payload.demand(at, pathLength + STATUS_BYTES + 4);
  const path = payload.text(at, pathLength);
  if (!isPathBelow(path)) broken("a folder that is not below its root");
  at += pathLength;
  if (checkStatus(payload.view, at) !== S.IFDIR) broken("a folder that is none");
  const status = payload.bytes.slice(at, at + STATUS_BYTES);
  at += STATUS_BYTES;
  const blobLength = payload.view.getUint32(at, true);
  at += 4;
  if (blobLength > XATTR_BLOB_BYTES_MAX) broken("too many attributes for one folder");
  payload.demand(at, blobLength);
  const xattrs = payload.bytes.slice(at, at + blobLength);
  return { root, path, status, xattrs, end: at + blobLength };
}

/** One entry of a FOLDER frame at a time; the offsets are those of the payload. */
export class EntryReader {
  bits = 0;
  /** A type bit of stat(2). */
  type = 0;
  nameOffset = 0;
  nameLength = 0;
  statusOffset = 0;
  linkOffset = 0;
  linkLength = 0;

  /** Reads the entry at `offset`; returns where the next one is. @throws Fault E_INTEGRITY */
  read(payload: Payload, offset: number): number {
    const { bytes, view } = payload;
    payload.demand(offset, entryHeadBytes);
    this.nameLength = view.getUint16(offset, true);
    this.bits = view.getUint16(offset + 2, true);
    const extraLength = view.getUint32(offset + 4, true);
    this.statusOffset = offset + 8;
    this.nameOffset = offset + entryHeadBytes;
    payload.demand(this.nameOffset, this.nameLength + extraLength);
    if (!isNameAt(bytes, this.nameOffset, this.nameLength)) broken("a name that is none");
    if ((this.bits & ~allBits) !== 0) broken("an entry with unknown marks");
    // Of what could not be looked at there is no status.
    const isListedOnly = (this.bits & entryBit.listedOnly) !== 0;
    this.type = isListedOnly ? 0 : checkStatus(view, this.statusOffset);
    const extra = this.nameOffset + this.nameLength;
    const end = extra + extraLength;
    if (this.#readExtra(payload, extra, end) !== end) broken("an entry of the wrong length");
    return end;
  }

  #readExtra(payload: Payload, from: number, end: number): number {
    let at = from;
    this.linkLength = 0;
    const isLink = this.type === S.IFLNK;
    if (isLink !== ((this.bits & entryBit.link) !== 0)) broken("a symbolic link that is none");
    if (isLink) {
      this.linkLength = partLength(payload, at, end, linkBytesMax);
      this.linkOffset = at + 4;
      at = this.linkOffset + this.linkLength;
      const hasNul = payload.bytes.subarray(this.linkOffset, at).includes(0);
      if (this.linkLength === 0 || hasNul) broken("a symbolic link to nothing");
    }
    return at;
  }

  /** Of what has a status. */
  sizeBytes(payload: Payload): number {
    const at = this.statusOffset + sizeOffset;
    return payload.view.getUint32(at + 4, true) * 4294967296 + payload.view.getUint32(at, true);
  }
}

function partLength(payload: Payload, at: number, end: number, max: number): number {
  if (end - at < 4) broken("an entry that is cut off");
  const length = payload.view.getUint32(at, true);
  if (length > max || length > end - at - 4) broken("an entry with a part too long");
  return length;
}

/** A name of a file that has several. */
export type LinkedName = { readonly root: number; readonly folder: string; readonly name: string };

export type LinksFrame = {
  /** A type bit of stat(2). The status is at the beginning. */
  readonly type: number;
  readonly xattrs: ReceivedXattrs;
  readonly members: readonly LinkedName[];
};

const memberHeadBytes = 8;

/** Reads a LINKS frame. @throws Fault E_INTEGRITY */
export function readLinks(payload: Payload): LinksFrame {
  const { view, bytes } = payload;
  payload.demand(0, STATUS_BYTES + 8);
  const type = checkStatus(view, 0);
  if (type === S.IFDIR) broken("a folder with several names");
  const blobLength = view.getUint32(STATUS_BYTES, true);
  let at = STATUS_BYTES + 4;
  payload.demand(at, blobLength + 4);
  const xattrs = readXattrBlob(bytes.subarray(at, at + blobLength));
  at += blobLength;
  const count = view.getUint32(at, true);
  at += 4;
  if (count === 0 || count > payload.length / memberHeadBytes) broken("a wrong number of names");
  const members: LinkedName[] = [];
  for (let i = 0; i < count; i++) {
    payload.demand(at, memberHeadBytes);
    const root = view.getUint16(at, true);
    const nameLength = view.getUint16(at + 2, true);
    const folderLength = view.getUint32(at + 4, true);
    at += memberHeadBytes;
    payload.demand(at, folderLength + nameLength);
    const folder = payload.text(at, folderLength);
    at += folderLength;
    if (!isPathBelow(folder)) broken("a linked name that is not below its root");
    if (!isNameAt(bytes, at, nameLength)) broken("a linked name that is none");
    members.push({ root, folder, name: payload.text(at, nameLength) });
    at += nameLength;
  }
  if (at !== payload.length) broken("linked names of the wrong length");
  return { type, xattrs, members };
}
