/**
 * ioctl(2) requests and structs of btrfs (linux/btrfs.h, btrfsutil.h) and of fiemap: byte offsets,
 * equal on x64 and arm64. test/ffi/abi/btrfs.test.ts compares them with a C compiler's.
 */
export const BTRFS_IOCTL = {
  SNAP_CREATE_V2: 0x50009417,
  SUBVOL_CREATE_V2: 0x50009418,
  SNAP_DESTROY: 0x5000940f,
  SUBVOL_GETFLAGS: 0x80089419,
  SUBVOL_SETFLAGS: 0x4008941a,
  SYNC: 0x9408,
  GET_SUBVOL_INFO: 0x81f8943c,
  FS_INFO: 0x8400941f,
  TREE_SEARCH_V2: 0xc0709411,
  INO_PATHS: 0xc0389423,
  FIEMAP: 0xc020660b,
} as const;

/** Flag of a subvolume that nobody can write to. */
export const SUBVOL_RDONLY = 2;

/** Inode number of every subvolume's root folder. */
export const SUBVOLUME_INODE = 256;

/** Id of the top level (btrfs_tree.h). */
export const TOP_LEVEL_ID = 5;

/** struct btrfs_ioctl_vol_args_v2. */
export const VOL_ARGS_V2_LAYOUT = { size: 4096, fd: 0, flags: 16, name: 56 } as const;

/** struct btrfs_ioctl_vol_args. */
export const VOL_ARGS_LAYOUT = { size: 4096, fd: 0, name: 8 } as const;

/** struct btrfs_ioctl_get_subvol_info_args. */
export const SUBVOL_INFO_LAYOUT = {
  size: 504,
  id: 0,
  parentId: 264,
  generation: 280,
  flags: 288,
  uuid: 296,
  parentUuid: 312,
  receivedUuid: 328,
  createdTransaction: 352,
  createdSec: 392,
} as const;

/** struct btrfs_ioctl_fs_info_args. */
export const FS_INFO_LAYOUT = { size: 1024, uuid: 16 } as const;

/** struct btrfs_util_subvolume_info of libbtrfsutil. */
export const UTIL_INFO_LAYOUT = {
  size: 184,
  id: 0,
  parentId: 8,
  flags: 24,
  uuid: 32,
  parentUuid: 48,
  receivedUuid: 64,
  generation: 80,
  createdTransaction: 96,
  createdSec: 136,
} as const;

/** struct btrfs_ioctl_search_args_v2 with its struct btrfs_ioctl_search_key. */
export const SEARCH_ARGS_LAYOUT = {
  treeId: 0,
  minObject: 8,
  maxObject: 16,
  minOffset: 24,
  maxOffset: 32,
  minTransaction: 40,
  maxTransaction: 48,
  minType: 56,
  maxType: 60,
  itemCount: 64,
  bufferSize: 104,
  buffer: 112,
} as const;

/** struct btrfs_ioctl_search_header. */
export const SEARCH_HEADER_LAYOUT = {
  size: 32,
  object: 8,
  offset: 16,
  type: 24,
  length: 28,
} as const;

/** struct btrfs_inode_item, as it lies on the disk. */
export const INODE_ITEM_LAYOUT = { size: 160, transaction: 8 } as const;

/** Key type of an inode (btrfs_tree.h). */
export const INODE_ITEM_KEY = 1;

/** struct btrfs_ioctl_ino_path_args, and struct btrfs_data_container that it fills. */
export const INO_PATHS_LAYOUT = { size: 56, inode: 0, bufferSize: 8, buffer: 48 } as const;
export const DATA_CONTAINER_LAYOUT = { size: 16, bytesMissing: 4, count: 8, values: 16 } as const;

/** struct fiemap and struct fiemap_extent (linux/fiemap.h). */
export const FIEMAP_LAYOUT = {
  size: 32,
  start: 0,
  length: 8,
  flags: 16,
  mapped: 20,
  room: 24,
  extents: 32,
} as const;
export const FIEMAP_EXTENT_LAYOUT = {
  size: 56,
  logical: 0,
  physical: 8,
  length: 16,
  flags: 40,
} as const;

/** Flags of an extent. */
export const FIEMAP_EXTENT = {
  LAST: 0x1,
  UNKNOWN: 0x2,
  DELALLOC: 0x4,
  DATA_INLINE: 0x200,
  SHARED: 0x2000,
} as const;
