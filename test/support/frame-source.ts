import type { StreamSeat } from "../../src/blit/session/types.ts";
import { DataSocket } from "../../src/blit/wire/data-socket.ts";
import { frameFlag, frameType, passPurpose } from "../../src/blit/wire/frame.ts";

/** What a hostile source may say of an entry. */
export interface HostileEntry {
  /** latin1 */
  readonly name: string;
  readonly mode?: number;
  readonly bits?: number;
  readonly size?: bigint;
  readonly ctimeSec?: number;
  readonly extra?: Uint8Array;
  /** In place of the true length of the name. */
  readonly nameLength?: number;
  readonly extraLength?: number;
}

const FILE = 0o100644;
const FOLDER = 0o040755;

/** The 96 bytes of a status: links, owner, mode, inode, size, times. */
export function statusBytes(mode: number, size = 0n, ctimeSec = 0): Buffer {
  const bytes = Buffer.alloc(96);
  bytes.writeUInt32LE(1, 0);
  bytes.writeUInt32LE(process.getuid?.() ?? 0, 4);
  bytes.writeUInt32LE(process.getgid?.() ?? 0, 8);
  bytes.writeUInt16LE(mode, 12);
  bytes.writeBigUInt64LE(size, 24);
  bytes.writeBigInt64LE(BigInt(ctimeSec), 48);
  bytes.writeBigInt64LE(1_600_000_000n, 64);
  return bytes;
}

export function entryBytes(entry: HostileEntry): Buffer {
  const { name, mode = FILE, bits = 0, size = 0n, extra = Buffer.alloc(0) } = entry;
  const status = statusBytes(mode, size, entry.ctimeSec);
  const head = Buffer.alloc(8);
  head.writeUInt16LE(entry.nameLength ?? name.length, 0);
  head.writeUInt16LE(bits, 2);
  head.writeUInt32LE(entry.extraLength ?? extra.length, 4);
  return Buffer.concat([head, status, Buffer.from(name, "latin1"), extra]);
}

export function folderBytes(path: string, entries: readonly HostileEntry[], root = 0): Buffer {
  const head = Buffer.alloc(8);
  head.writeUInt16LE(root, 0);
  head.writeUInt32LE(path.length, 4);
  const own = [head, Buffer.from(path, "latin1"), statusBytes(FOLDER), Buffer.alloc(4)];
  return Buffer.concat([...own, ...entries.map(entryBytes)]);
}

export function linksBytes(
  members: readonly { folder: string; name: string; root?: number }[],
  size = 0n,
): Buffer {
  const count = Buffer.alloc(4);
  count.writeUInt32LE(members.length);
  const parts = members.map(({ folder, name, root = 0 }) => {
    const head = Buffer.alloc(8);
    head.writeUInt16LE(root, 0);
    head.writeUInt16LE(name.length, 2);
    head.writeUInt32LE(folder.length, 4);
    return Buffer.concat([head, Buffer.from(folder, "latin1"), Buffer.from(name, "latin1")]);
  });
  return Buffer.concat([statusBytes(FILE, size), Buffer.alloc(4), count, ...parts]);
}

/** A small file of a FILES frame. */
export function smallBytes(index: number, content: string, length = content.length): Buffer {
  const head = Buffer.alloc(12);
  head.writeUInt32LE(index, 0);
  head.writeUInt32LE(length, 4);
  return Buffer.concat([head, Buffer.from(content)]);
}

/** An ATTRIBUTES frame. */
export function attributesBytes(index: number, xattrs: Record<string, string>): Buffer {
  const parts = Object.entries(xattrs).map(([name, value]) => {
    const head = Buffer.alloc(6);
    head.writeUInt16LE(name.length, 0);
    head.writeUInt32LE(value.length, 2);
    return Buffer.concat([head, Buffer.from(name + value)]);
  });
  const blob = Buffer.concat(parts);
  const head = Buffer.alloc(12);
  head.writeUInt32LE(index, 0);
  head.writeUInt32LE(blob.length, 8);
  return Buffer.concat([head, blob]);
}

/** The sending end of a stream that says whatever it is told to. */
export class FrameSource {
  readonly socket: DataSocket;

  constructor(seat: StreamSeat) {
    this.socket = new DataSocket(seat, { isCancelled: () => false });
  }

  begin(clockMs = Date.now()): void {
    const clock = Buffer.alloc(8);
    clock.writeBigUInt64LE(BigInt(clockMs));
    const head = [Buffer.of(passPurpose.transfer), Buffer.alloc(35), clock];
    this.send(frameType.pass, Buffer.concat(head));
  }

  folder(id: number, path: string, entries: readonly HostileEntry[], root = 0): void {
    this.send(frameType.folder, folderBytes(path, entries, root), { id, flags: frameFlag.first });
  }

  /** A frame, or a header alone that promises `length` bytes. */
  send(
    type: number,
    payload: Uint8Array,
    options: { id?: number; flags?: number; length?: bigint } = {},
  ): void {
    const { id = 0, flags = 0, length = BigInt(payload.length) } = options;
    const head = Buffer.alloc(16);
    head.writeUInt8(type, 0);
    head.writeUInt8(flags, 1);
    head.writeUInt32LE(id, 4);
    head.writeBigUInt64LE(length, 8);
    const frame = Buffer.concat([head, payload]);
    const { socket } = this;
    // The target may have hung up already: that is what is tested.
    if (socket.reserve(frame.length) < 0) return;
    socket.out.bytes.set(frame, socket.outPosition);
    socket.commit(frame.length);
    socket.flush();
  }
}
