/** struct linux_dirent64 of getdents64(2): fixed part, then the NUL-terminated name. */
export const DIRENT_LAYOUT = { ino: 0, off: 8, reclen: 16, type: 18, name: 19 } as const;
