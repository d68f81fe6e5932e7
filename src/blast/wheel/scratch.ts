import { AT, STATX } from "../../../ffi/abi/constants.ts";
import { STATX_LAYOUT, StatView } from "../../../ffi/abi/stat.ts";
import { Memory } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";
import { ARCHIVE_IN_MEMORY_BYTES } from "./limits.ts";

/**
 * Memory of one thread for system calls, made when it is first needed and used for one wheel after
 * the other. What is in it is overwritten by the next call of the same kind.
 */
export class Scratch {
  /** The status, and behind it the empty path. */
  readonly #small = new Memory(STATX_LAYOUT.size + 1);
  #archive: Memory | undefined;
  /** What the last call of {@link stat} found. */
  readonly status: StatView = new StatView(this.#small.buffer, 0, this.#small.pointer);

  /** Room for the largest archive that is read as a whole; pages are taken as they are used. */
  get archive(): Memory {
    this.#archive ??= new Memory(ARCHIVE_IN_MEMORY_BYTES);
    return this.#archive;
  }

  /** statx of an open descriptor into `status`; 0 or -errno. */
  stat(fd: number): number {
    const empty = this.#small.pointer + STATX_LAYOUT.size;
    return sys.statx(fd, empty, AT.EMPTY_PATH, STATX.BASIC_STATS, this.status.pointer);
  }
}

let own: Scratch | undefined;

/** The calling thread's memory. */
export function scratch(): Scratch {
  own ??= new Scratch();
  return own;
}
