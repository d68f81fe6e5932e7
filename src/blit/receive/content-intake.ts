import { S } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { type Memory, takeMemory } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";
import { tagBytes } from "../delta/keyed-hash.ts";
import { unpackZstd } from "../delta/zstd-choice.ts";
import { pwriteFully } from "../engine/content.ts";
import { completeFile } from "../engine/copy-file.ts";
import { largeFileBytes } from "../engine/limits.ts";
import { counter } from "../engine/shared-state.ts";
import type { ReceivedXattrs, Thread } from "../engine/thread.ts";
import { fileOutcome, frameFlag, frameType, STATUS_BYTES } from "../wire/frame.ts";
import { isStillSettled } from "./base-requests.ts";
import { broken, readU64 } from "./check.ts";
import { planCopy, settleEqual } from "./decide.ts";
import { beginDelta, closeBase } from "./delta-intake.ts";
import {
  type AnnouncedFile,
  abandonLargeFile,
  beginLargeFile,
  fileMode,
  type LargeFile,
  noFile,
} from "./large-file.ts";
import { EntryReader, readLinks } from "./manifest.ts";
import { awaited, type ReceivedFolder } from "./received-folder.ts";
import type { Receiver } from "./receiver.ts";
import { announceSplit, awaitParts, readSplit, takeOwnPart } from "./split-intake.ts";
import { writeSmall } from "./write-small.ts";
import { noXattrs, readXattrBlob, unknownXattrs } from "./xattr-blob.ts";

const smallHeadBytes = 12;
const fileHeadBytes = 16;
/** The same with how a file comes in parts. */
const splitHeadBytes = 24;
const dataHeadBytes = 16;
const reuseBytes = 24;
const endBytes = 8;
const attributesHeadBytes = 12;

/** Content of one DATA frame at most. */
const dataBytesMax = 16 * 1024 * 1024;

/** An entry whose content is at hand: its name and status are where the engine looks for them. */
type Awaited = {
  readonly folder: ReceivedFolder;
  readonly node: NonNullable<ReceivedFolder["node"]>;
  readonly index: number;
  readonly state: number;
};

/** Puts content that comes in its place. */
export class ContentIntake {
  readonly #r: Receiver;
  readonly #t: Thread;
  readonly #reader = new EntryReader();
  #file: LargeFile | undefined;
  /** Attributes that have come ahead of the content that they belong to. */
  #ahead:
    | { readonly id: number; readonly index: number; readonly xattrs: ReceivedXattrs }
    | undefined;
  #unpacked: Memory | undefined;

  constructor(receiver: Receiver) {
    this.#r = receiver;
    this.#t = receiver.t;
  }

  /** The stream has broken, or not: nothing incomplete stays but what a later run can use. */
  abandon(): void {
    this.#closeParts(this.#file);
    if (this.#file !== undefined) abandonLargeFile(this.#t, this.#file);
    this.#file = undefined;
  }

  /** What other streams still bring of it is skipped. */
  #closeParts(file: LargeFile | undefined): void {
    if (file?.split !== undefined) this.#r.parts.close(this.#r.stream);
  }

  /** The view on what is not consumed; good until the next call of the socket. */
  #input(bytes: number): { bytes: Uint8Array; view: DataView; at: number } {
    const { socket } = this.#r;
    this.#r.must(socket.need(bytes));
    const { bytes: all } = socket.input;
    const at = socket.inputOffset;
    return { bytes: all, view: this.#viewOf(all), at };
  }

  #view: DataView | undefined;

  #viewOf(bytes: Uint8Array): DataView {
    if (this.#view?.buffer !== bytes.buffer) {
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    }
    return this.#view as DataView;
  }

  /** Makes the entry at hand whose content comes. @throws Fault E_INTEGRITY */
  #find(id: number, index: number): Awaited {
    const t = this.#t;
    const folder = this.#r.open.get(id);
    const node = folder?.node;
    if (folder === undefined || node === undefined) broken("content of an unknown folder");
    const { payload, offset, state } = folder.find(index);
    t.root = node.root;
    if (folder.links === undefined) {
      this.#reader.read(payload, offset);
      this.#r.handOver.entry(payload, this.#reader);
      const ahead = this.#ahead;
      t.received = ahead?.id === id && ahead.index === index ? ahead.xattrs : noXattrs;
    } else {
      this.#r.handOver.status(payload.bytes, 0);
      t.received = readLinks(payload).xattrs;
      t.setEntry(folder.links[0]?.name ?? "");
    }
    return { folder, node, index, state };
  }

  /** As `#find`, of what content is awaited. @throws Fault E_INTEGRITY */
  #findContent(id: number, index: number): Awaited {
    const entry = this.#find(id, index);
    if ((entry.state & awaited.attributes) !== 0) broken("content that was not asked for");
    return entry;
  }

  #settled(entry: Awaited): void {
    this.#ahead = undefined;
    entry.folder.settle(entry.index);
    entry.folder.bases.delete(entry.index);
    this.#r.finishIfComplete(entry.folder);
  }

  /** An ATTRIBUTES frame: those of one file, asked for or ahead of its content. */
  takeAttributes(id: number, length: number): void {
    if (length < attributesHeadBytes) broken("attributes that are cut off");
    const { view, bytes, at } = this.#input(length);
    const index = view.getUint32(at, true);
    const outcome = view.getUint32(at + 4, true);
    const isTold = outcome === fileOutcome.same;
    if (!isTold && outcome !== fileOutcome.failed) broken("attributes of an unknown kind");
    if (view.getUint32(at + 8, true) !== length - attributesHeadBytes) {
      broken("attributes of the wrong length");
    }
    const blob = bytes.slice(at + attributesHeadBytes, at + length);
    this.#r.socket.consume(length);
    const entry = this.#find(id, index);
    const xattrs = isTold ? readXattrBlob(blob) : unknownXattrs;
    if ((entry.state & awaited.attributes) === 0) {
      this.#ahead = { id, index, xattrs };
      return;
    }
    this.#t.received = xattrs;
    this.#equal(entry);
    this.#settled(entry);
    this.#look();
  }

  /** A FILES frame: small files, one after the other as they come. */
  takeFiles(id: number, length: number): void {
    const r = this.#r;
    let left = length;
    while (left > 0) {
      if (left < smallHeadBytes) broken("a pack of files that is cut off");
      const { view, bytes, at } = this.#input(smallHeadBytes);
      const index = view.getUint32(at, true);
      const contentLength = view.getUint32(at + 4, true);
      const outcome = bytes[at + 8] as number;
      const isRestated = outcome === fileOutcome.restated;
      const status = isRestated ? STATUS_BYTES : 0;
      const size = smallHeadBytes + status + contentLength;
      if (size > left) broken("a pack of files that is cut off");
      left -= size;
      const entry = this.#findContent(id, index);
      this.#small(entry, outcome, { status, contentLength });
      r.socket.consume(size);
      this.#settled(entry);
      this.#look();
    }
    r.failIfCancelled();
  }

  #look(): void {
    if (this.#r.between() < 0) this.#r.failIfCancelled();
  }

  #small(
    entry: Awaited,
    outcome: number,
    lengths: { readonly status: number; readonly contentLength: number },
  ): void {
    const t = this.#t;
    const { status, contentLength } = lengths;
    const { bytes, view, at } = this.#input(smallHeadBytes + status + contentLength);
    if (status > 0) this.#restate(bytes, view, at + smallHeadBytes);
    if (!this.#isSent(entry, outcome, contentLength)) return;
    const { folder, node, state } = entry;
    const replaces = (state & awaited.replaces) !== 0;
    if (t.isDry) {
      // No content comes where none is to be written: that it differs is the answer.
      planCopy(t, node, replaces);
      return;
    }
    if (contentLength !== t.source.sizeBytes) broken("content of another length than announced");
    const pointer = this.#r.socket.input.pointer + at + smallHeadBytes + status;
    const targetName = this.#nameFor(folder);
    const file = { targetName, replaces };
    const isThere = writeSmall(t, node, file, { pointer, length: contentLength });
    if (!isThere) folder.hasFailed = true;
  }

  /** The name in the target, where it is another one than the source's. */
  #nameFor(folder: ReceivedFolder): string | undefined {
    const { targetName } = folder;
    return targetName === this.#t.entryName() ? undefined : targetName;
  }

  #restate(bytes: Uint8Array, view: DataView, at: number): void {
    if (!this.#r.handOver.restated(bytes, view, at)) broken("a status that is none of a file");
  }

  /** Whether content comes with this outcome; deals with those that have none. */
  #isSent(entry: Awaited, outcome: number, contentLength: number): boolean {
    const { folder, state } = entry;
    switch (outcome) {
      case fileOutcome.same:
      case fileOutcome.restated:
        return true;
      case fileOutcome.equal:
        if ((state & awaited.mayBeEqual) === 0 || contentLength > 0) broken("an unasked answer");
        this.#equal(entry);
        return false;
      case fileOutcome.vanished:
      case fileOutcome.failed:
      case fileOutcome.changed:
        // The source has reported it.
        folder.hasFailed = true;
        return false;
      default:
        return broken("an unknown outcome of a file");
    }
  }

  #equal(entry: Awaited): void {
    const t = this.#t;
    const { folder, node } = entry;
    const targetName = this.#nameFor(folder);
    const pointer = targetName === undefined ? t.entryPointer : t.cTargetName(targetName);
    const looked = t.statAt(node.targetFd, pointer, t.target);
    if (looked < 0 || (t.target.mode & S.IFMT) !== S.IFREG) {
      const path = node.pathOf(t.entryName());
      t.failed(looked < 0 ? looked : -errno.ESTALE, "statx", path, "look at the target");
      return;
    }
    settleEqual(t, node, targetName);
  }

  /** A FILE frame, and those that belong to it. */
  takeFile(id: number, length: number): void {
    const announced = this.#announced(length);
    const entry = this.#findContent(id, announced.index);
    let file = this.#begin(entry, announced);
    this.#file = file;
    const started = performance.now();
    for (;;) {
      const frame = this.#r.nextOfFile(id);
      if (frame.type === frameType.data) this.#data(file, frame);
      else if (frame.type === frameType.reuse) this.#reuse(file, frame.length);
      else if (frame.type === frameType.fileEnd) {
        this.#end(entry, file, frame.length);
        break;
      } else if (frame.type === frameType.file) {
        file = this.#again(entry, file, frame.length);
        this.#file = file;
      } else broken("something else within a file");
    }
    this.#file = undefined;
    this.#noteSpeed(file, performance.now() - started);
    this.#settled(entry);
    this.#r.failIfCancelled();
  }

  /** What a FILE frame says. */
  #announced(length: number): AnnouncedFile {
    if (length !== fileHeadBytes && length !== splitHeadBytes) broken("a file of the wrong length");
    const { view, bytes, at } = this.#input(length);
    const index = view.getUint32(at, true);
    const mode = bytes[at + 4] as number;
    const sizeBytes = readU64(view, at + 8);
    if (mode > fileMode.split) broken("a file of an unknown kind");
    const isSplit = mode === fileMode.split;
    if (isSplit !== (length === splitHeadBytes)) broken("a file of the wrong length");
    const split = isSplit ? readSplit(view, at + fileHeadBytes, sizeBytes) : undefined;
    this.#r.socket.consume(length);
    return { index, mode, sizeBytes, split };
  }

  /** It changed while the source read it, which begins again. */
  #again(entry: Awaited, file: LargeFile, length: number): LargeFile {
    const announced = this.#announced(length);
    if (announced.index !== entry.index) broken("parts of two files mixed");
    this.#drop(file);
    return this.#begin(entry, announced);
  }

  #noteSpeed(file: LargeFile, elapsedMs: number): void {
    if (file.mode === fileMode.delta || file.position < largeFileBytes || elapsedMs === 0) return;
    const rate = (file.position / elapsedMs) * 1000;
    this.#r.linkBytesPerSecond = Math.max(rate, this.#r.linkBytesPerSecond ?? 0);
  }

  #begin(entry: Awaited, announced: AnnouncedFile): LargeFile {
    const file = this.#made(entry, announced);
    if (file.split !== undefined) announceSplit(this.#r, file, file.split);
    return file;
  }

  #made(entry: Awaited, announced: AnnouncedFile): LargeFile {
    const t = this.#t;
    const { folder, node, index, state } = entry;
    if (t.isDry) {
      return noFile(node, announced);
    }
    const base = folder.bases.get(index);
    if (announced.mode !== fileMode.delta) return beginLargeFile(t, node, announced);
    // In a pass that avoids deltas nothing is asked for in a way that allows one.
    if (base === undefined || this.#r.avoidsDelta) broken("blocks that were not asked for");
    const fromPart = (state & awaited.fromPart) !== 0;
    const targetName = this.#nameFor(folder);
    return beginDelta(this.#r, { node, targetName, fromPart, base, announced });
  }

  #data(file: LargeFile, frame: { readonly flags: number; readonly length: number }): void {
    const { socket } = this.#r;
    if (frame.length < dataHeadBytes) broken("a piece of a file that is cut off");
    const { view, at } = this.#input(dataHeadBytes);
    const offset = readU64(view, at);
    const length = readU64(view, at + 8);
    const packed = frame.length - dataHeadBytes;
    const isPacked = (frame.flags & frameFlag.zstd) !== 0;
    if (length > dataBytesMax || (!isPacked && length !== packed))
      broken("a piece of wrong length");
    if (offset + length > file.sizeBytes) broken("a piece beyond the end of its file");
    if (file.split !== undefined) {
      if (isPacked) broken("a part of a file that is packed");
      socket.consume(dataHeadBytes);
      takeOwnPart(this.#r, file, file.split.sequence, { offset, length });
      this.#t.add(counter.bytesDone, length);
      file.position += length;
      this.#look();
      return;
    }
    const isNext = file.mode === fileMode.sparse ? offset >= file.position : true;
    const isInOrder = file.mode === fileMode.whole ? offset === file.position : isNext;
    if (!isInOrder) broken("pieces of a file out of order");
    socket.consume(dataHeadBytes);
    if (file.fd < 0 || file.written.result < 0) this.#r.must(socket.discard(packed));
    else if (isPacked || file.delta !== undefined)
      this.#throughMemory(file, offset, length, packed);
    else this.#straight(file, offset, length);
    // Holes are done when what follows them is.
    this.#t.add(counter.bytesDone, offset + length - file.position);
    file.position = offset + length;
    this.#look();
  }

  /** From the socket into the file, without a detour where the kernel can do it. */
  #straight(file: LargeFile, offset: number, length: number): void {
    const { socket } = this.#r;
    for (let done = 0; done < length; ) {
      const part = Math.min(length - done, straightBytes);
      const { received, result, side } = socket.receiveToFile(file.fd, offset + done, part);
      done += received;
      if (result < 0) {
        if (side === "socket") this.#r.must(result);
        file.written = { result, call: "write" };
        this.#r.must(socket.discard(length - done));
        return;
      }
      // A slow disk is no dead target.
      if (done < length) this.#look();
    }
  }

  /** Content that has to be unpacked or hashed. */
  #throughMemory(file: LargeFile, offset: number, length: number, packed: number): void {
    const { socket } = this.#r;
    const isPacked = packed !== length;
    let done = 0;
    if (isPacked) {
      const { bytes, at } = this.#input(packed);
      const content = unpackZstd(bytes.subarray(at, at + packed), length);
      if (content === undefined) broken("a piece that cannot be unpacked");
      this.#unpacked ??= takeMemory(dataBytesMax);
      this.#unpacked.bytes.set(content);
      this.#put(file, offset, this.#unpacked.bytes.subarray(0, length), this.#unpacked.pointer);
      socket.consume(packed);
      return;
    }
    while (done < length) {
      const part = Math.min(length - done, pieceBytes);
      const { bytes, at } = this.#input(part);
      const pointer = socket.input.pointer + at;
      this.#put(file, offset + done, bytes.subarray(at, at + part), pointer);
      socket.consume(part);
      done += part;
    }
  }

  #put(file: LargeFile, offset: number, bytes: Uint8Array, pointer: number): void {
    if (file.written.result < 0) return;
    const { delta } = file;
    if (delta === undefined) {
      const result = pwriteFully(file.fd, pointer, bytes.length, offset);
      if (result < 0) file.written = { result, call: "pwrite" };
      return;
    }
    const result = delta.data(offset, bytes, pointer);
    if (result === -errno.EBADMSG) broken("pieces of a file out of order");
    if (result < 0) file.written = { result, call: "pwrite" };
  }

  #reuse(file: LargeFile, length: number): void {
    if (length !== reuseBytes || file.mode !== fileMode.delta) broken("a block out of place");
    const { view, at } = this.#input(reuseBytes);
    const offset = readU64(view, at);
    const baseOffset = readU64(view, at + 8);
    const bytes = readU64(view, at + 16);
    this.#r.socket.consume(reuseBytes);
    if (offset + bytes > file.sizeBytes) broken("a block beyond the end of its file");
    file.position = offset + bytes;
    this.#t.add(counter.bytesDone, bytes);
    if (file.delta === undefined || file.written.result < 0) return;
    const result = file.delta.reuse(offset, baseOffset, bytes);
    if (result === -errno.EBADMSG) broken("blocks of a file out of order");
    if (result < 0) {
      file.isBaseLost = file.delta.hasBaseFailed;
      file.written = { result, call: file.isBaseLost ? "pread" : "pwrite" };
    } else file.reusedBytes += bytes;
    this.#look();
  }

  /** A FILE_END frame: the file gets its attributes and its name. */
  #end(entry: Awaited, file: LargeFile, length: number): void {
    const t = this.#t;
    if (length < endBytes) broken("an end of a file that is cut off");
    const { view, bytes, at } = this.#input(length);
    const outcome = bytes[at + 4] as number;
    const status = outcome === fileOutcome.restated ? STATUS_BYTES : 0;
    const hash = file.mode === fileMode.delta ? tagBytes : 0;
    const isRightLength = length === endBytes + status + hash;
    if (!isRightLength || view.getUint32(at, true) !== entry.index) broken("a wrong end of a file");
    if (status > 0) this.#restate(bytes, view, at + endBytes);
    const hashAt = at + endBytes + status;
    const expected = bytes.slice(hashAt, hashAt + hash);
    this.#r.socket.consume(length);
    if (!this.#isSent(entry, outcome, 0)) {
      this.#drop(file);
      return;
    }
    if (t.source.sizeBytes !== file.sizeBytes) broken("a file of another size than announced");
    if (file.split !== undefined && file.fd >= 0 && file.written.result >= 0) {
      awaitParts(this.#r, file);
    }
    if (file.split !== undefined) file.position = file.sizeBytes;
    const isWhole = file.mode === fileMode.sparse || file.position === file.sizeBytes;
    if (!isWhole) broken("a file that is cut off");
    const replaces = (entry.state & awaited.replaces) !== 0;
    if (t.isDry) {
      planCopy(t, entry.node, replaces);
      return;
    }
    if (file.mode === fileMode.delta && !this.#isPutTogether(file, expected)) {
      // The base was not what its hashes said: the next pass gets all of the file.
      this.#r.needsAnotherPass = true;
      this.#drop(file);
      return;
    }
    this.#complete(entry, file, replaces);
  }

  /** Whether blocks of the base and what came make up the file. A failed write is told later. */
  #isPutTogether(file: LargeFile, expected: Uint8Array): boolean {
    const { delta, written } = file;
    if (file.isBaseLost) return false;
    if (delta === undefined || written.result < 0) return true;
    this.#r.judge.learn(file.sizeBytes, file.reusedBytes);
    const { settledBase, baseFd } = file;
    if (settledBase !== undefined && !isStillSettled(this.#t, baseFd, settledBase)) return false;
    return delta.isWhole(expected);
  }

  #drop(file: LargeFile): void {
    this.#closeParts(file);
    closeBase(file);
    if (file.fd < 0) return;
    sys.close(file.fd);
    sys.unlinkat(file.node.targetFd, this.#t.cTemporary(file.temporaryName), 0);
    file.fd = -1;
  }

  #complete(entry: Awaited, file: LargeFile, replaces: boolean): void {
    const t = this.#t;
    const { folder, node } = entry;
    this.#closeParts(file);
    closeBase(file);
    if (file.fd < 0) {
      const path = node.pathOf(t.entryName());
      t.failed(file.written.result, file.written.call, path, "create in the target");
      folder.hasFailed = true;
      return;
    }
    const isCut = file.delta !== undefined && file.written.result >= 0;
    if (isCut) {
      const result = sys.ftruncate(file.fd, file.sizeBytes);
      if (result < 0) file.written = { result, call: "ftruncate" };
    }
    const options = { targetName: this.#nameFor(folder), replaces };
    const { fd: target, temporaryName } = file;
    const opened = { node, source: -1, target, temporaryName, options };
    file.fd = -1;
    if (completeFile(t, opened, file.written, () => false) !== "copied") folder.hasFailed = true;
  }
}

/** So much goes straight into a file before the clock is looked at. */
const straightBytes = 4 * 1024 * 1024;

/** Content that is hashed goes through memory in pieces of this size. */
const pieceBytes = 256 * 1024;
