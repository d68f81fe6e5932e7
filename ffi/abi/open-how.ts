/** struct open_how of openat2(2), and what it forbids on the way: linux/openat2.h. */
export const OPEN_HOW_LAYOUT = { size: 24, flags: 0, mode: 8, resolve: 16 } as const;

export const RESOLVE = {
  NO_XDEV: 0x01,
  NO_MAGICLINKS: 0x02,
  NO_SYMLINKS: 0x04,
  BENEATH: 0x08,
  IN_ROOT: 0x10,
} as const;

/** Its number, equal on x64 and arm64: the C library has no function for it. */
export const SYS_OPENAT2 = 437;
