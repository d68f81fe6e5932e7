/** Landlock, landlock(7), and what else one thread alone can be confined with. */

/** Rights on files: linux/landlock.h. */
export const LANDLOCK_ACCESS_FS = {
  EXECUTE: 1 << 0,
  WRITE_FILE: 1 << 1,
  READ_FILE: 1 << 2,
  READ_DIR: 1 << 3,
  REMOVE_DIR: 1 << 4,
  REMOVE_FILE: 1 << 5,
  MAKE_CHAR: 1 << 6,
  MAKE_DIR: 1 << 7,
  MAKE_REG: 1 << 8,
  MAKE_SOCK: 1 << 9,
  MAKE_FIFO: 1 << 10,
  MAKE_BLOCK: 1 << 11,
  MAKE_SYM: 1 << 12,
  /** From version 2 on. */
  REFER: 1 << 13,
} as const;

/** From version 3 on, younger than some headers. */
export const LANDLOCK_ACCESS_FS_TRUNCATE = 1 << 14;

export const LANDLOCK = {
  CREATE_RULESET_VERSION: 1,
  RULE_PATH_BENEATH: 1,
} as const;

/** struct landlock_path_beneath_attr, which is packed. */
export const PATH_BENEATH_LAYOUT = { size: 12, access: 0, parent: 8 } as const;

/** prctl(2). */
export const PRCTL = { SET_NO_NEW_PRIVS: 38 } as const;

/** unshare(2). */
export const CLONE = { FS: 0x200 } as const;

const arm64 = process.arch === "arm64";

/** Numbers of calls: the C library has none, or one that changes every thread of the process. */
export const SYS = {
  landlock_create_ruleset: 444,
  landlock_add_rule: 445,
  landlock_restrict_self: 446,
  setgroups: arm64 ? 159 : 116,
  setresuid: arm64 ? 147 : 117,
  setresgid: arm64 ? 149 : 119,
} as const;
