/**
 * struct statfs of statfs(2) on 64-bit Linux: byte offsets of fields of eight bytes.
 * test/ffi/abi/statfs.test.ts compares them with offsetof of a C compiler.
 */
export const STATFS_LAYOUT = {
  size: 120,
  type: 0,
  blockBytes: 8,
  blocks: 16,
  blocksFree: 24,
  blocksAvailable: 32,
  files: 40,
  filesFree: 48,
  fragmentBytes: 72,
  flags: 80,
} as const;

/** f_flags: the mount is read-only (statfs(2)). */
export const ST_RDONLY = 1;
