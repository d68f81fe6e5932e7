import { FFIType, type Pointer, read } from "bun:ffi";
import { errno, errnoName, errnoText } from "./errno.ts";
import { wantsFaults, withFaults } from "./fault-injection.ts";
import { openLibc } from "./library.ts";

/**
 * The table of system calls: one mutable object, so that fault injection and simulation can put
 * their own function in the place of any entry (design.md, Tests).
 *
 * Every entry returns the call's result, or minus the error number: no exception is made for what
 * a hot path expects (ENOENT, EEXIST). EINTR is retried here and nowhere else; short reads and
 * writes are the business of the loops in libc/file.ts. Pointers are plain numbers.
 */

const i32 = "i32";
const u32 = "u32";
const i64 = FFIType.i64_fast;
const ptr = "ptr";

const library = openLibc({
  __errno_location: { args: [], returns: ptr },
  openat: { args: [i32, ptr, i32, u32], returns: i32 },
  close: { args: [i32], returns: i32 },
  read: { args: [i32, ptr, i64], returns: i64 },
  write: { args: [i32, ptr, i64], returns: i64 },
  pread: { args: [i32, ptr, i64, i64], returns: i64 },
  pwrite: { args: [i32, ptr, i64, i64], returns: i64 },
  lseek: { args: [i32, i64, i32], returns: i64 },
  ftruncate: { args: [i32, i64], returns: i32 },
  fallocate: { args: [i32, i32, i64, i64], returns: i32 },
  posix_fadvise: { args: [i32, i64, i64, i32], returns: i32 },
  copy_file_range: { args: [i32, ptr, i32, ptr, i64, u32], returns: i64 },
  sendfile: { args: [i32, i32, ptr, i64], returns: i64 },
  ioctl: { args: [i32, i64, i64], returns: i32 },
  fcntl: { args: [i32, i32, i64], returns: i32 },
  getdents64: { args: [i32, ptr, i64], returns: i64 },
  statx: { args: [i32, ptr, i32, u32, ptr], returns: i32 },
  fstatfs: { args: [i32, ptr], returns: i32 },
  mkdirat: { args: [i32, ptr, u32], returns: i32 },
  mknodat: { args: [i32, ptr, u32, i64], returns: i32 },
  renameat2: { args: [i32, ptr, i32, ptr, u32], returns: i32 },
  unlinkat: { args: [i32, ptr, i32], returns: i32 },
  linkat: { args: [i32, ptr, i32, ptr, i32], returns: i32 },
  symlinkat: { args: [ptr, i32, ptr], returns: i32 },
  readlinkat: { args: [i32, ptr, ptr, i64], returns: i64 },
  fchmod: { args: [i32, u32], returns: i32 },
  fchmodat: { args: [i32, ptr, u32, i32], returns: i32 },
  fchown: { args: [i32, u32, u32], returns: i32 },
  fchownat: { args: [i32, ptr, u32, u32, i32], returns: i32 },
  utimensat: { args: [i32, ptr, ptr, i32], returns: i32 },
  futimens: { args: [i32, ptr], returns: i32 },
  flistxattr: { args: [i32, ptr, i64], returns: i64 },
  fgetxattr: { args: [i32, ptr, ptr, i64], returns: i64 },
  fsetxattr: { args: [i32, ptr, ptr, i64, i32], returns: i32 },
  fremovexattr: { args: [i32, ptr], returns: i32 },
  llistxattr: { args: [ptr, ptr, i64], returns: i64 },
  lgetxattr: { args: [ptr, ptr, ptr, i64], returns: i64 },
  lsetxattr: { args: [ptr, ptr, ptr, i64, i32], returns: i32 },
  lremovexattr: { args: [ptr, ptr], returns: i32 },
  flock: { args: [i32, i32], returns: i32 },
  fsync: { args: [i32], returns: i32 },
  syncfs: { args: [i32], returns: i32 },
  mmap: { args: [i64, i64, i32, i32, i32, i64], returns: i64 },
  getrlimit: { args: [i32, ptr], returns: i32 },
  setrlimit: { args: [i32, ptr], returns: i32 },
  sigaction: { args: [i32, ptr, ptr], returns: i32 },
  umask: { args: [u32], returns: u32 },
  execve: { args: [ptr, ptr, ptr], returns: i32 },
  madvise: { args: [i64, i64, i32], returns: i32 },
  socket: { args: [i32, i32, i32], returns: i32 },
  socketpair: { args: [i32, i32, i32, ptr], returns: i32 },
  connect: { args: [i32, ptr, u32], returns: i32 },
  bind: { args: [i32, ptr, u32], returns: i32 },
  listen: { args: [i32, i32], returns: i32 },
  accept4: { args: [i32, ptr, ptr, i32], returns: i32 },
  getsockname: { args: [i32, ptr, ptr], returns: i32 },
  getpeername: { args: [i32, ptr, ptr], returns: i32 },
  getsockopt: { args: [i32, i32, i32, ptr, ptr], returns: i32 },
  setsockopt: { args: [i32, i32, i32, ptr, u32], returns: i32 },
  shutdown: { args: [i32, i32], returns: i32 },
  poll: { args: [ptr, i64, i32], returns: i32 },
  recv: { args: [i32, ptr, i64, i32], returns: i64 },
  send: { args: [i32, ptr, i64, i32], returns: i64 },
  splice: { args: [i32, ptr, i32, ptr, i64, u32], returns: i64 },
  pipe2: { args: [ptr, i32], returns: i32 },
  fchdir: { args: [i32], returns: i32 },
  chroot: { args: [ptr], returns: i32 },
  unshare: { args: [i32], returns: i32 },
  prctl: { args: [i32, i64, i64, i64, i64], returns: i32 },
  syscall: { args: [i64, i64, i64, i64, i64, i64, i64], returns: i64 },
  memcmp: { args: [ptr, ptr, i64], returns: i32 },
});

/** Tests disturb the calls here, below the retries; asked once, so it costs nothing otherwise. */
const symbols = wantsFaults() ? withFaults(library) : library;

/** The address of errno, which is one per thread; a worker stays on its thread (docs/bun.md). */
const errnoPointer = symbols.__errno_location() as Pointer;

type Call<Args extends number[]> = (...args: Args) => number;

/** -1 becomes -errno; EINTR restarts the call. */
function restarting<Args extends number[]>(raw: (...args: never[]) => number | bigint): Call<Args> {
  const call = raw as unknown as Call<Args>;
  return (...args: Args): number => {
    for (;;) {
      const result = call(...args);
      if (result !== -1) return result;
      const error = read.i32(errnoPointer, 0);
      if (error !== errno.EINTR) return -error;
    }
  };
}

/** As `restarting`, without a rest array: the calls of the hot path, by number of arguments. */
function restarting1(raw: unknown): (a: number) => number {
  const call = raw as (a: number) => number;
  return (a) => {
    for (;;) {
      const result = call(a);
      if (result !== -1) return result;
      const error = read.i32(errnoPointer, 0);
      if (error !== errno.EINTR) return -error;
    }
  };
}
function restarting3(raw: unknown): (a: number, b: number, c: number) => number {
  const call = raw as (a: number, b: number, c: number) => number;
  return (a, b, c) => {
    for (;;) {
      const result = call(a, b, c);
      if (result !== -1) return result;
      const error = read.i32(errnoPointer, 0);
      if (error !== errno.EINTR) return -error;
    }
  };
}
function restarting4(raw: unknown): (a: number, b: number, c: number, d: number) => number {
  const call = raw as (a: number, b: number, c: number, d: number) => number;
  return (a, b, c, d) => {
    for (;;) {
      const result = call(a, b, c, d);
      if (result !== -1) return result;
      const error = read.i32(errnoPointer, 0);
      if (error !== errno.EINTR) return -error;
    }
  };
}
function restarting5(
  raw: unknown,
): (a: number, b: number, c: number, d: number, e: number) => number {
  const call = raw as (a: number, b: number, c: number, d: number, e: number) => number;
  return (a, b, c, d, e) => {
    for (;;) {
      const result = call(a, b, c, d, e);
      if (result !== -1) return result;
      const error = read.i32(errnoPointer, 0);
      if (error !== errno.EINTR) return -error;
    }
  };
}

/** close(2) must not be repeated after EINTR: on Linux the descriptor is gone already. */
function closeOnce(fd: number): number {
  if (symbols.close(fd) !== -1) return 0;
  const error = read.i32(errnoPointer, 0);
  return error === errno.EINTR ? 0 : -error;
}

export const sys = {
  openat: restarting4(symbols.openat),
  close: closeOnce,
  read: restarting3(symbols.read),
  write: restarting3(symbols.write),
  pread: restarting4(symbols.pread),
  pwrite: restarting4(symbols.pwrite),
  lseek: restarting3(symbols.lseek),
  ftruncate: restarting<[number, number]>(symbols.ftruncate),
  fallocate: restarting4(symbols.fallocate),
  /** Returns the error number itself, as POSIX has it: advice only, so callers ignore it. */
  posix_fadvise: symbols.posix_fadvise as unknown as Call<[number, number, number, number]>,
  copy_file_range: restarting<[number, number, number, number, number, number]>(
    symbols.copy_file_range,
  ),
  sendfile: restarting4(symbols.sendfile),
  ioctl: restarting3(symbols.ioctl),
  fcntl: restarting3(symbols.fcntl),
  getdents64: restarting3(symbols.getdents64),
  statx: restarting5(symbols.statx),
  fstatfs: restarting<[number, number]>(symbols.fstatfs),
  mkdirat: restarting3(symbols.mkdirat),
  mknodat: restarting4(symbols.mknodat),
  renameat2: restarting5(symbols.renameat2),
  unlinkat: restarting3(symbols.unlinkat),
  linkat: restarting5(symbols.linkat),
  symlinkat: restarting3(symbols.symlinkat),
  readlinkat: restarting4(symbols.readlinkat),
  fchmod: restarting<[number, number]>(symbols.fchmod),
  fchmodat: restarting4(symbols.fchmodat),
  fchown: restarting3(symbols.fchown),
  fchownat: restarting5(symbols.fchownat),
  utimensat: restarting4(symbols.utimensat),
  futimens: restarting<[number, number]>(symbols.futimens),
  flistxattr: restarting3(symbols.flistxattr),
  fgetxattr: restarting4(symbols.fgetxattr),
  fsetxattr: restarting5(symbols.fsetxattr),
  fremovexattr: restarting<[number, number]>(symbols.fremovexattr),
  llistxattr: restarting3(symbols.llistxattr),
  lgetxattr: restarting4(symbols.lgetxattr),
  lsetxattr: restarting5(symbols.lsetxattr),
  lremovexattr: restarting<[number, number]>(symbols.lremovexattr),
  flock: restarting<[number, number]>(symbols.flock),
  fsync: restarting1(symbols.fsync),
  syncfs: restarting1(symbols.syncfs),
  mmap: restarting<[number, number, number, number, number, number]>(symbols.mmap),
  getrlimit: restarting<[number, number]>(symbols.getrlimit),
  setrlimit: restarting<[number, number]>(symbols.setrlimit),
  sigaction: restarting3(symbols.sigaction),
  /** Cannot fail; returns the former mask. */
  execve: restarting3(symbols.execve),
  umask: symbols.umask as unknown as Call<[number]>,
  madvise: restarting3(symbols.madvise),
  socket: restarting3(symbols.socket),
  socketpair: restarting4(symbols.socketpair),
  /** Only for sockets that do not block: an interrupted one must not be repeated (connect(2)). */
  connect: restarting3(symbols.connect),
  bind: restarting3(symbols.bind),
  listen: restarting<[number, number]>(symbols.listen),
  accept4: restarting4(symbols.accept4),
  getsockname: restarting3(symbols.getsockname),
  getpeername: restarting3(symbols.getpeername),
  getsockopt: restarting5(symbols.getsockopt),
  setsockopt: restarting5(symbols.setsockopt),
  shutdown: restarting<[number, number]>(symbols.shutdown),
  /** Waits anew, for the whole time, after a signal. */
  poll: restarting3(symbols.poll),
  recv: restarting4(symbols.recv),
  send: restarting4(symbols.send),
  splice: restarting<[number, number, number, number, number, number]>(symbols.splice),
  pipe2: restarting<[number, number]>(symbols.pipe2),
  fchdir: restarting1(symbols.fchdir),
  chroot: restarting1(symbols.chroot),
  unshare: restarting1(symbols.unshare),
  prctl: restarting5(symbols.prctl),
  /** syscall(2), for what the C library has no function for, or one that acts on every thread. */
  syscall: restarting<[number, number, number, number, number, number, number]>(symbols.syscall),
  /** Not a system call, but of the same library: <0, 0 or >0. */
  memcmp: symbols.memcmp as unknown as Call<[number, number, number]>,
};

/** A system call that failed: which, why, and on what. */
export class SystemError extends Error {
  override readonly name = "SystemError";
  /** Positive error number. */
  readonly errno: number;
  /** Symbolic name, such as "ENOENT". */
  readonly code: string;
  readonly call: string;
  readonly path: string | undefined;

  constructor(options: { errno: number; call: string; path?: string | undefined }) {
    const { call, path } = options;
    const where = path === undefined ? "" : ` "${path}"`;
    super(`${call}${where}: ${errnoText(options.errno)} (${errnoName(options.errno)})`);
    this.errno = options.errno;
    this.code = errnoName(options.errno);
    this.call = call;
    this.path = path;
  }
}

/**
 * Passes a result through, or throws for a negative one.
 * @throws SystemError naming the call and the path.
 */
export function check(result: number, call: string, path?: string): number {
  if (result < 0) throw new SystemError({ errno: -result, call, path });
  return result;
}
