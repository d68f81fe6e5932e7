import { errno } from "../../../ffi/errno.ts";
import { KeyedHash } from "../delta/keyed-hash.ts";
import { DeltaBuffer } from "../delta/send-delta.ts";
import { ZstdChoice } from "../delta/zstd-choice.ts";
import type { LinkMember } from "../engine/messages.ts";
import { counter, SharedState } from "../engine/shared-state.ts";
import type { Thread } from "../engine/thread.ts";
import type { PassPurpose, SessionOptions, StreamSeat } from "../session/types.ts";
import type { DataSocket } from "../wire/data-socket.ts";
import {
  FRAME_HEADER_BYTES,
  FRAME_PAYLOAD_BYTES_MAX,
  frameFlag,
  frameType,
  OPEN_ENTRIES_MAX,
  OPEN_FOLDERS_MAX,
  PASS_BYTES,
  passPurpose,
} from "../wire/frame.ts";
import { answerNeed } from "./answer.ts";
import { FolderQueue } from "./folder-queue.ts";
import { FrameWriter } from "./frame-writer.ts";
import type { OpenRoot, ToSender, WalkedFolder } from "./messages.ts";
import { EntryCollector, type OpenFolder } from "./open-folder.ts";
import { PartBoard } from "./part-board.ts";
import { sendLinks } from "./send-links.ts";
import { helpOthers } from "./send-split.ts";
import { enginePurpose, sourceThread } from "./source-thread.ts";
import { SourceXattrs } from "./source-xattrs.ts";
import { StreamBroken } from "./stream-broken.ts";
import { FolderWalk } from "./walk-folder.ts";

/** Written frames are sent when there are so many bytes of them, or nothing else to do. */
const flushBytes = 128 * 1024;
/** What a small piece takes says nothing of the link. */
const measuredBytesMin = 64 * 1024;
/** A working side says something at least every two seconds; this leaves room. */
export const aliveMs = 1000;
/** How long this side waits for the other before it looks for folders that others gave away. */
const waitMs = 2;
/** The same with nothing under way: a push wakes it up. */
const idleMs = 100;
/** Folders that are given away at a time. */
const giveMax = 64;

/** A folder to be walked: below one that is open here, or (without) one by its path. */
type FolderTask =
  | { readonly parent: OpenFolder; readonly name: string }
  | { readonly parent: undefined; readonly root: number; readonly path: string };

/** A NEED frame that waits for its answer. */
type Need = { readonly folder: OpenFolder; readonly payload: Buffer; readonly isFinal: boolean };

/**
 * The sending end of one stream: walks folders, sends what is in them, and answers what the target
 * wants of them. Everything is synchronous; a pass is one call for each of its phases.
 */
export class Sender {
  readonly t: Thread;
  readonly socket: DataSocket;
  readonly frames: FrameWriter;
  readonly queue: FolderQueue;
  /** undefined: each file goes over one stream. */
  readonly board: PartBoard | undefined;
  readonly roots: readonly OpenRoot[];
  readonly xattrs: SourceXattrs;
  readonly collector = new EntryCollector();
  readonly deltaBuffer = new DeltaBuffer();
  /** undefined: nothing is compressed. */
  readonly zstd: ZstdChoice | undefined;
  readonly links: LinkMember[] = [];
  /** Of a settling pass: folders that may be empty at its end. */
  readonly walked: WalkedFolder[] = [];
  readonly options: SessionOptions;
  purpose: PassPurpose = "transfer";
  hash = new KeyedHash(new Uint8Array(32));
  stays: readonly ReadonlySet<string>[] = [];
  readonly #walk: FolderWalk;
  readonly #seat: StreamSeat;
  readonly #stack: FolderTask[] = [];
  /** Those that the target has not decided about, by their ids. */
  readonly #folders = new Map<number, OpenFolder>();
  /** All that hold a descriptor: also those below which there is something to walk. */
  readonly #held = new Set<OpenFolder>();
  readonly #needs: Need[] = [];
  /** Entries of folders that the target has not decided about. */
  #openEntries = 0;
  #nextId = 1;
  /** Of files that were sent in parts. */
  #sequence = 0;
  /** Nothing of its own is left to do in this phase: it is there for others' files. */
  #isHelper = false;
  #isHungry = false;
  #isAnswering = false;
  #lastHeardMs = 0;
  #flushedMs = 0;
  /** PASS_END is sent: only the target has something to do. */
  #hasEnded = false;
  #isPassDone = false;

  constructor(message: Extract<ToSender, { kind: "start" }>, makeSocket: MakeSocket) {
    const { seat, options, startedAtSec } = message;
    const shared = new SharedState(message.shared);
    this.t = sourceThread({ index: message.row, options, shared, startedAtSec });
    this.#seat = seat;
    this.options = options;
    this.zstd = options.compress ? new ZstdChoice() : undefined;
    const { count } = this.t;
    const isCancelled = (): boolean => {
      // A wait for the socket is asked about now and then: it is no stall of this side's disk.
      count[counter.activity] = (count[counter.activity] as number) + 1;
      return shared.cancelled() !== 0;
    };
    this.socket = makeSocket(seat, isCancelled, message);
    this.frames = new FrameWriter(this.socket);
    this.queue = new FolderQueue(message.queue);
    this.board = message.board === undefined ? undefined : new PartBoard(message.board);
    this.roots = message.roots;
    this.xattrs = new SourceXattrs(this.t, options.xattrs);
    this.#walk = new FolderWalk(this);
  }

  /** Says what the pass is for. @throws StreamBroken */
  beginPass(message: Extract<ToSender, { kind: "pass" }>): void {
    this.purpose = message.purpose;
    this.t.options = { ...this.t.options, purpose: enginePurpose(message.purpose) };
    this.hash = new KeyedHash(message.key);
    this.stays = message.stays.map((paths) => new Set(paths));
    this.#hasEnded = false;
    this.#isPassDone = false;
    this.#lastHeardMs = performance.now();
    this.#flushedMs = this.#lastHeardMs;
    const { frames } = this;
    this.must(frames.begin(PASS_BYTES));
    frames.u8(passPurpose[message.purpose]);
    frames.u8(0);
    frames.u16(0);
    frames.copy(message.key, 0, message.key.length);
    frames.u64(Date.now());
    frames.end(frameType.pass, 0, 0);
    this.flush();
  }

  /** Walks until no stream has folders left and everything here is answered. */
  walk(): void {
    // The session has counted this stream as one that wants folders: also before it came here.
    this.#isHungry = true;
    this.#isHelper = false;
    while (!this.t.cancelled) {
      if (this.#receive()) continue;
      if (this.#answer()) continue;
      const task = this.#mayOpen() ? this.#take() : undefined;
      if (task !== undefined) {
        this.#walkTask(task);
        this.share();
        this.flushIfMuch();
        continue;
      }
      const isAtEnd = this.#folders.size === 0 && this.#waitsForEnd();
      if (isAtEnd && this.#hasHelped()) break;
      if (!this.#help()) this.#rest();
    }
    this.#sated();
    this.flush();
  }

  /** The end of a pass: files of several names, then the wait for the target to be done. */
  finish(groups: readonly (readonly LinkMember[])[]): void {
    this.#isHelper = false;
    for (const group of groups) {
      while (!this.t.cancelled && !this.#mayOpen()) if (!this.#step()) this.#rest();
      if (this.t.cancelled) return;
      const folder = sendLinks(this, group);
      if (folder !== undefined) this.#opened(folder);
      this.flushIfMuch();
    }
    while (!this.t.cancelled && (this.#folders.size > 0 || !this.#hasHelped())) {
      if (!this.#step() && !this.#help()) this.#rest();
    }
    if (this.t.cancelled) return;
    this.#frame(frameType.passEnd);
    this.#hasEnded = true;
    this.flush();
    while (!this.t.cancelled && !this.#isPassDone) if (!this.#receive()) this.#rest();
  }

  /** Shows life while other streams still work. */
  showLife(): void {
    this.#frame(frameType.alive);
    this.flush();
  }

  close(): void {
    for (const folder of this.#held) folder.close();
    this.#held.clear();
    this.#folders.clear();
    this.socket.close();
  }

  nextId(): number {
    return this.#nextId++;
  }

  nextSequence(): number {
    return ++this.#sequence;
  }

  /** Number of the stream, the same on both sides. */
  get stream(): number {
    return this.#seat.index;
  }

  /** @throws StreamBroken for a -errno of the socket */
  must(result: number): void {
    if (result >= 0) return;
    const side = this.socket.lastWait;
    throw new StreamBroken(result, side, `stream ${this.#seat.index}`);
  }

  /** Sends what is written. With compression the time that it takes says what the link is like. */
  flush(): void {
    const { zstd, socket } = this;
    if (zstd === undefined) {
      this.must(socket.flush());
      return;
    }
    const bytes = socket.outPosition;
    const startedMs = performance.now();
    this.must(socket.flush());
    const endedMs = performance.now();
    if (bytes >= measuredBytesMin)
      zstd.sent(bytes, endedMs - startedMs, startedMs - this.#flushedMs);
    this.#flushedMs = endedMs;
  }

  flushIfMuch(): void {
    if (this.socket.outPosition >= flushBytes) this.flush();
  }

  /** @throws StreamBroken: the other side does not keep to the protocol */
  refuse(what: string): never {
    throw new StreamBroken(-errno.EPROTO, "protocol", what);
  }

  /** Nothing has been said for a while. */
  get isQuiet(): boolean {
    return performance.now() - this.frames.lastFrameMs > aliveMs;
  }

  /** To be called in long work, between frames: shows life before the other side wonders. */
  between(): void {
    this.t.add(counter.activity, 0);
    if (this.isQuiet) this.showLife();
    this.share();
  }

  #frame(type: number): void {
    this.must(this.frames.begin(0));
    this.frames.end(type, 0, 0);
  }

  #step(): boolean {
    return this.#receive() || this.#answer();
  }

  #help(): boolean {
    return this.board !== undefined && !this.#isParked && helpOthers(this, this.board);
  }

  /** With fewer streams at work it is faster at the moment: this one takes nothing new. */
  get #isParked(): boolean {
    const from = this.queue.parkedFrom;
    return from > 0 && this.stream >= from;
  }

  /** To be asked with nothing of its own left: whether that holds for all streams. */
  #hasHelped(): boolean {
    const { board } = this;
    if (board === undefined) return true;
    if (!this.#isHelper) {
      this.#isHelper = true;
      if (board.endOne()) this.queue.wake();
    }
    return board.busy === 0;
  }

  #mayOpen(): boolean {
    return this.#folders.size < OPEN_FOLDERS_MAX && this.#openEntries < OPEN_ENTRIES_MAX;
  }

  #opened(folder: OpenFolder): void {
    this.#folders.set(folder.id, folder);
    this.#openEntries += folder.count;
  }

  #letGoOf(folder: OpenFolder): void {
    if (folder.closeIfDone()) this.#held.delete(folder);
  }

  /** To be closed with the stream, whatever happens to it until then. */
  hold(folder: OpenFolder): void {
    this.#held.add(folder);
  }

  /** Reads one frame, if one has come. */
  #receive(): boolean {
    const { socket } = this;
    if (!socket.hasInput()) return false;
    this.must(socket.need(FRAME_HEADER_BYTES));
    const { bytes } = socket.input;
    const at = socket.inputOffset;
    const type = bytes[at] as number;
    const flags = bytes[at + 1] as number;
    const id = u32At(bytes, at + 4);
    const length = u32At(bytes, at + 8);
    if (u32At(bytes, at + 12) !== 0 || length > FRAME_PAYLOAD_BYTES_MAX) {
      this.refuse(`a frame of type ${type} is too long`);
    }
    this.must(socket.need(FRAME_HEADER_BYTES + length));
    this.#lastHeardMs = performance.now();
    if (type === frameType.need) this.#takeNeed(id, flags, length);
    else if (type === frameType.passDone && this.#hasEnded) this.#isPassDone = true;
    else if (type !== frameType.alive) this.refuse(`a frame of type ${type} was not expected`);
    socket.consume(FRAME_HEADER_BYTES + length);
    return true;
  }

  #takeNeed(id: number, flags: number, length: number): void {
    const folder = this.#folders.get(id);
    if (folder === undefined || folder.isDecided) this.refuse(`no folder ${id} is open`);
    const isFinal = (flags & frameFlag.more) === 0;
    folder.isDecided = isFinal;
    folder.unanswered++;
    const from = this.socket.inputOffset + FRAME_HEADER_BYTES;
    const payload = Buffer.from(this.socket.input.bytes.subarray(from, from + length));
    this.#needs.push({ folder, payload, isFinal });
  }

  /** Answers one NEED frame, if one waits. */
  #answer(): boolean {
    const need = this.#needs.shift();
    if (need === undefined) return false;
    const { folder } = need;
    this.#isAnswering = true;
    answerNeed(this, folder, need.payload);
    this.#isAnswering = false;
    folder.unanswered--;
    if (need.isFinal) {
      this.#folders.delete(folder.id);
      this.#openEntries -= folder.count;
      this.t.add(counter.itemsDone, folder.items - folder.needed);
      this.t.add(counter.bytesDone, folder.bytes - folder.neededBytes);
    }
    this.#letGoOf(folder);
    this.flushIfMuch();
    return true;
  }

  #take(): FolderTask | undefined {
    const isParked = this.#isParked;
    if (isParked) this.#giveAll();
    const own = this.#stack.pop();
    if (own !== undefined) {
      this.#sated();
      return own;
    }
    if (isParked) return undefined;
    // What is there is for those who have nothing under way, and may come a little late.
    const others = this.queue.hungry - (this.#isHungry ? 1 : 0);
    if (others > 0 && this.#folders.size > 0) return undefined;
    const queued = this.queue.pop();
    if (queued === undefined) return undefined;
    this.#sated();
    return { parent: undefined, ...queued };
  }

  #walkTask(task: FolderTask): void {
    const subfolders: string[] = [];
    const { parent } = task;
    let folder: OpenFolder | undefined;
    if (parent === undefined) folder = this.#walk.sendByPath(task.root, task.path, subfolders);
    else {
      folder = this.#walk.sendBelow(parent, task.name, subfolders);
      parent.unopened--;
      this.#letGoOf(parent);
    }
    if (folder !== undefined) {
      folder.unopened = subfolders.length;
      this.#opened(folder);
      // The first of the listing comes off first.
      for (let i = subfolders.length - 1; i >= 0; i--) {
        this.#stack.push({ parent: folder, name: subfolders[i] as string });
      }
    }
    this.queue.addWalking(subfolders.length - 1);
  }

  /** Gives folders away where other streams have none; the oldest, with most below them. */
  share(): void {
    const { queue } = this;
    const { length } = this.#stack;
    if (length === 0 || queue.hungry === 0 || !queue.isEmpty) return;
    // Between two folders the last one is this stream's own; while it sends content it is not.
    if (length === 1 && !this.#isAnswering) return;
    const count = Math.min(giveMax, (length + 1) >> 1);
    for (const task of this.#stack.splice(0, count)) this.#give(task);
  }

  /** All, as far as there is room; what is left this stream walks itself. */
  #giveAll(): void {
    for (const task of this.#stack.splice(0)) this.#give(task);
  }

  #give(task: FolderTask): void {
    if (task.parent === undefined) {
      if (!this.queue.push(task.root, task.path)) this.#stack.push(task);
      return;
    }
    const { parent } = task;
    if (this.queue.push(parent.root, parent.pathOf(task.name))) {
      parent.unopened--;
      this.#letGoOf(parent);
    } else this.#stack.push(task);
  }

  /** Waits for the target or for folders, whichever comes first. */
  #rest(): void {
    this.flush();
    if (this.#isParked) this.#sated();
    else if (this.#stack.length === 0 && !this.#isHungry) {
      this.#isHungry = true;
      this.queue.addHungry(1);
    }
    if (this.#isHelper && !this.#hasEnded) this.#sleep(() => this.board?.busy === 0);
    else if (this.#folders.size === 0 && !this.#waitsForEnd()) {
      this.#sleep(() => this.queue.walking === 0);
    } else if (this.socket.waitInput(this.#mayRestLong() ? idleMs : waitMs)) {
      return;
    } else if (performance.now() - this.#lastHeardMs > this.#seat.stallMs) {
      throw new StreamBroken(-errno.ETIMEDOUT, "receive", `stream ${this.#seat.index}`);
    }
    if (this.isQuiet && !this.#hasEnded) this.showLife();
  }

  /** With nothing under way: until there is something to walk, to help with, or nothing at all. */
  #sleep(isOver: () => boolean): void {
    const { board } = this;
    const isOffered = (): boolean =>
      !this.queue.isEmpty || board?.hasPartsFor(this.stream) === true;
    this.queue.wait(idleMs, () => isOver() || (!this.#isParked && isOffered()));
    this.t.add(counter.activity, 0);
    this.#lastHeardMs = performance.now();
  }

  /** No other stream has anything for this one. */
  #mayRestLong(): boolean {
    return this.#waitsForEnd() && (this.board === undefined || this.#hasEnded);
  }

  /** Nothing is left to walk anywhere, so that only the target has something to say. */
  #waitsForEnd(): boolean {
    return this.queue.walking === 0 && this.#stack.length === 0;
  }

  #sated(): void {
    if (!this.#isHungry) return;
    this.#isHungry = false;
    this.queue.addHungry(-1);
  }
}

export type MakeSocket = (
  seat: StreamSeat,
  isCancelled: () => boolean,
  rate: { readonly bytesPerSecond: number; readonly pace: SharedArrayBuffer },
) => DataSocket;

function u32At(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
  const high = (bytes[at + 2] as number) | ((bytes[at + 3] as number) << 8);
  return low + high * 65536;
}
