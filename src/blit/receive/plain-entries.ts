import { AT, S, STATX } from "../../../ffi/abi/constants.ts";
import { STATX_WORD } from "../../../ffi/abi/stat.ts";
import { sys } from "../../../ffi/sys.ts";
import { cheaplyCompiled } from "../engine/compile-cost.ts";
import type { FolderNode } from "../engine/folder-node.ts";
import { counter } from "../engine/shared-state.ts";
import type { Thread } from "../engine/thread.ts";
import { NAME_BYTES_MAX, STATUS_BYTES } from "../wire/frame.ts";
import type { Payload } from "./manifest.ts";

/**
 * Passes over entries that the target has just so, down to mode and owner: nearly all of them in a
 * second run. One call and a comparison of words for each, on the bytes as they came: no object, no
 * text, little code to compile. What is not plainly the same is left to the usual way, which looks
 * at everything again.
 */

const headBytes = 8 + STATUS_BYTES;

/** Where things lie in a status record (wire/status.ts), seen from the beginning of an entry. */
const sent = { nlink: 8, uid: 12, gid: 16, mode: 20, size: 32, ctime: 56, mtime: 72 } as const;

/** Above it a size is none (manifest.ts). */
const sizeHighMax = 2 ** 21;

const slash = 47;
const dot = 46;

export class PlainEntries {
  readonly #t: Thread;
  readonly #namePointer: number;
  readonly #nameOffset: number;
  /** How many entries the last call passed over. */
  passed = 0;

  constructor(t: Thread) {
    this.#t = t;
    this.#namePointer = t.pointers.entry;
    this.#nameOffset = t.pointers.entry - t.scratch.pointer;
    const hot = [this.pass, this.#name, this.#isSame, this.#isSameOwner, isOlder];
    for (const method of hot) cheaplyCompiled<unknown>(method);
  }

  /** Whether this way is open for a folder of the target, with the options at hand. */
  mayPass(node: FolderNode): boolean {
    const { options } = this.#t;
    return (
      options.comparison === "time" &&
      !options.ignoreExisting &&
      node.targetFd >= 0 &&
      !node.isNew &&
      node.exactNames === undefined
    );
  }

  /**
   * Goes on from the entry at `from` to the first that is not plainly unchanged, over at most
   * `limit` of them. Returns where it begins.
   */
  pass(node: FolderNode, payload: Payload, from: number, limit: number): number {
    const { bytes, view } = payload;
    const t = this.#t;
    const end = bytes.length;
    const pointer = this.#namePointer;
    const status = t.target.pointer;
    const { targetFd } = node;
    let at = from;
    let count = 0;
    let sizes = 0;
    while (count < limit && end - at > headBytes) {
      const head = view.getUint32(at, true);
      // No bit is set, so that the upper half is zero, and nothing follows the name.
      if (head > NAME_BYTES_MAX || view.getUint32(at + 4, true) !== 0) break;
      const nameAt = at + headBytes;
      if (nameAt + head > end || !this.#name(bytes, nameAt, head)) break;
      if (sys.statx(targetFd, pointer, AT.SYMLINK_NOFOLLOW, STATX.BASIC_STATS, status) !== 0) break;
      if (!this.#isSame(view, at)) break;
      sizes += view.getUint32(at + sent.size + 4, true) * 4294967296;
      sizes += view.getUint32(at + sent.size, true);
      count++;
      at = nameAt + head;
    }
    this.passed = count;
    if (count > 0) this.#count(node, count, sizes);
    return at;
  }

  /** Puts a name where the kernel can read it; false for one that is none (check.ts). */
  #name(from: Uint8Array, offset: number, length: number): boolean {
    const to = this.#t.scratch.bytes;
    const start = this.#nameOffset;
    if (length === 0 || from[offset] === dot) return false;
    for (let i = 0; i < length; i++) {
      const byte = from[offset + i] as number;
      if (byte === 0 || byte === slash) return false;
      to[start + i] = byte;
    }
    to[start + length] = 0;
    return true;
  }

  /** Whether the entry at `at` is a plain file, and t.target the status of its copy. */
  #isSame(view: DataView, at: number): boolean {
    const words = this.#t.targetWords;
    const size = at + sent.size;
    const mtime = at + sent.mtime;
    const mode = view.getUint16(at + sent.mode, true);
    return (
      view.getUint32(size, true) === words[STATX_WORD.size] &&
      view.getUint32(mtime, true) === words[STATX_WORD.mtime] &&
      view.getUint32(mtime + 8, true) === words[STATX_WORD.mtime + 2] &&
      view.getUint32(mtime + 4, true) === words[STATX_WORD.mtime + 1] &&
      view.getUint32(size + 4, true) === words[STATX_WORD.size + 1] &&
      (words[STATX_WORD.size + 1] as number) < sizeHighMax &&
      mode === ((words[STATX_WORD.mode] as number) & 0xffff) &&
      (mode & S.IFMT) === S.IFREG &&
      view.getUint32(at + sent.nlink, true) === 1 &&
      words[STATX_WORD.nlink] === 1 &&
      this.#isSameOwner(view, at, words) &&
      isOlder(view, at + sent.ctime, words, this.#t.sourceLagSec)
    );
  }

  #isSameOwner(view: DataView, at: number, words: Uint32Array): boolean {
    const { owner, user } = this.#t.options;
    if (!owner) return true;
    if (view.getUint32(at + sent.gid, true) !== words[STATX_WORD.gid]) return false;
    return view.getUint32(at + sent.uid, true) === words[STATX_WORD.uid] || user.uid !== 0;
  }

  #count(node: FolderNode, count: number, sizes: number): void {
    const t = this.#t;
    node.matched += count;
    t.add(counter.upToDate, count);
    t.add(counter.bytesDone, sizes);
    t.add(counter.itemsDone, count);
  }
}

/** The source's status last changed before the target's: it has no new extended attributes. */
function isOlder(view: DataView, at: number, words: Uint32Array, lagSec: number): boolean {
  const high = view.getUint32(at + 4, true) - (words[STATX_WORD.ctime + 1] as number);
  const low = view.getUint32(at, true) - (words[STATX_WORD.ctime] as number);
  const seconds = high * 4294967296 + low + lagSec;
  if (seconds !== 0) return seconds < 0;
  return view.getUint32(at + 8, true) < (words[STATX_WORD.ctime + 2] as number);
}
