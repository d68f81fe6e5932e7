import { AT, O, STATX } from "../../../ffi/abi/constants.ts";
import { StatView } from "../../../ffi/abi/stat.ts";
import { Memory } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";
import { ARCHIVE_IN_MEMORY_BYTES } from "./limits.ts";

/** Where things lie in the small block. */
const layout = { status: 0, empty: 512, name: 1024, otherName: 9216 };
const nameBytesMax = layout.otherName - layout.name;
const smallBytes = layout.otherName + nameBytesMax;

/**
 * Memory of one thread for system calls, made when it is first needed and used for one wheel after
 * the other. What is in it is overwritten by the next call of the same kind.
 */
export class Scratch {
  readonly #small = new Memory(smallBytes);
  readonly #text = Buffer.from(this.#small.buffer);
  #archive: Memory | undefined;
  /** What the last call of {@link stat} found. */
  readonly status: StatView = new StatView(
    this.#small.buffer,
    layout.status,
    this.#small.pointer + layout.status,
  );

  /** Room for the largest archive that is read as a whole; pages are taken as they are used. */
  get archive(): Memory {
    this.#archive ??= new Memory(ARCHIVE_IN_MEMORY_BYTES);
    return this.#archive;
  }

  /** Puts a name where the kernel can read it: its address, valid until the next call. */
  name(text: string): number {
    return this.#write(text, layout.name);
  }
  /** As {@link name}, for calls that take two. */
  otherName(text: string): number {
    return this.#write(text, layout.otherName);
  }

  #write(text: string, offset: number): number {
    // A character of UTF-16 takes at most three bytes.
    if (text.length * 3 >= nameBytesMax && Buffer.byteLength(text) >= nameBytesMax) {
      throw new Error(`a path of ${text.length} characters exceeds its buffer`);
    }
    const bytes = this.#text.write(text, offset, "utf8");
    this.#text[offset + bytes] = 0;
    return this.#small.pointer + offset;
  }

  /** statx of an open descriptor into `status`; 0 or -errno. */
  stat(fd: number): number {
    const empty = this.#small.pointer + layout.empty;
    return sys.statx(fd, empty, AT.EMPTY_PATH, STATX.BASIC_STATS, this.status.pointer);
  }

  /** statx of a name below a folder, not following a symbolic link; 0 or -errno. */
  statAt(fd: number, namePointer: number): number {
    const { pointer } = this.status;
    return sys.statx(fd, namePointer, AT.SYMLINK_NOFOLLOW, STATX.BASIC_STATS, pointer);
  }

  /** Opens a path; a descriptor or -errno. */
  open(path: string, flags: number, folder: number = AT.FDCWD): number {
    return sys.openat(folder, this.name(path), flags | O.CLOEXEC, 0);
  }
}

let own: Scratch | undefined;

/** The calling thread's memory. */
export function scratch(): Scratch {
  own ??= new Scratch();
  return own;
}
