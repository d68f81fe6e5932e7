import { AT, O, STATX } from "../../../ffi/abi/constants.ts";
import { STATX_LAYOUT, StatView } from "../../../ffi/abi/stat.ts";
import { TIMESPEC_LAYOUT } from "../../../ffi/abi/timespec.ts";
import { errno, errnoName, errnoText } from "../../../ffi/errno.ts";
import { giveMemoryBack, type Memory, takeMemory } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";
import { compileFilterJson, type Filter } from "../tree/filter.ts";
import { ContentPaths } from "./content.ts";
import type { FolderNode } from "./folder-node.ts";
import { blockBytes, issuesNamedMax, smallFileBytes } from "./limits.ts";
import type { ChildDone, HugeFileHelp, LinkMember, RemovalTask, SettleTask } from "./messages.ts";
import type { Action, EngineOptions, HugeFileStrategy, Issue } from "./options.ts";
import { cancelReason, control, counter, type SharedState, type Unheld } from "./shared-state.ts";

/** Where things lie in a thread's scratch memory. */
const layout = {
  source: 0,
  target: 512,
  other: 1024,
  times: 2048,
  empty: 2304,
  statfs: 2560,
  name: 4096,
  targetName: 5120,
  temporary: 6144,
  entry: 7168,
  link: 16384,
  otherLink: 24576,
  range: 32768,
} as const;

/** Access and modification time, one after the other. */
const timesWords = (2 * TIMESPEC_LAYOUT.size) / 4;

const scratchBytes = 64 * 1024;
/** Room for one getdents64 call. */
export const direntBytes = 256 * 1024;
/** XATTR_LIST_MAX and XATTR_SIZE_MAX of linux/limits.h. */
export const xattrBytes = 64 * 1024;

type NamedTask = {
  readonly parent: FolderNode;
  readonly name: string;
  /** Differs from `name` only for what the command line names. */
  readonly targetName: string;
};

/** A unit of work on a thread's stack. */
export type Task =
  /** A folder below `parent`, to be opened and walked. */
  | ({ readonly kind: "folder" } & NamedTask)
  /** Any other entry, of a type not known yet. */
  | ({ readonly kind: "entry" } & NamedTask)
  /** A file above `largeFileBytes`, found different already. */
  | ({ readonly kind: "large"; readonly dataBytes: number } & NamedTask)
  /** A pair of folders that is open already. */
  | { readonly kind: "walk"; readonly node: FolderNode }
  /** Files out of one large folder. */
  | { readonly kind: "batch"; readonly node: FolderNode; readonly names: readonly string[] }
  /** A part in a huge file that another thread has begun. */
  | { readonly kind: "help"; readonly help: HugeFileHelp }
  | RemovalTask
  | SettleTask;

/** Extended attributes of a source that is not on this machine. */
export type ReceivedXattrs = {
  /** The source has not been asked for them, or could not tell. */
  readonly isUnknown?: true;
  readonly names: readonly string[];
  /** Puts a value at `offset` of a memory that has room; its length, or -ENODATA. */
  load(name: string, bytes: Uint8Array, offset: number): number;
};

/** Entries of the target that the source has not: found while walking, removed at the end. */
export type Extraneous = {
  readonly root: number;
  /** Folder below the target root, "" for the root itself; latin1. */
  readonly folder: string;
  readonly names: readonly string[];
  /** Entries below and with them. */
  readonly entries: number;
  /** A source entry of another type stands to take this one's place (then one name only). */
  readonly replacedBy: "none" | "entry";
};

/**
 * One thread of the engine: its scratch memory, its counters, its stack of tasks. Everything below
 * is synchronous; the owner decides when the event loop gets its turn.
 */
export class Thread {
  readonly index: number;
  options: EngineOptions;
  readonly shared: SharedState;
  readonly count: Float64Array;
  filter: Filter | undefined;
  readonly stack: Task[] = [];
  readonly issues: Issue[] = [];
  readonly actions: Action[] = [];
  readonly extraneous: Extraneous[] = [];
  readonly links: LinkMember[] = [];
  /** Names of the target that an entry of another type is to have; see settleReplacements. */
  readonly replacements: { readonly node: FolderNode; readonly name: string }[] = [];
  /** Folders opened here and not yet finished. */
  openNodes = 0;
  issueCount = 0;
  /** Which of the command line's sources the task at hand belongs to. */
  root = 0;
  /** Answers for other threads: folders and batches of theirs that are done here. */
  readonly outbox: ChildDone[] = [];
  /** The entry at hand: its name's address in C form, and where to read it as text. */
  entryPointer = 0;
  entryLength = 0;
  #entryMemory: Memory;
  #entryOffset = 0;
  /** Mode of a folder that is made for the target's path: 0777 less the user's umask. */
  newFolderMode = 0o755;
  /** A new folder's status is what its parent lets expect; undefined = not tried yet. */
  predictsNewFolders: boolean | undefined;
  /** The target gives new files their folder's group (mount option grpid). */
  inheritsGroup = false;
  /** Called now and then in long work, for whoever waits for this thread; must not throw. */
  pulse: (() => void) | undefined;
  /** The attributes of the entry at hand, where they came over a stream; see ReceivedXattrs. */
  received: ReceivedXattrs | undefined;
  /** Seconds from the source's clock to the target's, rounded up; 0 where they are one clock. */
  sourceLagSec = 0;

  readonly scratch = takeMemory(scratchBytes);
  readonly dirents = takeMemory(direntBytes);
  readonly copy = takeMemory(2 * blockBytes);
  #xattr: Memory | undefined;
  readonly source: StatView;
  readonly target: StatView;
  readonly other: StatView;
  /** The statuses of `source` and `target` as 32-bit words. */
  readonly sourceWords: Uint32Array;
  readonly targetWords: Uint32Array;
  /** Two timespecs, in 32-bit halves: a bigint per file would cost more than the call. */
  readonly times: Int32Array;
  /** Two file offsets in memory, as copy_file_range wants them. */
  readonly rangeOffsets: { readonly pointer: number; readonly values: BigInt64Array };
  readonly paths = new ContentPaths();
  #prefersRange: boolean | undefined;
  /** Looks up what earlier runs taught, which a run of small files does without. */
  chooseStrategy: () => HugeFileStrategy = () => "buffered";
  readonly pointers: { readonly [Key in keyof typeof layout]: number };
  #temporarySequence = 0;

  constructor(index: number, options: EngineOptions, shared: SharedState) {
    this.index = index;
    this.options = options;
    this.shared = shared;
    this.count = shared.row(index);
    this.filter = options.filter === undefined ? undefined : compileFilterJson(options.filter);
    const base = this.scratch.pointer;
    const entries = Object.entries(layout).map(([key, offset]) => [key, base + offset]);
    this.pointers = Object.fromEntries(entries) as { [Key in keyof typeof layout]: number };
    const view = (offset: number): StatView =>
      new StatView(this.scratch.buffer, offset, base + offset);
    this.source = view(layout.source);
    this.target = view(layout.target);
    this.other = view(layout.other);
    const words = STATX_LAYOUT.size / 4;
    this.sourceWords = new Uint32Array(this.scratch.buffer, layout.source, words);
    this.targetWords = new Uint32Array(this.scratch.buffer, layout.target, words);
    this.#entryMemory = this.scratch;
    this.times = new Int32Array(this.scratch.buffer, layout.times, timesWords);
    const values = new BigInt64Array(this.scratch.buffer, layout.range, 2);
    this.rangeOffsets = { pointer: base + layout.range, values };
    if (STATX_LAYOUT.size > layout.target - layout.source) throw new Error("scratch layout");
    if (smallFileBytes > blockBytes) throw new Error("copy buffer is smaller than a small file");
  }

  /** The way in which large files are begun. */
  get strategy(): HugeFileStrategy {
    const { hugeFileStrategy } = this.options;
    if (hugeFileStrategy !== undefined) return hugeFileStrategy;
    const chosen = this.chooseStrategy();
    this.options = { ...this.options, hugeFileStrategy: chosen };
    return chosen;
  }

  /** Large files go by copy_file_range rather than over the buffer. */
  get prefersRange(): boolean {
    this.#prefersRange ??= this.strategy === "copy_file_range";
    return this.#prefersRange;
  }
  set prefersRange(wanted: boolean) {
    this.#prefersRange = wanted;
  }

  /** Memory for extended attributes, mapped when first asked for: list, then two values. */
  get xattr(): Memory {
    this.#xattr ??= takeMemory(3 * xattrBytes);
    return this.#xattr;
  }

  /** Gives its memory back: nothing of it may be used from now on. */
  release(): void {
    for (const memory of [this.scratch, this.dirents, this.copy]) giveMemoryBack(memory);
    if (this.#xattr !== undefined) giveMemoryBack(this.#xattr);
  }

  /** Puts a name where the kernel can read it; returns its address, valid until the next call. */
  cName(name: string): number {
    return this.#cString(name, layout.name);
  }
  cTargetName(name: string): number {
    return this.#cString(name, layout.targetName);
  }
  cTemporary(name: string): number {
    return this.#cString(name, layout.temporary);
  }
  /** For link targets and other text of up to PATH_MAX bytes. */
  cLink(text: string): number {
    return this.#cString(text, layout.link);
  }

  /** Makes the entry at `offset` of the folder listing the one at hand. */
  setListedEntry(offset: number, length: number): void {
    this.entryPointer = this.dirents.pointer + offset;
    this.entryLength = length;
    this.#entryMemory = this.dirents;
    this.#entryOffset = offset;
  }
  /** Makes an entry whose name lies in foreign memory the one at hand. */
  setEntryBytes(from: Uint8Array, offset: number, length: number): void {
    const { bytes } = this.scratch;
    for (let i = 0; i < length; i++) bytes[layout.entry + i] = from[offset + i] as number;
    bytes[layout.entry + length] = 0;
    this.entryPointer = this.scratch.pointer + layout.entry;
    this.entryLength = length;
    this.#entryMemory = this.scratch;
    this.#entryOffset = layout.entry;
  }
  /** Makes a named entry the one at hand. */
  setEntry(name: string): void {
    this.entryPointer = this.#cString(name, layout.entry);
    this.entryLength = name.length;
    this.#entryMemory = this.scratch;
    this.#entryOffset = layout.entry;
  }
  /** Name of the entry at hand, latin1. */
  entryName(): string {
    const start = this.#entryOffset;
    return this.#entryMemory.text.latin1Slice(start, start + this.entryLength);
  }

  #cString(text: string, offset: number): number {
    const end = offset + text.length;
    const room =
      offset < layout.link ? layout.targetName - layout.name : layout.otherLink - layout.link;
    if (text.length >= room) throw new Error(`a name of ${text.length} bytes exceeds its buffer`);
    this.scratch.text.latin1Write(text, offset);
    this.scratch.bytes[end] = 0;
    return this.scratch.pointer + offset;
  }

  /** A temporary name that no other thread or run uses. */
  temporaryName(): string {
    const sequence = (this.#temporarySequence++ * 64 + this.index).toString(36);
    return `${this.options.temporaryPrefix}${sequence}~`;
  }

  /**
   * Opens something to be read, so that this leaves no trace in its access time where that is
   * permitted: to its owner and to root (open(2), O_NOATIME). Descriptor or -errno.
   */
  openToRead(fd: number, namePointer: number, flags: number): number {
    const opened = sys.openat(fd, namePointer, flags | O.NOATIME, 0);
    return opened === -errno.EPERM ? sys.openat(fd, namePointer, flags, 0) : opened;
  }

  /** statx of a name below a folder, not following a symbolic link; 0 or -errno. */
  statAt(fd: number, namePointer: number, view: StatView): number {
    const mask = STATX.BASIC_STATS | STATX.MNT_ID;
    return sys.statx(fd, namePointer, AT.SYMLINK_NOFOLLOW, mask, view.pointer);
  }

  /** statx of an open descriptor; 0 or -errno. */
  statFd(fd: number, view: StatView): number {
    const mask = STATX.BASIC_STATS | STATX.MNT_ID;
    return sys.statx(fd, this.pointers.empty, AT.EMPTY_PATH, mask, view.pointer);
  }

  /** Loads the two timespecs that futimens and utimensat take. */
  setTimes(atimeSec: number, atimeNsec: number, mtimeSec: number, mtimeNsec: number): number {
    const { times } = this;
    times[0] = atimeSec;
    times[1] = Math.floor(atimeSec / 4294967296);
    times[2] = atimeNsec;
    times[4] = mtimeSec;
    times[5] = Math.floor(mtimeSec / 4294967296);
    times[6] = mtimeNsec;
    return this.pointers.times;
  }

  /** Adds to a counter and shows life to the stall detector. */
  add(column: number, amount: number): void {
    this.count[column] = (this.count[column] as number) + amount;
    this.count[counter.activity] = (this.count[counter.activity] as number) + 1;
  }

  get cancelled(): boolean {
    return (this.shared.control[control.cancel] as number) !== cancelReason.none;
  }

  /** Whether this run only says or counts what it would do. */
  get isDry(): boolean {
    return this.options.purpose !== "transfer";
  }

  act(action: Action["action"], path: string, bytes = 0): void {
    if (this.options.purpose !== "plan") return;
    this.actions.push({ action, root: this.root, path, bytes });
  }

  /** Notes an entry that did not go as asked; a full disk stops the run. */
  report(found: Omit<Issue, "root">): void {
    const issue = { ...found, root: this.root };
    const column = issueColumns[issue.kind];
    if (column >= 0) this.add(column, 1);
    if (++this.issueCount <= issuesNamedMax) this.issues.push(issue);
  }

  /** Notes a failed system call. `result` is -errno. */
  failed(result: number, call: string, path: string, doing: string): void {
    const number = -result;
    if (number === errno.ECANCELED) return;
    if (number === errno.ENOSPC || number === errno.EDQUOT)
      this.shared.cancel(cancelReason.noSpace);
    this.report({
      kind: "failed",
      path,
      code: errnoName(number),
      call,
      message: `${doing}: ${errnoText(number)}`,
    });
  }

  /** Notes once that the target cannot hold something; that is no failure. */
  tellCannotHold(what: Unheld, result: number, call: string, path: string): void {
    if (!this.shared.isFirstToTell(what)) return;
    const message = `the target cannot hold ${what} (${errnoText(-result)}): left out`;
    this.report({ kind: "warning", path, code: errnoName(-result), call, message });
  }

  /** Notes content that is complete while an attribute of it could not be set. */
  attributeFailed(result: number, call: string, path: string, what: string): void {
    const message = `set ${what}: ${errnoText(-result)}`;
    this.report({ kind: "attributes", path, code: errnoName(-result), call, message });
  }

  /** Notes an entry that was listed and then was gone. */
  vanished(path: string): void {
    const message = "it vanished while the copy ran";
    this.report({ kind: "vanished", path, code: "ENOENT", call: undefined, message });
  }
}

const issueColumns: Readonly<Record<Issue["kind"], number>> = {
  failed: counter.failed,
  vanished: counter.vanished,
  skipped: counter.skipped,
  attributes: counter.attributesFailed,
  warning: -1,
};
