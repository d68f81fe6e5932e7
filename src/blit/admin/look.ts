import { AT, DT, O, S, STATX } from "../../../ffi/abi/constants.ts";
import { StatView } from "../../../ffi/abi/stat.ts";
import { Memory, writeCString } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";
import type { AdminEntry, EntryKind } from "./types.ts";

/** Where things lie in the scratch memory. */
const layout = { status: 0, name: 512, link: 4096 } as const;
const linkBytes = 4096;
const scratchBytes = 8192;
/** One getdents64 call: what one turn of the event loop looks at, some hundred entries. */
const direntBytes = 32 * 1024;

const folderFlags = O.RDONLY | O.DIRECTORY | O.NOFOLLOW | O.CLOEXEC | O.NONBLOCK;

/**
 * Scratch memory for looking at entries by folder descriptor. Nothing in it outlives a turn of the
 * event loop, so one serves every call of a thread.
 */
class Look {
  readonly #scratch = new Memory(scratchBytes);
  /** What getdents64 has answered. */
  readonly dirents = new Memory(direntBytes);
  /** Filled by `statName` and `statFd`. */
  readonly status = new StatView(this.#scratch.buffer, layout.status, this.#scratch.pointer);

  /** Places a name for the kernel; its address. */
  name(name: string): number {
    writeCString(this.#scratch.bytes, layout.name, name);
    return this.#scratch.pointer + layout.name;
  }

  /** Looks at an entry of a folder, not through a symbolic link. 0 or -errno. */
  statName(fd: number, name: string): number {
    const { pointer } = this.status;
    return sys.statx(fd, this.name(name), AT.SYMLINK_NOFOLLOW, statusMask, pointer);
  }

  /** Looks at what is open. 0 or -errno. */
  statFd(fd: number): number {
    return sys.statx(fd, this.name(""), AT.EMPTY_PATH, statusMask, this.status.pointer);
  }

  /** Opens a folder in a folder, never through a symbolic link. */
  openFolder(fd: number, name: string): number {
    return sys.openat(fd, this.name(name), folderFlags, 0);
  }

  /** Where a symbolic link points; "" as name is what is open by O_PATH. undefined: not told. */
  readLink(fd: number, name: string): string | undefined {
    const pointer = this.#scratch.pointer + layout.link;
    const length = sys.readlinkat(fd, this.name(name), pointer, linkBytes);
    if (length < 0) return undefined;
    return this.#scratch.text.latin1Slice(layout.link, layout.link + length);
  }

  /** Reads on in a folder. Bytes of records, 0 at its end, or -errno. */
  readFolder(fd: number): number {
    return sys.getdents64(fd, this.dirents.pointer, direntBytes);
  }

  /** What `status` holds, as an entry. */
  entry(path: string, linkTarget: string | undefined): AdminEntry {
    const { status } = this;
    return {
      path,
      kind: kindOfMode(status.mode),
      sizeBytes: status.sizeBytes,
      mtimeSec: status.mtimeSec,
      mtimeNsec: status.mtimeNsec,
      mode: status.mode,
      uid: status.uid,
      gid: status.gid,
      linkTarget,
    };
  }
}

const statusMask = STATX.BASIC_STATS | STATX.MNT_ID;

let shared: Look | undefined;

/** The scratch memory of this thread. */
export function look(): Look {
  shared ??= new Look();
  return shared;
}

/** The kind of an entry by st_mode. */
export function kindOfMode(mode: number): EntryKind {
  const type = mode & S.IFMT;
  if (type === S.IFREG) return "file";
  if (type === S.IFDIR) return "folder";
  return type === S.IFLNK ? "symlink" : "special";
}

/** The kind of an entry by d_type; undefined where the file system does not tell. */
export function kindOfType(type: number): EntryKind | undefined {
  if (type === DT.UNKNOWN) return undefined;
  if (type === DT.REG) return "file";
  if (type === DT.DIR) return "folder";
  return type === DT.LNK ? "symlink" : "special";
}

/** Bytes that the status at hand says are in use: st_blocks counts 512 bytes each. */
export function diskBytesOf(status: StatView): number {
  return status.blocks * 512;
}
