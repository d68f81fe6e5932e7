import {
  BTRFS_IOCTL,
  SUBVOL_INFO_LAYOUT,
  SUBVOL_RDONLY,
  VOL_ARGS_LAYOUT,
  VOL_ARGS_V2_LAYOUT,
} from "../abi/btrfs.ts";
import { errno } from "../errno.ts";
import { Memory } from "../mem.ts";
import { sys } from "../sys.ts";
import type { BtrfsCalls } from "./calls.ts";
import { readInfo } from "./info.ts";

/** ioctl_btrfs of the kernel, without a library. */
export const ioctlCalls: BtrfsCalls = {
  kind: "ioctl",
  create: (folder, name) => {
    const args = volumeArguments(VOL_ARGS_V2_LAYOUT, name);
    return typeof args === "number"
      ? args
      : sys.ioctl(folder, BTRFS_IOCTL.SUBVOL_CREATE_V2, args.pointer);
  },
  snapshot: (source, folder, name, isReadOnly) => {
    const args = volumeArguments(VOL_ARGS_V2_LAYOUT, name);
    if (typeof args === "number") return args;
    const view = new DataView(args.buffer);
    view.setBigInt64(VOL_ARGS_V2_LAYOUT.fd, BigInt(source), true);
    view.setBigUint64(VOL_ARGS_V2_LAYOUT.flags, BigInt(isReadOnly ? SUBVOL_RDONLY : 0), true);
    return sys.ioctl(folder, BTRFS_IOCTL.SNAP_CREATE_V2, args.pointer);
  },
  remove: (folder, name) => {
    const args = volumeArguments(VOL_ARGS_LAYOUT, name);
    return typeof args === "number"
      ? args
      : sys.ioctl(folder, BTRFS_IOCTL.SNAP_DESTROY, args.pointer);
  },
  setReadOnly: (subvolume, isReadOnly) => {
    const { pointer, buffer } = scratch();
    const flags = new BigUint64Array(buffer, 0, 1);
    const got = sys.ioctl(subvolume, BTRFS_IOCTL.SUBVOL_GETFLAGS, pointer);
    if (got < 0) return got;
    const bit = BigInt(SUBVOL_RDONLY);
    const before = flags[0] ?? 0n;
    flags[0] = isReadOnly ? before | bit : before & ~bit;
    if (flags[0] === before) return 0;
    return sys.ioctl(subvolume, BTRFS_IOCTL.SUBVOL_SETFLAGS, pointer);
  },
  info: (subvolume) => {
    const { pointer, buffer, bytes } = scratch();
    bytes.fill(0, 0, SUBVOL_INFO_LAYOUT.size);
    const got = sys.ioctl(subvolume, BTRFS_IOCTL.GET_SUBVOL_INFO, pointer);
    return got < 0 ? got : readInfo(buffer, SUBVOL_INFO_LAYOUT);
  },
  sync: (folder) => sys.ioctl(folder, BTRFS_IOCTL.SYNC, 0),
};

let block: Memory | undefined;

function scratch(): Memory {
  block ??= new Memory(VOL_ARGS_V2_LAYOUT.size);
  return block;
}

function volumeArguments(
  layout: typeof VOL_ARGS_LAYOUT | typeof VOL_ARGS_V2_LAYOUT,
  name: string,
): Memory | number {
  const bytes = Buffer.from(name);
  if (bytes.length > 255) return -errno.ENAMETOOLONG;
  if (bytes.length === 0 || name.includes("/") || name.includes("\0")) return -errno.EINVAL;
  const memory = scratch();
  memory.bytes.fill(0, 0, layout.size);
  memory.bytes.set(bytes, layout.name);
  return memory;
}
