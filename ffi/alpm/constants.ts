/** Numbers of alpm.h, the same in the versions 13 to 15. */

/** alpm_errno_t, those that are told apart. */
export const ALPM_ERROR = {
  SYSTEM: 2,
  BADPERMS: 3,
  NOT_A_DIR: 5,
  DISK_SPACE: 7,
  HANDLE_LOCK: 10,
  DB_OPEN: 11,
  DB_CREATE: 12,
  DB_NOT_FOUND: 15,
  DB_INVALID: 16,
  DB_INVALID_SIG: 17,
  DB_VERSION: 18,
  TRANS_DUP_TARGET: 25,
  TRANS_ABORT: 29,
  TRANS_HOOK_FAILED: 32,
  PKG_NOT_FOUND: 33,
  PKG_IGNORED: 34,
  PKG_INVALID: 35,
  PKG_INVALID_CHECKSUM: 36,
  PKG_INVALID_SIG: 37,
  PKG_MISSING_SIG: 38,
  PKG_INVALID_ARCH: 42,
  SIG_MISSING: 43,
  SIG_INVALID: 44,
  UNSATISFIED_DEPS: 45,
  CONFLICTING_DEPS: 46,
  FILE_CONFLICTS: 47,
} as const;

/** alpm_siglevel_t. */
export const ALPM_SIG = {
  PACKAGE: 1 << 0,
  PACKAGE_OPTIONAL: 1 << 1,
  PACKAGE_MARGINAL_OK: 1 << 2,
  PACKAGE_UNKNOWN_OK: 1 << 3,
  DATABASE: 1 << 10,
  DATABASE_OPTIONAL: 1 << 11,
  DATABASE_MARGINAL_OK: 1 << 12,
  DATABASE_UNKNOWN_OK: 1 << 13,
} as const;

/** alpm_transflag_t. */
export const ALPM_FLAG = {
  RECURSE: 1 << 5,
  ALLDEPS: 1 << 8,
  NEEDED: 1 << 13,
  NOLOCK: 1 << 17,
} as const;

/** alpm_db_usage_t: all of it. */
export const ALPM_DB_USAGE_ALL = 15;

/** alpm_loglevel_t. */
export const ALPM_LOG = { ERROR: 1, WARNING: 2 } as const;

/** alpm_pkgreason_t: pulled in by another package. */
export const ALPM_REASON_DEPEND = 1;

/** alpm_fileconflicttype_t: two packages of one transaction have the file. */
export const ALPM_FILECONFLICT_TARGET = 1;
