import { AT, DT, O, S, STATX } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { openFolderBelow } from "../engine/backup.ts";
import { cheaplyCompiled } from "../engine/compile-cost.ts";
import { describeType, noteListingError } from "../engine/entries.ts";
import { folderFlags, forEachListing, visitOne } from "../engine/listing.ts";
import { counter } from "../engine/shared-state.ts";
import { isTemporaryName } from "../engine/staging.ts";
import type { Thread } from "../engine/thread.ts";
import { frameFlag, frameType, PATH_BYTES_MAX, STATUS_BYTES } from "../wire/frame.ts";
import { entryHeadBytes } from "./frame-writer.ts";
import { OpenFolder } from "./open-folder.ts";
import { PlainListing } from "./plain-listing.ts";
import type { Sender } from "./sender.ts";

/** Payload of a FOLDER frame, unless one entry or the path alone is longer. */
const folderBytes = 256 * 1024;
/** Entries between two looks at the clock. */
const entriesPerLook = 128;
/** Longer targets than any file system keeps. */
const linkBytes = 8192;

/** Bits of an entry. */
const entryBit = { symlink: 2, linked: 4, listed: 8 } as const;

const statMask = STATX.BASIC_STATS;

/** Lists folders of the source and sends what is in them. */
export class FolderWalk {
  readonly #s: Sender;
  readonly #t: Thread;
  readonly #plain: PlainListing;
  readonly #visit = (offset: number, length: number, type: number): void => {
    this.#entry(offset, length, type);
  };
  /** The folder at hand. */
  #folder: OpenFolder | undefined;
  #subfolders: string[] = [];
  #isIncomplete = false;
  /** Flags of the frame at hand. */
  #flags = 0;
  #sinceLook = 0;

  constructor(sender: Sender) {
    this.#s = sender;
    this.#t = sender.t;
    this.#plain = new PlainListing(sender);
    const hot = [this.#listed, this.#entry, this.#stated, this.#count, this.#write];
    for (const method of hot) cheaplyCompiled<unknown>(method);
  }

  /** A folder by its path below a root, or a root itself. undefined, after a report, if not. */
  sendByPath(root: number, path: string, subfolders: string[]): OpenFolder | undefined {
    const opened = this.#s.roots[root];
    if (opened === undefined) return undefined;
    this.#t.root = root;
    const isHolder = opened.kind === "entry";
    const fd = isHolder
      ? sys.openat(opened.fd, this.#t.cName("."), O.PATH | O.DIRECTORY | O.CLOEXEC, 0)
      : openFolderBelow(this.#t, opened.fd, path, { make: false });
    return this.#send({ root, path, fd, isHolder }, subfolders);
  }

  /** A subfolder of one that is open. */
  sendBelow(parent: OpenFolder, name: string, subfolders: string[]): OpenFolder | undefined {
    const t = this.#t;
    t.root = parent.root;
    const fd = t.openToRead(parent.fd, t.cName(name), folderFlags);
    const path = parent.pathOf(name);
    return this.#send({ root: parent.root, path, fd, isHolder: false }, subfolders);
  }

  #send(
    place: { root: number; path: string; fd: number; isHolder: boolean },
    subfolders: string[],
  ): OpenFolder | undefined {
    const t = this.#t;
    const { fd, path } = place;
    if (fd < 0 && fd === -errno.ENOENT) t.vanished(path);
    else if (fd < 0 || path.length > PATH_BYTES_MAX) {
      noteListingError(t);
      t.failed(fd < 0 ? fd : -errno.ENAMETOOLONG, "openat", path, "open the folder");
    }
    if (fd < 0) return undefined;
    const looked = path.length > PATH_BYTES_MAX ? -1 : t.statFd(fd, t.source);
    if (looked < 0) {
      if (looked !== -1) t.failed(looked, "statx", path, "open the folder");
      noteListingError(t);
      sys.close(fd);
      return undefined;
    }
    t.shared.note(t.index, path);
    const folder = new OpenFolder({ id: this.#s.nextId(), ...place });
    this.#s.hold(folder);
    this.#folder = folder;
    this.#subfolders = subfolders;
    this.#isIncomplete = false;
    folder.dev = t.source.dev;
    this.#first(folder);
    if (folder.isHolder) this.#holderEntry(folder);
    else this.#list(folder);
    this.#end(false);
    this.#s.collector.moveTo(folder);
    const { root, isHolder } = folder;
    if (this.#s.purpose === "settle" && !isHolder) this.#s.walked.push({ root, path });
    t.add(counter.activity, 1);
    return folder;
  }

  /** Begins the first frame: what the folder itself is. */
  #first(folder: OpenFolder): void {
    const t = this.#t;
    const { frames, xattrs } = this.#s;
    let blob = folder.isHolder ? 0 : xattrs.readOpen(folder.fd);
    if (blob < 0) {
      this.#xattrsFailed(blob, folder.path);
      blob = 0;
    }
    const head = 8 + folder.path.length + STATUS_BYTES + 4 + blob;
    this.#s.must(frames.begin(folderBytes + head));
    this.#flags = frameFlag.first | (folder.isHolder ? frameFlag.holder : 0);
    frames.u16(folder.root);
    frames.u16(0);
    frames.u32(folder.path.length);
    frames.text(folder.path);
    frames.status(t.sourceWords);
    frames.u32(blob);
    if (blob > 0) frames.copy(xattrs.bytes, 0, blob);
  }

  /** Ends the frame at hand. */
  #end(hasMore: boolean): void {
    const folder = this.#folder as OpenFolder;
    let flags = this.#flags | (hasMore ? frameFlag.more : 0);
    if (!hasMore && (this.#isIncomplete || this.#t.cancelled)) flags |= frameFlag.incomplete;
    this.#s.frames.end(frameType.folder, flags, folder.id);
    this.#flags = folder.isHolder ? frameFlag.holder : 0;
  }

  #list(folder: OpenFolder): void {
    const t = this.#t;
    const result = forEachListing(t, folder.fd, (got) => this.#listed(folder, got));
    if (result < 0) {
      this.#isIncomplete = true;
      noteListingError(t);
      t.failed(result, "getdents64", folder.path, "list the folder");
    }
    // An unmounted source looks like an empty folder: its target is not emptied for that.
    const { command, allowEmptySource } = this.#s.options;
    const isEmpty = this.#s.collector.count === 0;
    if (command === "mirror" && !allowEmptySource && isEmpty && folder.path === "") {
      this.#isIncomplete = true;
    }
  }

  /** One getdents64 answer of `got` bytes: plain files at once, the others each for itself. */
  #listed(folder: OpenFolder, got: number): void {
    const t = this.#t;
    for (let at = 0; at < got && !t.cancelled; ) {
      if (t.filter === undefined) {
        at = this.#plain.write(folder, at, got, entriesPerLook);
        this.#look(this.#plain.written);
      }
      if (at < got) at = visitOne(t, at, this.#visit);
    }
  }

  #look(entries: number): void {
    this.#sinceLook += entries;
    if (this.#sinceLook < entriesPerLook) return;
    this.#sinceLook = 0;
    if (this.#s.isQuiet) this.#nextFrame(0, true);
  }

  /** The one entry of a folder that only holds a root. */
  #holderEntry(folder: OpenFolder): void {
    const t = this.#t;
    const name = this.#s.roots[folder.root]?.entryName ?? "";
    t.setEntry(name);
    const offset = t.entryPointer - t.scratch.pointer;
    this.#stated(t.scratch.bytes, offset, name.length);
  }

  #entry(offset: number, length: number, type: number): void {
    const t = this.#t;
    t.setListedEntry(offset, length);
    if (this.#isLeftover(offset, length)) return;
    if (t.filter !== undefined) {
      const folder = this.#folder as OpenFolder;
      const isFolder = type === DT.UNKNOWN ? this.#isFolder() : type === DT.DIR;
      if (t.filter.isExcluded(folder.pathOf(t.entryName()), isFolder)) return;
    }
    this.#look(1);
    this.#stated(t.dirents.bytes, offset, length);
  }

  #isFolder(): boolean {
    const t = this.#t;
    const { fd } = this.#folder as OpenFolder;
    if (t.statAt(fd, t.entryPointer, t.source) < 0) return false;
    return (t.source.mode & S.IFMT) === S.IFDIR;
  }

  /** What an interrupted run left is no content: told, not sent. */
  #isLeftover(offset: number, length: number): boolean {
    const t = this.#t;
    const { bytes } = t.dirents;
    if (bytes[offset] !== 46 || bytes[offset + 1] !== 98 || length <= 14) return false;
    const name = t.entryName();
    const isPartial = name.startsWith(".blit-partial-") && name.endsWith("~");
    if (!isPartial && !isTemporaryName(name)) return false;
    const path = (this.#folder as OpenFolder).pathOf(name);
    const message = "an interrupted blit left it here, incomplete: skipped";
    t.report({ kind: "skipped", path, code: "E_LEFTOVER", call: undefined, message });
    return true;
  }

  /** Looks at an entry whose name lies in `memory` and writes it. */
  #stated(memory: Uint8Array, offset: number, length: number): void {
    const t = this.#t;
    const pointer = t.entryPointer;
    const folder = this.#folder as OpenFolder;
    let looked = 0;
    if (this.#plain.hasLooked) this.#plain.hasLooked = false;
    else looked = sys.statx(folder.fd, pointer, AT.SYMLINK_NOFOLLOW, statMask, t.source.pointer);
    if (looked < 0) {
      const path = folder.pathOf(t.entryName());
      if (looked === -errno.ENOENT) {
        t.vanished(path);
        return;
      }
      t.failed(looked, "statx", path, "look at the source");
      this.#write(memory, offset, length, entryBit.listed, 0);
      return;
    }
    const type = t.source.mode & S.IFMT;
    if (type === S.IFDIR) this.#subfolders.push(t.entryName());
    else if (type !== S.IFREG && type !== S.IFLNK && !t.options.specials) {
      t.add(counter.seen, 1);
      folder.items++;
      this.#skipSpecial(folder.pathOf(t.entryName()), type);
      this.#write(memory, offset, length, entryBit.listed, 0);
      return;
    }
    const bits = type === S.IFDIR ? 0 : this.#count(folder, type);
    if (type === S.IFLNK) this.#link(memory, offset, length, bits);
    else this.#write(memory, offset, length, bits, 0);
  }

  /** Counts an entry that is no folder; returns its bits. */
  #count(folder: OpenFolder, type: number): number {
    const t = this.#t;
    const isFile = type === S.IFREG;
    const { sizeBytes } = t.source;
    t.add(counter.seen, 1);
    if (isFile) t.add(counter.seenBytes, sizeBytes);
    if (t.source.nlink > 1 && this.#joinsLinks()) {
      this.#noteLink(t.entryName());
      // A file comes later; anything else is made at once, and linked later.
      if (!isFile) folder.items++;
      return entryBit.linked;
    }
    folder.items++;
    if (isFile) folder.bytes += sizeBytes;
    return 0;
  }

  #link(memory: Uint8Array, offset: number, length: number, bits: number): void {
    const t = this.#t;
    const folder = this.#folder as OpenFolder;
    const text = sys.readlinkat(folder.fd, t.entryPointer, t.pointers.link, linkBytes);
    if (text > 0 && text < linkBytes) {
      this.#write(memory, offset, length, bits | entryBit.symlink, text);
      return;
    }
    const path = folder.pathOf(t.entryName());
    t.failed(text < 0 ? text : -errno.ENAMETOOLONG, "readlinkat", path, "read the link");
    this.#write(memory, offset, length, entryBit.listed, 0);
  }

  /** Names of one file are gathered where links are to be made of them. */
  #joinsLinks(): boolean {
    return this.#s.purpose === "transfer" && !(this.#folder as OpenFolder).isHolder;
  }

  #noteLink(name: string): void {
    const { source } = this.#t;
    const { root, path } = this.#folder as OpenFolder;
    const ino = `${source.inoHigh}:${source.inoLow}`;
    const { dev, nlink } = source;
    this.#s.links.push({ root, folder: path, name, dev, ino, nlink });
  }

  #skipSpecial(path: string, type: number): void {
    const message = `it is ${describeType(type)}: skipped (--specials copies it, as root)`;
    this.#t.report({ kind: "skipped", path, code: "E_SPECIAL", call: undefined, message });
  }

  #xattrsFailed(result: number, path: string): void {
    this.#t.attributeFailed(result, "flistxattr", path, "extended attributes");
  }

  /**
   * Writes an entry whose status is in t.source (nothing of it where it is only listed).
   * @param link length of the text of a symbolic link
   */
  #write(memory: Uint8Array, offset: number, length: number, bits: number, link: number): void {
    const { frames, collector } = this.#s;
    const t = this.#t;
    const isListed = (bits & entryBit.listed) !== 0;
    const extraBytes = bits & entryBit.symlink ? 4 + link : 0;
    const bytes = entryHeadBytes + STATUS_BYTES + length + extraBytes;
    if (frames.room < bytes) this.#nextFrame(bytes, false);
    frames.u16(length);
    frames.u16(bits);
    frames.u32(extraBytes);
    if (isListed) frames.noStatus();
    else frames.status(t.sourceWords);
    frames.copy(memory, offset, length);
    if (extraBytes > 0) {
      frames.u32(link);
      frames.copy(t.scratch.bytes, t.pointers.link - t.scratch.pointer, link);
    }
    collector.add(memory, offset, length, isListed ? undefined : t.sourceWords);
  }

  #nextFrame(bytes: number, flushes: boolean): void {
    this.#end(true);
    if (flushes) this.#s.flush();
    this.#s.must(this.#s.frames.begin(Math.max(folderBytes, bytes)));
  }
}
