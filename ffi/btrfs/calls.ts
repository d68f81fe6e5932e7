import { errno } from "../errno.ts";
import { wantsFaults } from "../fault-injection.ts";
import { ioctlCalls } from "./ioctl.ts";
import { utilCalls } from "./util.ts";

/** What the kernel knows about a subvolume. UUIDs as text; "" where there is none. */
export interface SubvolumeInfo {
  readonly id: number;
  /** Id of the subvolume that it lies in. */
  readonly parentId: number;
  readonly isReadOnly: boolean;
  readonly uuid: string;
  /** Of the subvolume that it is a snapshot of. */
  readonly parentUuid: string;
  /** Of the subvolume, on another file system, that it was received from. */
  readonly receivedUuid: string;
  /** Transaction that has changed it last. */
  readonly generation: number;
  /** Transaction that has made it. */
  readonly createdTransaction: number;
  /** Milliseconds since 1970. */
  readonly createdMs: number;
}

/**
 * The calls on subvolumes, by open folder and name; results are 0 or -errno, as in `sys`. A name
 * has no slash in it.
 */
export interface BtrfsCalls {
  readonly kind: "libbtrfsutil" | "ioctl";
  /** Makes an empty subvolume. */
  create(folder: number, name: string): number;
  /** Makes a snapshot of the subvolume that `source` is the root of; on the disk on return. */
  snapshot(source: number, folder: number, name: string, isReadOnly: boolean): number;
  /** Removes a subvolume that has no other in it; not on the disk before the next commit. */
  remove(folder: number, name: string): number;
  /** On the disk on return. */
  setReadOnly(subvolume: number, isReadOnly: boolean): number;
  info(subvolume: number): SubvolumeInfo | number;
  /** Writes everything that was done so far to the disk. */
  sync(folder: number): number;
}

let chosen: BtrfsCalls | undefined;
let library: BtrfsCalls | undefined;

/**
 * libbtrfsutil's calls, or those of the kernel itself where the library is not installed. Under
 * fault injection always the latter, because that reaches only what goes through `sys`.
 *
 * Making a snapshot and asking for one are the kernel's in any case, where it has them: there the
 * library only hands the same struct on, and to open it takes a clone half a millisecond more.
 */
export function btrfsCalls(): BtrfsCalls {
  chosen ??= wantsFaults() ? ioctlCalls : mixedCalls();
  return chosen;
}

function mixedCalls(): BtrfsCalls {
  const opened = (): BtrfsCalls => {
    library ??= utilCalls() ?? ioctlCalls;
    return library;
  };
  return {
    get kind() {
      return opened().kind;
    },
    create: (folder, name) => opened().create(folder, name),
    snapshot: ioctlCalls.snapshot,
    remove: (folder, name) => opened().remove(folder, name),
    setReadOnly: (subvolume, isReadOnly) => opened().setReadOnly(subvolume, isReadOnly),
    info: (subvolume) => {
      const info = ioctlCalls.info(subvolume);
      // Before Linux 4.18, where the library looks into the trees; and of what is no btrfs.
      return info === -errno.ENOTTY ? opened().info(subvolume) : info;
    },
    sync: (folder) => opened().sync(folder),
  };
}
