import { FS_MAGIC, O } from "../../../ffi/abi/constants.ts";
import { ST_RDONLY, STATFS_LAYOUT } from "../../../ffi/abi/statfs.ts";
import { Fd } from "../../../ffi/fd.ts";
import { Memory } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";
import { openBeneath } from "../session/open-beneath.ts";
import type { Base } from "../session/types.ts";
import { placeFault } from "./issues.ts";
import { pathWithin } from "./open-place.ts";
import type { FilesystemStats } from "./types.ts";

let memory: Memory | undefined;

/**
 * How full the file system is that holds a place.
 *
 * @throws {Fault} where the place cannot be opened
 */
export function filesystemStats(base: Base, path: string): FilesystemStats {
  const doing = "look at the file system of";
  using opened = new Fd(openBeneath(base, pathWithin(base, path), O.PATH | O.CLOEXEC));
  if (!opened.isOpen) throw placeFault(opened.number, doing, path);
  memory ??= new Memory(STATFS_LAYOUT.size);
  const result = sys.fstatfs(opened.number, memory.pointer);
  if (result < 0) throw placeFault(result, doing, path);
  const view = new DataView(memory.buffer);
  const word = (offset: number): number => Number(view.getBigUint64(offset, true));
  // Sizes are in fragments; file systems that know none leave the field at 0.
  const unit = word(STATFS_LAYOUT.fragmentBytes) || word(STATFS_LAYOUT.blockBytes);
  return {
    fileSystem: FS_MAGIC[view.getUint32(STATFS_LAYOUT.type, true)] ?? "unknown",
    totalBytes: word(STATFS_LAYOUT.blocks) * unit,
    freeBytes: word(STATFS_LAYOUT.blocksFree) * unit,
    availableBytes: word(STATFS_LAYOUT.blocksAvailable) * unit,
    totalInodes: word(STATFS_LAYOUT.files),
    freeInodes: word(STATFS_LAYOUT.filesFree),
    isReadOnly: (word(STATFS_LAYOUT.flags) & ST_RDONLY) !== 0,
  };
}
