import { BTRFS_IOCTL, FIEMAP_EXTENT, FIEMAP_EXTENT_LAYOUT, FIEMAP_LAYOUT } from "../abi/btrfs.ts";
import { Memory } from "../mem.ts";
import { sys } from "../sys.ts";

const EXTENTS_PER_CALL = 256;

/** What has no place of its own on the disk, or none yet. */
const PLACELESS = FIEMAP_EXTENT.UNKNOWN | FIEMAP_EXTENT.DELALLOC | FIEMAP_EXTENT.DATA_INLINE;

let memory: Memory | undefined;

/**
 * How many bytes of an open file lie on the disk, and how many of them belong to other files or
 * snapshots too (FS_IOC_FIEMAP); or -errno. What is kept among the metadata does not count.
 */
export function extentBytes(
  file: number,
): { readonly bytes: number; readonly sharedBytes: number } | number {
  memory ??= new Memory(FIEMAP_LAYOUT.size + EXTENTS_PER_CALL * FIEMAP_EXTENT_LAYOUT.size);
  const view = new DataView(memory.buffer);
  let [bytes, sharedBytes, start] = [0, 0, 0n];
  for (;;) {
    view.setBigUint64(FIEMAP_LAYOUT.start, start, true);
    view.setBigUint64(FIEMAP_LAYOUT.length, 0xffff_ffff_ffff_ffffn - start, true);
    view.setUint32(FIEMAP_LAYOUT.flags, 0, true);
    view.setUint32(FIEMAP_LAYOUT.room, EXTENTS_PER_CALL, true);
    const result = sys.ioctl(file, BTRFS_IOCTL.FIEMAP, memory.pointer);
    if (result < 0) return result;
    const count = view.getUint32(FIEMAP_LAYOUT.mapped, true);
    if (count === 0) return { bytes, sharedBytes };
    for (let index = 0; index < count; index++) {
      const at = FIEMAP_LAYOUT.extents + index * FIEMAP_EXTENT_LAYOUT.size;
      const length = view.getBigUint64(at + FIEMAP_EXTENT_LAYOUT.length, true);
      const flags = view.getUint32(at + FIEMAP_EXTENT_LAYOUT.flags, true);
      start = view.getBigUint64(at + FIEMAP_EXTENT_LAYOUT.logical, true) + length;
      if ((flags & PLACELESS) === 0) {
        bytes += Number(length);
        if ((flags & FIEMAP_EXTENT.SHARED) !== 0) sharedBytes += Number(length);
      }
      if ((flags & FIEMAP_EXTENT.LAST) !== 0) return { bytes, sharedBytes };
    }
  }
}
