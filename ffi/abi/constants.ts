/** Linux constants of x64 and arm64; checked against the C headers by test/ffi/abi/. */
const arm64 = process.arch === "arm64";

/** open(2) flags. O_DIRECT, O_DIRECTORY, O_NOFOLLOW and O_TMPFILE have other values on arm64. */
export const O = {
  RDONLY: 0,
  WRONLY: 1,
  RDWR: 2,
  CREAT: 0o100,
  EXCL: 0o200,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  DIRECT: arm64 ? 0o200000 : 0o40000,
  DIRECTORY: arm64 ? 0o40000 : 0o200000,
  NOFOLLOW: arm64 ? 0o100000 : 0o400000,
  NOATIME: 0o1000000,
  CLOEXEC: 0o2000000,
  PATH: 0o10000000,
} as const;

/** *at(2) flags. */
export const AT = {
  FDCWD: -100,
  SYMLINK_NOFOLLOW: 0x100,
  REMOVEDIR: 0x200,
  SYMLINK_FOLLOW: 0x400,
  EMPTY_PATH: 0x1000,
} as const;

/** File types in st_mode, inode(7). */
export const S = {
  IFMT: 0o170000,
  IFSOCK: 0o140000,
  IFLNK: 0o120000,
  IFREG: 0o100000,
  IFBLK: 0o060000,
  IFDIR: 0o040000,
  IFCHR: 0o020000,
  IFIFO: 0o010000,
  ISUID: 0o4000,
  ISGID: 0o2000,
  ISVTX: 0o1000,
} as const;

/** d_type of getdents64(2). */
export const DT = {
  UNKNOWN: 0,
  FIFO: 1,
  CHR: 2,
  DIR: 4,
  BLK: 6,
  REG: 8,
  LNK: 10,
  SOCK: 12,
} as const;

/** statx(2) masks. */
export const STATX = {
  TYPE: 0x1,
  MODE: 0x2,
  NLINK: 0x4,
  UID: 0x8,
  GID: 0x10,
  ATIME: 0x20,
  MTIME: 0x40,
  CTIME: 0x80,
  INO: 0x100,
  SIZE: 0x200,
  BLOCKS: 0x400,
  BASIC_STATS: 0x7ff,
  MNT_ID: 0x1000,
} as const;

/** lseek(2) whence. */
export const SEEK = { SET: 0, DATA: 3, HOLE: 4 } as const;

/** ioctl(2) requests: linux/fs.h. */
export const IOCTL = { FICLONE: 0x40049409, FS_GETFLAGS: 0x80086601 } as const;

/** Inode flags of FS_IOC_GETFLAGS: linux/fs.h. */
export const FS_CASEFOLD_FL = 0x40000000;

/** renameat2(2) flags. */
export const RENAME = { NOREPLACE: 1, EXCHANGE: 2 } as const;

/** fallocate(2) modes. */
export const FALLOC = { KEEP_SIZE: 1 } as const;

/** posix_fadvise(2). */
export const FADV = { SEQUENTIAL: 2, WILLNEED: 3, DONTNEED: 4 } as const;

/** utimensat(2) special nanoseconds. */
export const UTIME = { NOW: 0x3fffffff, OMIT: 0x3ffffffe } as const;

/** mmap(2). */
export const MMAP = { PROT_READ: 1, PROT_WRITE: 2, PRIVATE: 2, ANONYMOUS: 0x20 } as const;

/** madvise(2). */
export const MADV = { DONTNEED: 4 } as const;

/** fcntl(2) commands. */
export const FCNTL = { GETFL: 3, SETFL: 4, DUPFD_CLOEXEC: 1030, SETPIPE_SZ: 1031 } as const;

/** splice(2) flags. */
export const SPLICE = { MOVE: 1, NONBLOCK: 2, MORE: 4 } as const;

/** flock(2) operations: sys/file.h. */
export const LOCK = { SH: 1, EX: 2, NB: 4 } as const;

/** getrlimit(2) resources. */
export const RLIMIT = { NOFILE: 7 } as const;

/** statfs(2) f_type by name of file system: linux/magic.h. */
export const FS_MAGIC: Readonly<Record<number, string>> = {
  61267: "ext4",
  2435016766: "btrfs",
  1481003842: "xfs",
  16914836: "tmpfs",
  19780: "vfat",
  538032816: "exfat",
  26985: "nfs",
  4283649346: "cifs",
  4266872130: "smb2",
  801189825: "zfs",
  4076150800: "f2fs",
  2035054128: "overlay",
  1702057286: "fuse",
  2866260714: "bcachefs",
  1397118030: "ntfs",
};
