import { O, S } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { preadFully } from "../engine/content.ts";
import { changedRetries, settledSeconds, smallFileBytes } from "../engine/limits.ts";
import { counter } from "../engine/shared-state.ts";
import { fileOutcome, frameType, STATUS_BYTES } from "../wire/frame.ts";
import { isAsSent, type OpenFolder } from "./open-folder.ts";
import type { Sender } from "./sender.ts";

/** Never through a symbolic link, and no waiting for a FIFO. */
const readFlags = O.RDONLY | O.NOFOLLOW | O.CLOEXEC | O.NONBLOCK;
/** A pack is ended when it holds so much. */
const packBytes = 256 * 1024;
/** Index, length of the content, outcome. */
const recordHeadBytes = 12;
const recordBytesMax = recordHeadBytes + STATUS_BYTES + smallFileBytes;

/**
 * Small files of one folder, many in a frame. They are read straight into the stream's output: four
 * system calls for a file, and nothing else.
 */
export class SmallPack {
  readonly #s: Sender;
  readonly #folder: OpenFolder;
  #isOpen = false;

  constructor(sender: Sender, folder: OpenFolder) {
    this.#s = sender;
    this.#folder = folder;
  }

  /** Sends what is in the pack. */
  close(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.#s.frames.end(frameType.files, 0, this.#folder.id);
  }

  /** To be called between two files: what is in the pack goes out before the other side wonders. */
  rest(): void {
    if (this.#s.isQuiet) {
      this.close();
      this.#s.flush();
    }
    this.#s.share();
  }

  #open(): void {
    const { frames } = this.#s;
    if (this.#isOpen && frames.length >= packBytes) this.close();
    if (this.#isOpen) return;
    this.#s.must(frames.begin(packBytes + recordBytesMax));
    this.#isOpen = true;
  }

  /** Adds a file's outcome without content. */
  addOutcome(index: number, outcome: number): void {
    this.#open();
    const { frames } = this.#s;
    frames.u32(index);
    frames.u32(0);
    frames.u32(outcome);
    this.#s.t.add(counter.itemsDone, 1);
  }

  /** Adds a file. Returns false for one that has become too large, or has holes: sent apart. */
  add(index: number): boolean {
    const fd = openEntry(this.#s, this.#folder, index);
    if (fd < 0) {
      this.addOutcome(index, reportUnread(this.#s, this.#folder, index, fd, "openat"));
      return true;
    }
    try {
      return this.#addOpened(index, fd);
    } finally {
      sys.close(fd);
    }
  }

  #addOpened(index: number, fd: number): boolean {
    this.#open();
    const { frames, t } = this.#s;
    const folder = this.#folder;
    const at = frames.position;
    const contentAt = at + recordHeadBytes;
    const pointer = frames.pointer + recordHeadBytes;
    const got = readStable(this.#s, fd, pointer, folder.sizeOf(index));
    if (got === readResult.apart) return false;
    if (got < 0) {
      const outcome =
        got === readResult.changed
          ? reportChanged(this.#s, folder, index)
          : reportUnread(this.#s, folder, index, got, "read");
      this.addOutcome(index, outcome);
      return true;
    }
    const isSame = isAsSent(folder, index, t.sourceWords);
    frames.u32(index);
    frames.u32(got);
    frames.u32(isSame ? fileOutcome.same : fileOutcome.restated);
    if (!isSame) {
      frames.bytes.copyWithin(contentAt + STATUS_BYTES, contentAt, contentAt + got);
      frames.status(t.sourceWords);
    }
    frames.position += got;
    t.add(counter.itemsDone, 1);
    t.add(counter.bytesDone, got);
    return true;
  }
}

/** Beside lengths and errors. */
const readResult = { apart: -1_000_000, changed: -1_000_001 } as const;

/**
 * Reads a small file whole, at `pointer`, so that what is there was its content at one time; its
 * status, in t.source, is that of this time. Returns the length, -errno, or a readResult.
 */
function readStable(s: Sender, fd: number, pointer: number, expected: number): number {
  const { t } = s;
  let want = Math.min(smallFileBytes, expected + 1);
  for (let attempt = 1; attempt <= changedRetries; attempt++) {
    const got = attempt === 1 ? sys.read(fd, pointer, want) : preadFully(fd, pointer, want, 0);
    const looked = got < 0 ? got : t.statFd(fd, t.source);
    if (looked < 0) return looked;
    const { sizeBytes, blocks, ctimeSec } = t.source;
    if ((t.source.mode & S.IFMT) !== S.IFREG) return -errno.EINVAL;
    if (sizeBytes >= smallFileBytes || blocks * 512 < sizeBytes) return readResult.apart;
    if (got === sizeBytes && got < want) {
      if (ctimeSec < t.options.startedAtSec - settledSeconds) return got;
      if (isStillSame(s, fd, pointer, got)) return got;
    }
    want = smallFileBytes;
  }
  return readResult.changed;
}

/** Reads a young file once more: what lies between two equal statuses is its content. */
function isStillSame(s: Sender, fd: number, pointer: number, length: number): boolean {
  const { t } = s;
  const again = preadFully(fd, t.copy.pointer, length + 1, 0);
  if (again !== length || t.statFd(fd, t.other) < 0 || !isSameStatus(s)) return false;
  return length === 0 || sys.memcmp(pointer, t.copy.pointer, length) === 0;
}

/** Whether t.source and t.other say the same of size and times of change. */
export function isSameStatus(s: Sender): boolean {
  const { source, other } = s.t;
  return (
    source.sizeBytes === other.sizeBytes &&
    source.mtimeNsec === other.mtimeNsec &&
    source.mtimeSec === other.mtimeSec &&
    source.ctimeNsec === other.ctimeNsec &&
    source.ctimeSec === other.ctimeSec
  );
}

/** Opens an entry for reading: descriptor or -errno. */
export function openEntry(s: Sender, folder: OpenFolder, index: number): number {
  return s.t.openToRead(folder.fd, entryPointer(s, folder, index), readFlags);
}

/** An entry's name where the kernel can read it: its address, good until the next call. */
export function entryPointer(s: Sender, folder: OpenFolder, index: number): number {
  const { scratch, pointers } = s.t;
  const { bytes } = scratch;
  const { names } = folder;
  // Memory that only the end of a local move uses.
  const pointer = pointers.otherLink;
  let at = pointer - scratch.pointer;
  const end = folder.nameEnds[index] as number;
  for (let i = folder.nameStart(index); i < end; i++) bytes[at++] = names[i] as number;
  bytes[at] = 0;
  return pointer;
}

/** Reports a file that could not be read; returns its outcome. */
export function reportUnread(
  s: Sender,
  folder: OpenFolder,
  index: number,
  result: number,
  call: string,
): number {
  const path = folder.pathOf(folder.nameOf(index));
  if (result === -errno.ENOENT) {
    s.t.vanished(path);
    return fileOutcome.vanished;
  }
  s.t.failed(result, call, path, call === "openat" ? "open for reading" : "read");
  return fileOutcome.failed;
}

/** Reports a file that did not hold still; returns its outcome. */
export function reportChanged(s: Sender, folder: OpenFolder, index: number): number {
  const message = `it changed while it was copied, ${changedRetries} times`;
  const path = folder.pathOf(folder.nameOf(index));
  s.t.report({ kind: "failed", path, code: "E_CHANGED", call: undefined, message });
  return fileOutcome.changed;
}
