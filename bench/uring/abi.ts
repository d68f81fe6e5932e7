/** What of linux/io_uring.h the experiment uses; numbers of Linux 6.1 and later, x64 and arm64. */

/** System call numbers: unified, so equal on every architecture. */
export const NR = { setup: 425, enter: 426, register: 427, listxattrat: 465 } as const;

export const OP = {
  NOP: 0,
  READ_FIXED: 4,
  WRITE_FIXED: 5,
  OPENAT: 18,
  CLOSE: 19,
  STATX: 21,
  READ: 22,
  WRITE: 23,
} as const;

/** sqe->flags. */
export const SQE = { FIXED_FILE: 1, IO_LINK: 4, IO_HARDLINK: 8 } as const;

/** io_uring_params.flags. */
export const SETUP = { COOP_TASKRUN: 0x100, SINGLE_ISSUER: 0x1000, DEFER_TASKRUN: 0x2000 } as const;

/** io_uring_enter(2) flags. */
export const ENTER_GETEVENTS = 1;

/** io_uring_register(2) operations. */
export const REGISTER = { BUFFERS: 0, FILES2: 13, IOWQ_MAX_WORKERS: 19 } as const;

/** io_uring_rsrc_register.flags: a table of empty slots. */
export const RSRC_SPARSE = 1;

/** mmap(2) offsets and flags. */
export const MAP = { SQ_RING: 0, SQES: 0x10000000, SHARED: 1, POPULATE: 0x8000 } as const;

/** struct io_uring_params: 32-bit words from its start. */
export const PARAMS = {
  words: 30,
  sqEntries: 0,
  cqEntries: 1,
  flags: 2,
  features: 5,
  sqHead: 10,
  sqTail: 11,
  sqMask: 12,
  sqArray: 16,
  cqHead: 20,
  cqTail: 21,
  cqMask: 22,
  cqOverflow: 24,
  cqCqes: 25,
} as const;

/** IORING_FEAT_SINGLE_MMAP: both rings in one mapping. Linux 5.4. */
export const FEAT_SINGLE_MMAP = 1;

/** struct io_uring_sqe in 32-bit words: opcode, flags and ioprio share the first. */
export const SQE_WORDS = 16;
/** struct io_uring_cqe in 32-bit words: user_data (2), res, flags. */
export const CQE_WORDS = 4;
