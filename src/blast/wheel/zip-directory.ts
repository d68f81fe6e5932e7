import type { Fault } from "../../kit/fault/fault.ts";
import { integrityFault } from "./faults.ts";
import {
  DIRECTORY_BYTES_MAX,
  MEMBERS_MAX,
  PATH_BYTES_MAX,
  RATIO_FREE_BYTES,
  RATIO_MAX,
  UNPACKED_BYTES_MAX,
} from "./limits.ts";
import { decodeName, nameProblem } from "./zip-name.ts";

/**
 * The central directory of a zip archive, without input and output of its own: generators ask for
 * ranges of bytes, so that one reading of the format serves files and servers.
 *
 * Nothing is taken that two programs could read in two ways: no bytes before or after the archive,
 * no second end record, no members that overlap or share a name.
 * @see https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */

/** A range that is wanted; exactly `lengthBytes` are handed in for it. */
export interface WantedRange {
  readonly offset: number;
  readonly lengthBytes: number;
}

/** Asks for ranges, and answers in the end. */
export type RangeReader<Result> = Generator<WantedRange, Result, Uint8Array>;

/** A member as the central directory tells of it. */
export interface ZipMember {
  /** Relative, with `/`, in its plainest form; a folder's without the slash at its end. */
  readonly path: string;
  readonly isFolder: boolean;
  /** The name as it stands in the archive: the local header has to repeat it. */
  readonly rawName: Uint8Array;
  readonly flags: number;
  /** 0: stored. 8: deflated. */
  readonly method: 0 | 8;
  readonly crc32: number;
  readonly compressedBytes: number;
  readonly sizeBytes: number;
  /** Where the local header starts. */
  readonly offset: number;
  /** Where the next member, or the central directory, starts. */
  readonly limit: number;
  /** Type and permission bits of Unix, 0 where the archive has none. */
  readonly mode: number;
}

export interface ZipDirectory {
  /** Sorted by where they lie in the archive. */
  readonly members: readonly ZipMember[];
  /** Of all members, unpacked. */
  readonly totalBytes: number;
}

const END_BYTES = 22;
const LOCATOR_BYTES = 20;
const END64_BYTES = 56;
const ENTRY_BYTES = 46;
const COMMENT_BYTES_MAX = 0xffff;
const SIGNATURE = { entry: 0x02014b50, end: 0x06054b50, locator: 0x07064b50, end64: 0x06064b50 };

/** Bits of a member's flags. */
export const FLAG = { encrypted: 1, descriptor: 8, patched: 0x20, strong: 0x40, utf8: 0x800 };
const FLAG_MASKED = 0x2000;

const TYPE_MASK = 0o170000;
const TYPE_FILE = 0o100000;
const TYPE_FOLDER = 0o040000;
const TYPE_LINK = 0o120000;

type End = { readonly entries: number; readonly offset: number; readonly lengthBytes: number };

/**
 * Reads the central directory of an archive of `sizeBytes`, starting with its last `tailBytes`.
 * @throws {Fault} E_INTEGRITY for an archive that is damaged or that is refused
 */
export function* readDirectory(
  label: string,
  sizeBytes: number,
  tailBytes: number,
): RangeReader<ZipDirectory> {
  const tail = new Tail(label, sizeBytes);
  yield* tail.reach(Math.max(0, sizeBytes - Math.max(tailBytes, END_BYTES)));
  const end = yield* findEnd(label, sizeBytes, tail);
  yield* tail.reach(end.offset);
  const bytes = tail.slice(end.offset, end.lengthBytes);
  return parseEntries(label, sizeBytes, bytes, end);
}

/** The end of the archive, as far as it has been read. */
class Tail {
  readonly #label: string;
  readonly #sizeBytes: number;
  #bytes = Buffer.alloc(0);
  start: number;

  constructor(label: string, sizeBytes: number) {
    this.#label = label;
    this.#sizeBytes = sizeBytes;
    this.start = sizeBytes;
  }

  /** Reads back to an offset, unless that has been read. */
  *reach(offset: number): RangeReader<void> {
    if (offset >= this.start) return;
    const lengthBytes = this.start - offset;
    const more = yield { offset, lengthBytes };
    if (more.length !== lengthBytes) {
      throw integrityFault(this.#label, "it is shorter than it should be");
    }
    this.#bytes = Buffer.concat([more, this.#bytes]);
    this.start = offset;
  }

  slice(offset: number, lengthBytes: number): Buffer {
    return this.#bytes.subarray(offset - this.start, offset - this.start + lengthBytes);
  }

  /** Offset of the last end record that has been read, or undefined. */
  findEnd(): number | undefined {
    const bytes = this.#bytes;
    for (let i = bytes.length - END_BYTES; i >= 0; i--) {
      if (bytes[i] === 0x50 && bytes.readUInt32LE(i) === SIGNATURE.end) return this.start + i;
    }
    return undefined;
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }
}

function* findEnd(label: string, sizeBytes: number, tail: Tail): RangeReader<End> {
  let at = tail.findEnd();
  if (at === undefined) {
    yield* tail.reach(Math.max(0, sizeBytes - END_BYTES - COMMENT_BYTES_MAX));
    at = tail.findEnd();
  }
  if (at === undefined) throw integrityFault(label, "it is no zip archive, or it is cut off");
  const record = tail.slice(at, END_BYTES);
  if (at + END_BYTES + record.readUInt16LE(20) !== sizeBytes) {
    throw integrityFault(label, "something stands behind the end of the archive");
  }
  const entries = record.readUInt16LE(10);
  const plain = {
    entries,
    lengthBytes: record.readUInt32LE(12),
    offset: record.readUInt32LE(16),
  };
  const isOneDisk = record.readUInt16LE(8) === entries;
  if (!isOneDisk || isOtherDisk(record.readUInt16LE(4)) || isOtherDisk(record.readUInt16LE(6))) {
    throw integrityFault(label, "it is one part of an archive of several parts");
  }
  yield* tail.reach(Math.max(0, at - LOCATOR_BYTES));
  const locator = tail.slice(at - LOCATOR_BYTES, LOCATOR_BYTES);
  const has64 = at >= LOCATOR_BYTES && locator.readUInt32LE(0) === SIGNATURE.locator;
  const end = has64 ? yield* findEnd64(label, at - LOCATOR_BYTES, tail, plain) : plain;
  const directoryEnd = has64 ? at - LOCATOR_BYTES - END64_BYTES : at;
  if (end.offset + end.lengthBytes !== directoryEnd) {
    throw integrityFault(label, "its central directory is not where it says");
  }
  if (end.entries > MEMBERS_MAX) {
    throw integrityFault(label, `it has ${end.entries} members, more than ${MEMBERS_MAX}`);
  }
  if (end.lengthBytes > DIRECTORY_BYTES_MAX) {
    throw integrityFault(label, "its central directory is too large");
  }
  return end;
}

function isOtherDisk(number: number): boolean {
  return number !== 0 && number !== 0xffff;
}

/** The zip64 end record; it has to stand right before its locator, which stands at `at`. */
function* findEnd64(label: string, at: number, tail: Tail, plain: End): RangeReader<End> {
  const start = at - END64_BYTES;
  const locator = tail.slice(at, LOCATOR_BYTES);
  if (start < 0 || readU64(locator, 8) !== start) {
    throw integrityFault(label, "its zip64 end record is not where it says");
  }
  if (locator.readUInt32LE(4) !== 0 || locator.readUInt32LE(16) > 1) {
    throw integrityFault(label, "it is one part of an archive of several parts");
  }
  yield* tail.reach(start);
  const record = tail.slice(start, END64_BYTES);
  const isWhole =
    record.readUInt32LE(0) === SIGNATURE.end64 && readU64(record, 4) === END64_BYTES - 12;
  if (!isWhole) throw integrityFault(label, "its zip64 end record is damaged");
  const end = {
    entries: readU64(record, 32),
    lengthBytes: readU64(record, 40),
    offset: readU64(record, 48),
  };
  const isOneDisk =
    record.readUInt32LE(16) === 0 &&
    record.readUInt32LE(20) === 0 &&
    readU64(record, 24) === end.entries;
  if (!isOneDisk) throw integrityFault(label, "it is one part of an archive of several parts");
  const agrees =
    (plain.entries === 0xffff || plain.entries === end.entries) &&
    (plain.lengthBytes === 0xffffffff || plain.lengthBytes === end.lengthBytes) &&
    (plain.offset === 0xffffffff || plain.offset === end.offset);
  if (!agrees) throw integrityFault(label, "its two end records disagree");
  return end;
}

/** Numbers beyond 2^53 lose their last digits, and are refused by every check that they meet. */
function readU64(bytes: Buffer, offset: number): number {
  return bytes.readUInt32LE(offset + 4) * 4294967296 + bytes.readUInt32LE(offset);
}

type Draft = { -readonly [Key in keyof ZipMember]: ZipMember[Key] };

function parseEntries(label: string, sizeBytes: number, bytes: Buffer, end: End): ZipDirectory {
  const drafts: Draft[] = [];
  let at = 0;
  let totalBytes = 0;
  for (let i = 0; i < end.entries; i++) {
    if (at + ENTRY_BYTES > bytes.length || bytes.readUInt32LE(at) !== SIGNATURE.entry) {
      throw integrityFault(label, "its central directory is damaged");
    }
    const nameEnd = at + ENTRY_BYTES + bytes.readUInt16LE(at + 28);
    const next = nameEnd + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
    if (next > bytes.length) throw integrityFault(label, "its central directory is damaged");
    const draft = parseEntry(label, bytes, at, nameEnd);
    if (draft.offset >= end.offset) {
      throw memberFault(label, draft.path, "it starts behind the end of the members");
    }
    totalBytes += draft.sizeBytes;
    drafts.push(draft);
    at = next;
  }
  if (at !== bytes.length) throw integrityFault(label, "its central directory is damaged");
  const totalMax = Math.max(RATIO_FREE_BYTES, sizeBytes * RATIO_MAX);
  if (totalBytes > Math.min(totalMax, UNPACKED_BYTES_MAX)) {
    throw integrityFault(label, `it would unpack to ${totalBytes} bytes`);
  }
  rejectSharedNames(label, drafts);
  return { members: layOut(label, drafts, end.offset), totalBytes };
}

/** The entry at `at`, whose name ends at `nameEnd`. */
function parseEntry(label: string, bytes: Buffer, at: number, nameEnd: number): Draft {
  const nameStart = at + ENTRY_BYTES;
  if (nameEnd - nameStart > PATH_BYTES_MAX) {
    throw integrityFault(label, "a member's path is too long");
  }
  const flags = bytes.readUInt16LE(at + 8);
  const name = decodeName(bytes, nameStart, nameEnd, (flags & FLAG.utf8) !== 0);
  if (name === undefined) throw integrityFault(label, "a member's name is no UTF-8");
  const isFolder = name.endsWith("/");
  const path = isFolder ? name.slice(0, -1) : name;
  const reject = (problem: string): never => {
    throw memberFault(label, name, problem);
  };
  const problem = nameProblem(path);
  if (problem !== undefined) return reject(problem);
  if ((flags & (FLAG.encrypted | FLAG.strong | FLAG_MASKED)) !== 0)
    return reject("it is encrypted");
  if ((flags & FLAG.patched) !== 0) return reject("it is a patch");
  const method = bytes.readUInt16LE(at + 10);
  if (method !== 0 && method !== 8) return reject(`its compression method ${method} is not known`);
  const draft: Draft = {
    path,
    isFolder,
    rawName: bytes.subarray(nameStart, nameEnd),
    flags,
    method,
    crc32: bytes.readUInt32LE(at + 16),
    compressedBytes: bytes.readUInt32LE(at + 20),
    sizeBytes: bytes.readUInt32LE(at + 24),
    offset: bytes.readUInt32LE(at + 42),
    limit: 0,
    mode: bytes.readUInt16LE(at + 40),
  };
  const extra = bytes.subarray(nameEnd, nameEnd + bytes.readUInt16LE(at + 30));
  const late = readExtra(draft, extra, bytes.readUInt16LE(at + 34)) ?? kindProblem(draft);
  return late === undefined ? draft : reject(late);
}

/** Takes what the extra fields hold: zip64 sizes; a second name has to be the first one. */
function readExtra(draft: Draft, extra: Buffer, disk: number): string | undefined {
  let found64: Buffer | undefined;
  for (let at = 0; at < extra.length; ) {
    if (at + 4 > extra.length) return "its extra fields are damaged";
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (end > extra.length) return "its extra fields are damaged";
    const kind = extra.readUInt16LE(at);
    if (kind === 0x0001 && found64 !== undefined) return "its extra fields contradict each other";
    if (kind === 0x0001) found64 = extra.subarray(at + 4, end);
    if (kind === 0x7075 && !repeatsName(draft, extra.subarray(at + 4, end))) {
      return "it has two names";
    }
    at = end;
  }
  let at = 0;
  let isMissing = false;
  const take = (value: number): number => {
    if (value !== 0xffffffff) return value;
    if (found64 === undefined || at + 8 > found64.length) {
      // Exactly this size, then; the other checks have the last word.
      isMissing ||= found64 !== undefined;
      return value;
    }
    at += 8;
    return readU64(found64, at - 8);
  };
  draft.sizeBytes = take(draft.sizeBytes);
  draft.compressedBytes = take(draft.compressedBytes);
  draft.offset = take(draft.offset);
  if (isMissing) return "its extra fields are damaged";
  return isOtherDisk(disk) ? "it lies in another part of the archive" : undefined;
}

/** The Unicode path field of Info-ZIP: version, CRC of the plain name, UTF-8. */
function repeatsName(draft: Draft, field: Buffer): boolean {
  if (field.length < 5 || field[0] !== 1) return true;
  const name = decodeName(field, 5, field.length, true);
  return name === (draft.isFolder ? `${draft.path}/` : draft.path);
}

/** Why a member cannot be what it says it is. */
function kindProblem(member: ZipMember): string | undefined {
  const type = member.mode & TYPE_MASK;
  if (type === TYPE_LINK) return "it is a symbolic link";
  if (type === TYPE_FOLDER && !member.isFolder) return "it is a folder and a file at once";
  if (type !== 0 && type !== TYPE_FILE && type !== TYPE_FOLDER) return "it is no plain file";
  if (member.isFolder && member.sizeBytes !== 0) return "it is a folder with content";
  if (member.method === 0 && member.compressedBytes !== member.sizeBytes) {
    return "its two sizes differ though it is not compressed";
  }
  return undefined;
}

/** Names have to differ also for systems that store them composed, and files are no folders. */
function rejectSharedNames(label: string, drafts: readonly Draft[]): void {
  const files = new Set<string>();
  const folders = new Set<string>();
  for (const { path, isFolder } of drafts) {
    const normal = path.normalize("NFC");
    const kind = isFolder ? folders : files;
    if (kind.has(normal)) throw memberFault(label, path, "another member has the same name");
    kind.add(normal);
  }
  // Also the folders that are there only because something lies in them.
  let last = "";
  for (const path of files) {
    const parent = path.slice(0, Math.max(0, path.lastIndexOf("/")));
    if (parent === last) continue;
    last = parent;
    for (let at = parent.length; at > 0; at = parent.lastIndexOf("/", at - 1)) {
      const folder = parent.slice(0, at);
      if (files.has(folder)) throw memberFault(label, folder, "it is a folder and a file at once");
    }
  }
  for (const folder of folders) {
    if (files.has(folder)) throw memberFault(label, folder, "it is a folder and a file at once");
  }
}

/** Sorts members by where they lie, tells each where it has to end, refuses any that overlap. */
function layOut(label: string, drafts: Draft[], end: number): readonly ZipMember[] {
  drafts.sort((left, right) => left.offset - right.offset);
  for (const [index, draft] of drafts.entries()) {
    draft.limit = drafts[index + 1]?.offset ?? end;
    if (draft.offset + LOCAL_BYTES + draft.rawName.length + draft.compressedBytes > draft.limit) {
      throw memberFault(label, draft.path, "it overlaps what follows it");
    }
  }
  return drafts;
}

/** The fixed part of a local header. */
export const LOCAL_BYTES = 30;

/** A member that is refused, and the archive with it. */
export function memberFault(label: string, path: string, problem: string): Fault {
  return integrityFault(label, `its member "${path}" is refused: ${problem}`);
}
