import { O } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { visitListing } from "../engine/listing.ts";
import { kindOfMode, kindOfType, look } from "./look.ts";
import type { EntryKind } from "./types.ts";

/** What a walk tells. Names are latin1; nothing here is called between two steps. */
export interface TreeVisitor {
  /**
   * An entry of the folder at hand. `kind` is undefined where it could not be looked at.
   * Returns whether a folder is to be entered.
   */
  entry(walk: TreeWalk, name: string, kind: EntryKind): boolean;
  /** The folder at hand has been entered. */
  entered(walk: TreeWalk): void;
  /**
   * Everything in the folder at hand has been seen, and it is closed after this; the start itself
   * is told too. True: read it once more, because what was in it is gone.
   */
  leaving(walk: TreeWalk): boolean;
  /** The folder at hand, now the one above, has lost `name` from the walk's view. */
  left(walk: TreeWalk, name: string): void;
  /** A call failed on the folder at hand, or on an entry `name` of it. */
  failed(walk: TreeWalk, name: string | undefined, call: string, result: number): void;
}

type Level = {
  /** -1 while it is closed to spare descriptors; see #reopen. */
  fd: number;
  readonly name: string;
  /** Folders of the batch at hand that are still to be entered. */
  pending: string[];
  /** Where reading goes on after it was opened again. */
  position: number;
  readonly dev: number;
  readonly inode: string;
};

/** Folders held open at once by one walk: a daemon has many callers and few descriptors. */
const openLevelsMax = 32;
/** Deeper than any tree that somebody made to use it. */
const depthMax = 50_000;

/**
 * Goes through everything below an open folder, a bounded step at a time, depth first. Symbolic
 * links are never followed, and no path is ever resolved: each folder is opened by its name in the
 * one above, so that nothing can lead out of the start, whatever others rename meanwhile.
 */
export class TreeWalk {
  readonly #levels: Level[] = [];
  readonly #visitor: TreeVisitor;
  #openedFrom = 1;

  /** @param startFd an open folder, of which the walk becomes the owner */
  constructor(startFd: number, visitor: TreeVisitor) {
    this.#visitor = visitor;
    this.#push(startFd, "");
  }

  /** The folder at hand, open. */
  get fd(): number {
    return this.#top.fd;
  }

  /** How far below the start the folder at hand is. */
  get depth(): number {
    return this.#levels.length - 1;
  }

  /** Path of the folder at hand below the start, "" for the start; latin1. */
  path(): string {
    return this.#levels
      .slice(1)
      .map((level) => level.name)
      .join("/");
  }

  /** Path of an entry of the folder at hand. */
  pathOf(name: string): string {
    const folder = this.path();
    return folder === "" ? name : `${folder}/${name}`;
  }

  get #top(): Level {
    const top = this.#levels.at(-1);
    if (top === undefined) throw new Error("Cannot look at a walk that is over");
    return top;
  }

  /** Does a bounded amount of work; false when all is done. */
  step(): boolean {
    const top = this.#levels.at(-1);
    if (top === undefined) return false;
    const next = top.pending.pop();
    if (next !== undefined) {
      this.#enter(top, next);
      return true;
    }
    const got = look().readFolder(top.fd);
    if (got > 0) this.#visitBatch(top, got);
    else this.#finish(top, got);
    return true;
  }

  /** Closes what is open; for a walk that is given up too. */
  close(): void {
    for (const level of this.#levels.splice(0)) {
      if (level.fd >= 0) sys.close(level.fd);
    }
  }

  /** Reads the folder at hand from its beginning once more. */
  #rewind(top: Level): boolean {
    return sys.lseek(top.fd, 0, 0) === 0;
  }

  #visitBatch(top: Level, got: number): void {
    const memory = look();
    visitListing(memory, got, (offset, length, type) => {
      const name = memory.dirents.text.latin1Slice(offset, offset + length);
      const kind = kindOfType(type) ?? this.#kindByStatus(top, name);
      if (kind === undefined) return;
      const enters = this.#visitor.entry(this, name, kind);
      if (enters && kind === "folder") top.pending.push(name);
    });
  }

  #kindByStatus(top: Level, name: string): EntryKind | undefined {
    const memory = look();
    const result = memory.statName(top.fd, name);
    if (result === 0) return kindOfMode(memory.status.mode);
    this.#visitor.failed(this, name, "statx", result);
    return undefined;
  }

  #enter(top: Level, name: string): void {
    if (this.#levels.length > depthMax) {
      this.#visitor.failed(this, name, "openat", -errno.ENAMETOOLONG);
      return;
    }
    const fd = look().openFolder(top.fd, name);
    if (fd < 0) {
      this.#visitor.failed(this, name, "openat", fd);
      return;
    }
    this.#push(fd, name);
    this.#spareDescriptors();
    this.#visitor.entered(this);
  }

  #push(fd: number, name: string): void {
    const memory = look();
    const known = memory.statFd(fd) === 0;
    const { dev, inoHigh, inoLow } = memory.status;
    this.#levels.push({
      fd,
      name,
      pending: [],
      position: 0,
      dev: known ? dev : -1,
      inode: known ? `${inoHigh}:${inoLow}` : "",
    });
  }

  #finish(top: Level, result: number): void {
    if (result < 0) this.#visitor.failed(this, undefined, "getdents64", result);
    if (this.#visitor.leaving(this) && this.#rewind(top)) return;
    if (this.#levels.length === 1) {
      this.close();
      return;
    }
    const above = this.#levels.at(-2);
    if (above !== undefined && above.fd < 0) this.#reopen(above, top.fd);
    this.#levels.pop();
    sys.close(top.fd);
    if (this.#top.fd < 0) this.#giveUpAbove();
    else this.#visitor.left(this, top.name);
  }

  /** Closes the outermost folder but the start, once too many are open. */
  #spareDescriptors(): void {
    if (this.#levels.length - this.#openedFrom < openLevelsMax) return;
    const level = this.#levels[this.#openedFrom];
    if (level === undefined) return;
    level.position = sys.lseek(level.fd, 0, 1);
    sys.close(level.fd);
    level.fd = -1;
    this.#openedFrom += 1;
  }

  /**
   * Opens a folder again from the one below it, and makes sure that it is the same: whoever has
   * moved that one elsewhere must not lead the walk there.
   */
  #reopen(level: Level, belowFd: number): void {
    const memory = look();
    const flags = O.RDONLY | O.DIRECTORY | O.CLOEXEC | O.NONBLOCK;
    const fd = sys.openat(belowFd, memory.name(".."), flags, 0);
    if (fd < 0) return;
    const { status } = memory;
    const isSame =
      memory.statFd(fd) === 0 &&
      status.dev === level.dev &&
      `${status.inoHigh}:${status.inoLow}` === level.inode;
    if (isSame && level.position >= 0 && sys.lseek(fd, level.position, 0) >= 0) {
      level.fd = fd;
      this.#openedFrom = Math.max(1, this.#levels.indexOf(level));
      return;
    }
    sys.close(fd);
  }

  /** The folders above were moved while they were closed: the walk goes on at its start. */
  #giveUpAbove(): void {
    while (this.#levels.length > 1 && this.#top.fd < 0) {
      this.#levels.pop();
    }
    this.#openedFrom = 1;
    this.#visitor.failed(this, undefined, "openat", -errno.ESTALE);
  }
}
