import { integrityFault } from "./faults.ts";
import { Inflater, type Sink } from "./inflate.ts";
import { PIECE_BYTES, TEXT_BYTES_MAX } from "./limits.ts";
import {
  LOCAL_BYTES,
  memberFault,
  type RangeReader,
  readDirectory,
  type ZipDirectory,
  type ZipMember,
} from "./zip-directory.ts";
import { GAP_BYTES, gapProblem, localHeader } from "./zip-local.ts";

/**
 * Reading zip archives, of local files (zip-file.ts) and of anything that gives ranges of bytes.
 * Whatever the bytes are, the answer is a value or a Fault E_INTEGRITY.
 */

/** An archive at hand. */
export interface ByteSource {
  /** The archive's name, for messages. */
  readonly label: string;
  readonly sizeBytes: number;
  /**
   * The bytes of a range that lies inside; fewer only where the file has been cut off meanwhile.
   * They are valid until the next call.
   */
  read(offset: number, lengthBytes: number): Uint8Array;
}

/** An archive elsewhere. */
export interface RemoteByteSource {
  readonly label: string;
  readonly sizeBytes: number;
  /** The bytes of a range that lies inside, all of them. */
  read(offset: number, lengthBytes: number): Promise<Uint8Array>;
}

/** How much of an archive's end is asked for first: enough for most wheels of a hundred files. */
const TAIL_BYTES = 16 * 1024;

/** Extra fields of a local header are rarely longer; if they are, a second range is asked for. */
const EXTRA_BYTES = 64;

/**
 * Reads the central directory of a local archive.
 * @throws {Fault} E_INTEGRITY
 */
export function openZip(source: ByteSource): ZipDirectory {
  const steps = readDirectory(source.label, source.sizeBytes, TAIL_BYTES);
  let step = steps.next();
  while (step.done !== true) {
    step = steps.next(source.read(step.value.offset, step.value.lengthBytes));
  }
  return step.value;
}

/**
 * Reads the central directory of an archive elsewhere, by one range for most wheels.
 * @throws {Fault} E_INTEGRITY, and whatever the source throws
 */
export function openRemoteZip(source: RemoteByteSource): Promise<ZipDirectory> {
  return driveRemote(source, readDirectory(source.label, source.sizeBytes, TAIL_BYTES));
}

/**
 * Reads one member of an archive elsewhere, by one range for most wheels.
 * @throws {Fault} E_INTEGRITY, and whatever the source throws
 */
export function readRemoteMember(
  source: RemoteByteSource,
  member: ZipMember,
): Promise<Uint8Array<ArrayBuffer>> {
  return driveRemote(source, readMemberSteps(source.label, member));
}

async function driveRemote<Result>(
  source: RemoteByteSource,
  steps: RangeReader<Result>,
): Promise<Result> {
  let step = steps.next();
  while (step.done !== true) {
    step = steps.next(await source.read(step.value.offset, step.value.lengthBytes));
  }
  return step.value;
}

function* readMemberSteps(label: string, member: ZipMember): RangeReader<Uint8Array<ArrayBuffer>> {
  refuseHuge(label, member);
  const least = LOCAL_BYTES + member.rawName.length + member.compressedBytes;
  const span = member.limit - member.offset;
  const first = yield {
    offset: member.offset,
    lengthBytes: Math.min(span, least + EXTRA_BYTES + GAP_BYTES),
  };
  const start = headerLength(label, member, first);
  const wanted = Math.min(span, start + member.compressedBytes + GAP_BYTES);
  let bytes = Buffer.from(first);
  if (bytes.length < wanted) {
    const rest = yield {
      offset: member.offset + bytes.length,
      lengthBytes: wanted - bytes.length,
    };
    bytes = Buffer.concat([bytes, rest]);
  }
  const reader = new MemberReader({
    label,
    sizeBytes: member.limit,
    read: (offset, length) => {
      const at = offset - member.offset;
      return bytes.subarray(at, at + length);
    },
  });
  return reader.bytes(member);
}

function refuseHuge(label: string, member: ZipMember): void {
  if (member.sizeBytes > TEXT_BYTES_MAX) {
    throw memberFault(label, member.path, `it is larger than ${TEXT_BYTES_MAX} bytes`);
  }
}

function headerLength(label: string, member: ZipMember, bytes: Uint8Array): number {
  if (bytes.length < LOCAL_BYTES + member.rawName.length) throw cutOff(label);
  const length = localHeader(member, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length));
  if (typeof length === "string") throw memberFault(label, member.path, length);
  return length;
}

function cutOff(label: string): Error {
  return integrityFault(label, "it is shorter than it should be");
}

/** Reads members of one archive, one after the other; best in the order of the directory. */
export class MemberReader {
  readonly #source: ByteSource;
  readonly #inflater: () => Inflater;

  /** `inflater` is shared between archives; without it one is made when it is needed. */
  constructor(source: ByteSource, inflater?: Inflater) {
    this.#source = source;
    let own = inflater;
    this.#inflater = () => {
      own ??= new Inflater(new Uint8Array(PIECE_BYTES));
      return own;
    };
  }

  /**
   * Gives a member's content to `sink` piece by piece, and compares it with size and CRC. What is
   * wrong may be found only after some of it was given.
   * @throws {Fault} E_INTEGRITY
   */
  read(member: ZipMember, sink: Sink): void {
    const { label } = this.#source;
    const span = member.limit - member.offset;
    const leastBytes = LOCAL_BYTES + member.rawName.length;
    const header = this.#source.read(member.offset, Math.min(span, leastBytes));
    const dataOffset = member.offset + headerLength(label, member, header);
    let crc = 0;
    const checked: Sink = (piece) => {
      crc = Bun.hash.crc32(piece, crc);
      sink(piece);
    };
    const problem =
      member.method === 8
        ? this.#inflate(member, dataOffset, checked)
        : this.#copy(member, dataOffset, checked);
    if (problem !== undefined) throw memberFault(label, member.path, problem);
    if (crc !== member.crc32) throw memberFault(label, member.path, "its CRC is wrong");
    const end = dataOffset + member.compressedBytes;
    const gapBytes = Math.min(GAP_BYTES, member.limit - end);
    if (gapBytes === 0) return;
    const gap = this.#source.read(end, gapBytes);
    const hidden = gapProblem(Buffer.from(gap.buffer, gap.byteOffset, gap.length));
    if (hidden !== undefined) throw memberFault(label, member.path, hidden);
  }

  /**
   * A member's content as a whole.
   * @throws {Fault} E_INTEGRITY, also for one of more than TEXT_BYTES_MAX
   */
  bytes(member: ZipMember): Uint8Array<ArrayBuffer> {
    refuseHuge(this.#source.label, member);
    const bytes = new Uint8Array(member.sizeBytes);
    let at = 0;
    this.read(member, (piece) => {
      bytes.set(piece, at);
      at += piece.length;
    });
    return bytes;
  }

  #inflate(member: ZipMember, dataOffset: number, sink: Sink): string | undefined {
    let at = dataOffset;
    const end = dataOffset + member.compressedBytes;
    const next = (): Uint8Array => {
      const piece = this.#source.read(at, Math.min(PIECE_BYTES, end - at));
      at += piece.length;
      return piece;
    };
    return this.#inflater().inflate(next, member.compressedBytes, member.sizeBytes, sink);
  }

  #copy(member: ZipMember, dataOffset: number, sink: Sink): string | undefined {
    for (let at = 0; at < member.sizeBytes; ) {
      const piece = this.#source.read(
        dataOffset + at,
        Math.min(PIECE_BYTES, member.sizeBytes - at),
      );
      if (piece.length === 0) return "it is cut off";
      at += piece.length;
      sink(piece);
    }
    return undefined;
  }
}
