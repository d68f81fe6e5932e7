import {
  BTRFS_IOCTL,
  DATA_CONTAINER_LAYOUT,
  INO_PATHS_LAYOUT,
  INODE_ITEM_KEY,
  INODE_ITEM_LAYOUT,
  SEARCH_ARGS_LAYOUT,
  SEARCH_HEADER_LAYOUT,
  SUBVOLUME_INODE,
} from "../abi/btrfs.ts";
import { Memory } from "../mem.ts";
import { sys } from "../sys.ts";

const BUFFER_BYTES = 256 * 1024;
const ID_MAX = 0xffff_ffff_ffff_ffffn;

/**
 * Inodes of a subvolume that were changed in this transaction or later, found by looking only at
 * the leaves of its tree that were (BTRFS_IOC_TREE_SEARCH_V2); or -errno.
 *
 * @param subvolume its open root folder
 */
export function changedInodes(subvolume: number, since: number): Set<number> | number {
  const memory = new Memory(SEARCH_ARGS_LAYOUT.buffer + BUFFER_BYTES);
  const view = new DataView(memory.buffer);
  const put = (offset: number, value: bigint): void => view.setBigUint64(offset, value, true);
  const found = new Set<number>();
  const at = { object: BigInt(SUBVOLUME_INODE), type: 0, offset: 0n };
  for (;;) {
    // The subvolume of the descriptor.
    put(SEARCH_ARGS_LAYOUT.treeId, 0n);
    put(SEARCH_ARGS_LAYOUT.minObject, at.object);
    put(SEARCH_ARGS_LAYOUT.maxObject, ID_MAX);
    put(SEARCH_ARGS_LAYOUT.minOffset, at.offset);
    put(SEARCH_ARGS_LAYOUT.maxOffset, ID_MAX);
    put(SEARCH_ARGS_LAYOUT.minTransaction, BigInt(since));
    put(SEARCH_ARGS_LAYOUT.maxTransaction, ID_MAX);
    view.setUint32(SEARCH_ARGS_LAYOUT.minType, at.type, true);
    view.setUint32(SEARCH_ARGS_LAYOUT.maxType, 255, true);
    view.setUint32(SEARCH_ARGS_LAYOUT.itemCount, 0xffff_ffff, true);
    put(SEARCH_ARGS_LAYOUT.bufferSize, BigInt(BUFFER_BYTES));
    const result = sys.ioctl(subvolume, BTRFS_IOCTL.TREE_SEARCH_V2, memory.pointer);
    if (result < 0) return result;
    const count = view.getUint32(SEARCH_ARGS_LAYOUT.itemCount, true);
    if (count === 0) return found;
    let position: number = SEARCH_ARGS_LAYOUT.buffer;
    for (let index = 0; index < count; index++) {
      at.object = view.getBigUint64(position + SEARCH_HEADER_LAYOUT.object, true);
      at.offset = view.getBigUint64(position + SEARCH_HEADER_LAYOUT.offset, true);
      at.type = view.getUint32(position + SEARCH_HEADER_LAYOUT.type, true);
      const length = view.getUint32(position + SEARCH_HEADER_LAYOUT.length, true);
      const item = position + SEARCH_HEADER_LAYOUT.size;
      if (at.type === INODE_ITEM_KEY && length >= INODE_ITEM_LAYOUT.size) {
        const changed = view.getBigUint64(item + INODE_ITEM_LAYOUT.transaction, true);
        if (changed >= BigInt(since)) found.add(Number(at.object));
      }
      position = item + length;
    }
    if (!advance(at)) return found;
  }
}

/** The key behind this one; false behind the last. */
function advance(key: { object: bigint; type: number; offset: bigint }): boolean {
  if (key.offset < ID_MAX) {
    key.offset += 1n;
    return true;
  }
  key.offset = 0n;
  if (key.type < 255) {
    key.type += 1;
    return true;
  }
  key.type = 0;
  key.object += 1n;
  return key.object <= ID_MAX;
}

/**
 * Paths of an inode within its subvolume, one for each hard link, as latin1 text of their bytes;
 * or -errno. `isWhole` is false where there are more than fit.
 */
export function inodePaths(
  subvolume: number,
  inode: number,
): { readonly paths: readonly string[]; readonly isWhole: boolean } | number {
  if (inode === SUBVOLUME_INODE) return { paths: [""], isWhole: true };
  const size = 64 * 1024;
  pathMemory ??= new Memory(INO_PATHS_LAYOUT.size + 8 + size);
  const { buffer, bytes, pointer, text } = pathMemory;
  const view = new DataView(buffer);
  const container = INO_PATHS_LAYOUT.size + 8;
  bytes.fill(0, 0, container + DATA_CONTAINER_LAYOUT.size);
  view.setBigUint64(INO_PATHS_LAYOUT.inode, BigInt(inode), true);
  view.setBigUint64(INO_PATHS_LAYOUT.bufferSize, BigInt(size), true);
  view.setBigUint64(INO_PATHS_LAYOUT.buffer, BigInt(pointer + container), true);
  const result = sys.ioctl(subvolume, BTRFS_IOCTL.INO_PATHS, pointer);
  if (result < 0) return result;
  const missing = view.getUint32(container + DATA_CONTAINER_LAYOUT.bytesMissing, true);
  const count = view.getUint32(container + DATA_CONTAINER_LAYOUT.count, true);
  const values = container + DATA_CONTAINER_LAYOUT.values;
  const paths = Array.from({ length: count }, (_, index) => {
    // Offsets count from the first of them.
    const start = values + Number(view.getBigUint64(values + index * 8, true));
    return text.latin1Slice(start, bytes.indexOf(0, start));
  });
  return { paths, isWhole: missing === 0 };
}

let pathMemory: Memory | undefined;
