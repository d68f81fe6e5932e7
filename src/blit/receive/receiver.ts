import { errno } from "../../../ffi/errno.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { BaseHasher } from "../delta/base-hashes.ts";
import { DeltaJudge } from "../delta/estimate.ts";
import { KeyedHash, keyBytes } from "../delta/keyed-hash.ts";
import type { Thread } from "../engine/thread.ts";
import type { PassPurpose } from "../session/types.ts";
import type { DataSocket } from "../wire/data-socket.ts";
import {
  DATA_PAYLOAD_BYTES_MAX,
  FRAME_HEADER_BYTES,
  FRAME_PAYLOAD_BYTES_MAX,
  frameType,
  OPEN_ENTRIES_MAX,
  OPEN_FOLDERS_MAX,
  PASS_BYTES,
  passPurpose,
} from "../wire/frame.ts";
import { broken, readU64 } from "./check.ts";
import { ContentIntake } from "./content-intake.ts";
import { FolderIntake } from "./folder-intake.ts";
import { HandOver } from "./hand-over.ts";
import { LateFolders } from "./late-folders.ts";
import type { TargetRoot, ToReceiver } from "./messages.ts";
import { NeedWriter } from "./need-writer.ts";
import type { PartTable } from "./part-table.ts";
import type { ReceivedFolder } from "./received-folder.ts";
import { takePart } from "./split-intake.ts";
import { streamFault } from "./stream-fault.ts";
import { TargetFolders } from "./target-folders.ts";

/** A working side says something at least every two seconds; this leaves room. */
const aliveMs = 1000;

/** Of what is listed and awaited, in all open folders: a folder with millions of files has it. */
const keptBytesMax = 1024 * 1024 * 1024;

/** Two clocks agree no better than this, and file systems read theirs a little late. */
const clockDoubtSec = 1;

/** So much that was found is handed on at once. */
const foundMax = 1000;

/**
 * The receiving end of one stream: decides about what the source lists, asks for what the target
 * needs of it, and puts it in place. Everything is synchronous; a pass is one call.
 */
export class Receiver {
  readonly t: Thread;
  readonly socket: DataSocket;
  readonly needs: NeedWriter;
  readonly handOver: HandOver;
  readonly late = new LateFolders();
  readonly judge = new DeltaJudge();
  roots: readonly TargetRoot[] = [];
  folders: TargetFolders;
  purpose: PassPurpose = "transfer";
  stays: readonly ReadonlySet<string>[] = [];
  avoidsDelta = false;
  /** Something could not be put together from what the target has: it is to be sent whole. */
  needsAnotherPass = false;
  hash = new KeyedHash(new Uint8Array(keyBytes));
  hasher = new BaseHasher(this.hash);
  /** What the stream has brought in a second at best; undefined = not known yet. */
  linkBytesPerSecond: number | undefined;
  readonly open = new Map<number, ReceivedFolder>();
  readonly #content: ContentIntake;
  readonly #folder: FolderIntake;
  readonly #stallMs: number;
  /** Number of the stream, the same on both sides. */
  readonly stream: number;
  /** Files that come over several streams. */
  readonly parts: PartTable;
  readonly #flush: () => void;
  #keptBytes = 0;
  /** Of the folders that are open. */
  #openEntries = 0;
  #isInPass = false;

  /** @param flush hands on what was found, now and then */
  constructor(
    t: Thread,
    socket: DataSocket,
    seat: { readonly stallMs: number; readonly index: number; readonly parts: PartTable },
    flush: () => void,
  ) {
    this.t = t;
    this.parts = seat.parts;
    this.#flush = flush;
    this.socket = socket;
    this.needs = new NeedWriter(socket, (result) => this.must(result));
    this.handOver = new HandOver(t);
    this.folders = new TargetFolders(t, []);
    this.#content = new ContentIntake(this);
    this.#folder = new FolderIntake(this);
    t.pulse = () => this.#pulse();
    this.#stallMs = seat.stallMs;
    this.stream = seat.index;
  }

  /** @throws Fault for a -errno of the socket */
  must(result: number): void {
    if (result >= 0) return;
    const { lastWait } = this.socket;
    throw streamFault(result, { lastWait, stallMs: this.#stallMs, stream: this.stream });
  }

  get isSettling(): boolean {
    return this.purpose === "settle";
  }

  /**
   * Receives all of one pass.
   * @throws Fault E_INTEGRITY, E_NETWORK, E_STALL, E_INTERRUPTED: the stream is of no use any more
   */
  runPass(message: Extract<ToReceiver, { kind: "pass" }>): void {
    const { t } = this;
    t.options = message.options;
    this.purpose = message.purpose;
    this.roots = message.roots;
    this.folders = new TargetFolders(t, message.roots);
    this.stays = message.stays.map((paths) => new Set(paths));
    this.avoidsDelta = message.avoidsDelta;
    this.needsAnotherPass = false;
    try {
      this.#begin();
      this.#isInPass = true;
      while (this.#frame()) {
        // Until the end of the pass.
      }
      if (this.open.size > 0) broken("the end of a pass before all that was asked for");
      this.needs.bare(frameType.passDone);
      // Not where it breaks: who waits for its parts is told with all others, by the session.
      this.parts.endOne();
    } finally {
      this.#isInPass = false;
      this.#content.abandon();
      this.#folder.abandon(this.open.values());
      this.open.clear();
      this.#keptBytes = 0;
      this.#openEntries = 0;
      t.received = undefined;
    }
  }

  /** To be called in long work: the source has to know that this side is alive. */
  between(): number {
    if (this.t.cancelled) return -errno.ECANCELED;
    if (performance.now() - this.needs.lastFrameMs > aliveMs) this.needs.bare(frameType.alive);
    return 0;
  }

  /** The same in the engine's own loops; that the stream is broken is told by its next use. */
  #pulse(): void {
    if (!this.#isInPass) return;
    try {
      this.between();
    } catch {
      // The socket keeps its failure.
    }
  }

  /** To be called before a folder is begun. @throws Fault E_INTEGRITY: too many are open */
  checkOpen(): void {
    // A source begins no folder before it has answered for enough of the others, so what it can
    // make this side keep is bounded.
    if (this.open.size >= OPEN_FOLDERS_MAX) broken("more folders at a time than agreed");
    if (this.#openEntries >= OPEN_ENTRIES_MAX) broken("more entries at a time than agreed");
  }

  /** Counts the entries of a listing, and what is kept of it until the content is there. */
  kept(bytes: number, entries: number): void {
    this.#openEntries += entries;
    this.#keptBytes += bytes;
    if (this.#keptBytes > keptBytesMax) broken("more entries at a time than can be kept");
  }

  /** To be called when something of a folder is done. */
  finishIfComplete(folder: ReceivedFolder): void {
    if (!folder.isComplete) return;
    this.open.delete(folder.id);
    this.#keptBytes -= folder.keptBytes;
    this.#openEntries -= folder.entries;
    this.#folder.finish(folder);
  }

  /** The first frame of a pass says what it is for and with which key hashes are made. */
  #begin(): void {
    const { socket } = this;
    let type: number = frameType.alive;
    let length = 0;
    while (type === frameType.alive) {
      this.must(socket.need(FRAME_HEADER_BYTES));
      ({ type, length } = this.#header());
      if (type === frameType.alive && length > 0) broken("a frame with too much in it");
    }
    if (type !== frameType.pass || length !== PASS_BYTES) broken("no beginning of a pass");
    this.must(socket.need(length));
    const at = socket.inputOffset;
    const purpose = socket.input.bytes[at] as number;
    if (purpose !== passPurpose[this.purpose]) broken("another kind of pass than was agreed");
    this.hash = new KeyedHash(socket.input.bytes.slice(at + 4, at + 4 + keyBytes));
    this.hasher = new BaseHasher(this.hash);
    this.t.sourceLagSec = this.#lagOf(at + 4 + keyBytes);
    socket.consume(length);
    this.needs.lastFrameMs = performance.now();
  }

  /**
   * What the source's clock, told at `offset`, is behind this side's: what the frame took on its
   * way counts too, so that a change of the source is never taken for older than it is.
   */
  #lagOf(offset: number): number {
    const { buffer } = this.socket.input;
    const sourceMs = readU64(new DataView(buffer), offset);
    return Math.ceil((Date.now() - sourceMs) / 1000) + clockDoubtSec;
  }

  /** Takes the header at hand off the stream. */
  #header(): { type: number; flags: number; id: number; length: number } {
    const { socket } = this;
    const { bytes } = socket.input;
    const at = socket.inputOffset;
    const type = bytes[at] as number;
    const flags = bytes[at + 1] as number;
    const isPlain = bytes[at + 2] === 0 && bytes[at + 3] === 0 && u32At(bytes, at + 12) === 0;
    const id = u32At(bytes, at + 4);
    const length = u32At(bytes, at + 8);
    const isContent = type === frameType.data || type === frameType.part;
    const max = isContent ? DATA_PAYLOAD_BYTES_MAX : FRAME_PAYLOAD_BYTES_MAX;
    if (!isPlain || length > max) broken("a frame that is too long");
    socket.consume(FRAME_HEADER_BYTES);
    return { type, flags, id, length };
  }

  /** Deals with one frame; false at the end of the pass. */
  #frame(): boolean {
    const { socket, t } = this;
    if (t.issues.length + t.actions.length >= foundMax) this.#flush();
    // An answer need not wait for the next frame to come.
    if (socket.outPosition > 0 && !socket.hasInput()) this.must(socket.flush());
    this.must(socket.need(FRAME_HEADER_BYTES));
    const { type, flags, id, length } = this.#header();
    switch (type) {
      case frameType.folder:
        this.#folder.takeFolder(id, flags, length);
        return true;
      case frameType.links:
        this.#folder.takeLinks(id, length);
        return true;
      case frameType.files:
        this.#content.takeFiles(id, length);
        return true;
      case frameType.attributes:
        this.#content.takeAttributes(id, length);
        return true;
      case frameType.file:
        this.#content.takeFile(id, length);
        return true;
      case frameType.part:
        takePart(this, id, length);
        return true;
      case frameType.alive:
      case frameType.passEnd:
        if (length > 0) broken("a frame with too much in it");
        return type === frameType.alive;
      default:
        return broken(`a frame of the unknown type ${type}`);
    }
  }

  /** The next frame within a file, whose type has to be one of those. */
  nextOfFile(id: number): { type: number; flags: number; length: number } {
    for (;;) {
      this.must(this.socket.need(FRAME_HEADER_BYTES));
      const header = this.#header();
      if (header.type === frameType.alive && header.length === 0) continue;
      if (header.id !== id) broken("parts of two files mixed");
      return header;
    }
  }

  /** Ends the run in a way that says why. @throws Fault */
  failIfCancelled(): void {
    if (!this.t.cancelled) return;
    throw new Fault({ code: "E_INTERRUPTED", message: "The transfer was cancelled" });
  }
}

function u32At(bytes: Uint8Array, at: number): number {
  const low = (bytes[at] as number) | ((bytes[at + 1] as number) << 8);
  const high = (bytes[at + 2] as number) | ((bytes[at + 3] as number) << 8);
  return low + high * 65536;
}
