/**
 * Error numbers of Linux (asm-generic, valid for x64 and arm64) with their names and texts.
 * Source: errno(3). The ones that differ on darwin are not listed: see `errnoName`.
 */
function rows(): readonly (readonly [number, string, string])[] {
  return [
    [1, "EPERM", "operation not permitted"],
    [2, "ENOENT", "no such file or folder"],
    [3, "ESRCH", "no such process"],
    [4, "EINTR", "interrupted"],
    [5, "EIO", "input/output error"],
    [6, "ENXIO", "no such device or address"],
    [7, "E2BIG", "list too long"],
    [8, "ENOEXEC", "not a program"],
    [9, "EBADF", "bad file descriptor"],
    [10, "ECHILD", "no child processes"],
    [11, "EAGAIN", "temporarily unavailable"],
    [12, "ENOMEM", "out of memory"],
    [13, "EACCES", "permission denied"],
    [14, "EFAULT", "bad address"],
    [16, "EBUSY", "device or resource busy"],
    [17, "EEXIST", "it exists already"],
    [18, "EXDEV", "on another file system"],
    [19, "ENODEV", "no such device"],
    [20, "ENOTDIR", "not a folder"],
    [21, "EISDIR", "is a folder"],
    [22, "EINVAL", "invalid argument"],
    [23, "ENFILE", "too many open files in the system"],
    [24, "EMFILE", "too many open files"],
    [25, "ENOTTY", "not supported by this kind of file"],
    [26, "ETXTBSY", "text file busy"],
    [27, "EFBIG", "file too large"],
    [28, "ENOSPC", "no space left on device"],
    [29, "ESPIPE", "cannot seek"],
    [30, "EROFS", "read-only file system"],
    [31, "EMLINK", "too many links"],
    [32, "EPIPE", "broken pipe"],
    [34, "ERANGE", "result too large"],
    [36, "ENAMETOOLONG", "name too long"],
    [38, "ENOSYS", "not known to this kernel"],
    [39, "ENOTEMPTY", "folder not empty"],
    [40, "ELOOP", "too many symbolic links"],
    [61, "ENODATA", "no such attribute"],
    [71, "EPROTO", "protocol error"],
    [74, "EBADMSG", "corrupt data"],
    [75, "EOVERFLOW", "value too large"],
    [95, "EOPNOTSUPP", "not supported"],
    [97, "EAFNOSUPPORT", "address family not supported"],
    [98, "EADDRINUSE", "address in use"],
    [99, "EADDRNOTAVAIL", "address not available"],
    [100, "ENETDOWN", "network is down"],
    [101, "ENETUNREACH", "network unreachable"],
    [103, "ECONNABORTED", "connection aborted"],
    [104, "ECONNRESET", "connection closed by the other side"],
    [105, "ENOBUFS", "no buffer space"],
    [106, "EISCONN", "connected already"],
    [107, "ENOTCONN", "not connected"],
    [110, "ETIMEDOUT", "timed out"],
    [111, "ECONNREFUSED", "connection refused"],
    [112, "EHOSTDOWN", "host is down"],
    [113, "EHOSTUNREACH", "no route to host"],
    [114, "EALREADY", "in progress already"],
    [115, "EINPROGRESS", "in progress"],
    [116, "ESTALE", "stale file handle"],
    [117, "EUCLEAN", "file system needs repair"],
    [122, "EDQUOT", "disk quota exceeded"],
    [125, "ECANCELED", "cancelled"],
  ];
}

/** Numbers by name, for comparisons in code: `errno.ENOENT`. */
export const errno = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  EBADF: 9,
  ECHILD: 10,
  EAGAIN: 11,
  ENOMEM: 12,
  EACCES: 13,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  EMFILE: 24,
  ENOTTY: 25,
  ETXTBSY: 26,
  EFBIG: 27,
  ENOSPC: 28,
  EROFS: 30,
  EMLINK: 31,
  EPIPE: 32,
  ERANGE: 34,
  ENAMETOOLONG: 36,
  ENOSYS: 38,
  ENOTEMPTY: 39,
  ELOOP: 40,
  ENODATA: 61,
  EPROTO: 71,
  EBADMSG: 74,
  EOPNOTSUPP: 95,
  ECONNRESET: 104,
  ETIMEDOUT: 110,
  EINPROGRESS: 115,
  ESTALE: 116,
  EDQUOT: 122,
  ECANCELED: 125,
} as const;

/** Made when an error is first told: most runs tell none, and this is on the way of all of them. */
interface Tables {
  readonly names: ReadonlyMap<number, string>;
  readonly texts: ReadonlyMap<number, string>;
  readonly numbers: ReadonlyMap<string, number>;
}

let made: Tables | undefined;

function tables(): Tables {
  if (made !== undefined) return made;
  const names = new Map<number, string>();
  const texts = new Map<number, string>();
  const numbers = new Map<string, number>();
  for (const [number, name, text] of rows()) {
    names.set(number, name);
    texts.set(number, text);
    numbers.set(name, number);
  }
  made = { names, texts, numbers };
  return made;
}

/** The symbolic name of an error number, `ERRNO_n` where it is not in the table. */
export function errnoName(number: number): string {
  return tables().names.get(number) ?? `ERRNO_${number}`;
}

/** A short text for a person. */
export function errnoText(number: number): string {
  return tables().texts.get(number) ?? `error number ${number}`;
}

/** The number of a symbolic name, or undefined where it is not in the table. */
export function errnoNumber(name: string): number | undefined {
  return tables().numbers.get(name);
}
