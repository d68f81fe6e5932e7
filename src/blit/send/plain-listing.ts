import { AT, DT, S, STATX } from "../../../ffi/abi/constants.ts";
import { DIRENT_LAYOUT } from "../../../ffi/abi/dirent.ts";
import { STATX_LAYOUT } from "../../../ffi/abi/stat.ts";
import { sys } from "../../../ffi/sys.ts";
import { cheaplyCompiled } from "../engine/compile-cost.ts";
import { counter } from "../engine/shared-state.ts";
import type { Thread } from "../engine/thread.ts";
import { NAME_BYTES_MAX, STATUS_BYTES } from "../wire/frame.ts";
import { entryHeadBytes, FrameWriter } from "./frame-writer.ts";
import { EntryCollector, type OpenFolder } from "./open-folder.ts";
import type { Sender } from "./sender.ts";

/**
 * Writes the plain files of a listing, which are most of what there is: one call for each, no
 * object, no text, little code to compile. Whatever else comes up is left to FolderWalk.
 */

const { reclen, type, name } = DIRENT_LAYOUT;
const modeWord = STATX_LAYOUT.mode / 4;
const nlinkWord = STATX_LAYOUT.nlink / 4;
const sizeWord = STATX_LAYOUT.sizeBytes / 4;
const dot = 46;
const entryBytesMax = entryHeadBytes + STATUS_BYTES + NAME_BYTES_MAX;

export class PlainListing {
  readonly #t: Thread;
  readonly #frames: FrameWriter;
  readonly #collector: EntryCollector;
  /** How many entries the last call wrote. */
  written = 0;
  /** The status of the entry that it stopped at is in t.source. */
  hasLooked = false;

  constructor({ t, frames, collector }: Pick<Sender, "t" | "frames" | "collector">) {
    this.#t = t;
    this.#frames = frames;
    this.#collector = collector;
    const hot = [this.write, FrameWriter.prototype.plainEntry, EntryCollector.prototype.add];
    for (const method of hot) cheaplyCompiled<unknown>(method);
  }

  /**
   * Goes on from `from` in the listing of `got` bytes to the first entry that is no plain file of
   * one name, or that the frame at hand has no room for. Returns where it is.
   */
  write(folder: OpenFolder, from: number, got: number, limit: number): number {
    const t = this.#t;
    const frames = this.#frames;
    const collector = this.#collector;
    const { bytes, pointer } = t.dirents;
    const words = t.sourceWords;
    const status = t.source.pointer;
    const { fd } = folder;
    let at = from;
    let count = 0;
    let sizes = 0;
    this.hasLooked = false;
    while (at < got && count < limit) {
      const start = at + name;
      // Names with a dot may be temporary ones, or the folder itself.
      if (bytes[at + type] !== DT.REG || bytes[start] === dot) break;
      if (frames.room < entryBytesMax) break;
      const flags = AT.SYMLINK_NOFOLLOW;
      if (sys.statx(fd, pointer + start, flags, STATX.BASIC_STATS, status) !== 0) break;
      if (((words[modeWord] as number) & S.IFMT) !== S.IFREG || words[nlinkWord] !== 1) {
        this.hasLooked = true;
        break;
      }
      let length = 1;
      while (bytes[start + length] !== 0) length++;
      frames.plainEntry(words, bytes, start, length);
      collector.add(bytes, start, length, words);
      sizes += (words[sizeWord + 1] as number) * 4294967296 + (words[sizeWord] as number);
      count++;
      at += (bytes[at + reclen] as number) | ((bytes[at + reclen + 1] as number) << 8);
    }
    this.written = count;
    if (count === 0) return at;
    t.add(counter.seen, count);
    t.add(counter.seenBytes, sizes);
    folder.items += count;
    folder.bytes += sizes;
    return at;
  }
}
