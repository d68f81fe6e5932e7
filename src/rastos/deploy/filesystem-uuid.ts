import { BTRFS_IOCTL, FS_INFO_LAYOUT } from "../../../ffi/abi/btrfs.ts";
import { Memory } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";
import { must } from "../snapshot/fault.ts";
import { openFolder } from "../snapshot/subvolume.ts";

/** UUID of the btrfs that a folder is on, as `root=UUID=` wants it. @throws {Fault} */
export function filesystemUuid(path: string): string {
  using folder = openFolder(path);
  const info = new Memory(FS_INFO_LAYOUT.size);
  must(sys.ioctl(folder.number, BTRFS_IOCTL.FS_INFO, info.pointer), `read the btrfs of "${path}"`);
  const hex = Buffer.from(info.buffer, FS_INFO_LAYOUT.uuid, 16).toString("hex");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
