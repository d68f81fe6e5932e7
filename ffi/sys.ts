import { type FFIFunction, FFIType, type Pointer, read } from "bun:ffi";
import { errno, errnoName, errnoText } from "./errno.ts";
import { wantsFaults, withFaults } from "./fault-injection.ts";
import { openLibc } from "./library.ts";

/**
 * The table of system calls: one mutable object, so that fault injection and simulation can put
 * their own function in the place of any entry (design.md, Tests).
 *
 * Every entry returns the call's result, or minus the error number: no exception is made for what
 * a hot path expects (ENOENT, EEXIST). EINTR is retried here and nowhere else; short reads and
 * writes are the business of the loops in libc/file.ts. Pointers are plain numbers. An entry is
 * bound when it is first called, so it is called through the table and not kept.
 */

const i32 = "i32";
const u32 = "u32";
const i64 = FFIType.i64_fast;
const ptr = "ptr";

const signatures = {
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
} as const satisfies Record<string, FFIFunction>;

type Name = keyof typeof signatures;

/** Tests disturb the calls here, below the retries; asked once, so it costs nothing otherwise. */
const disturbed = wantsFaults() ? withFaults(openLibc(signatures)) : undefined;

/** One function of the C library. Binding all of them would cost 2 ms at every start. */
function symbol(name: Name): (...args: never[]) => unknown {
  if (disturbed !== undefined) return disturbed[name];
  return openLibc({ [name]: signatures[name] })[name] as (...args: never[]) => unknown;
}

/**
 * The address of errno, which is one per thread; a worker stays on its thread (docs/bun.md). Known
 * from the first call that is bound: many commands import this table and call nothing of it.
 */
let errnoPointer = 0 as Pointer;

type Call<Args extends number[]> = (...args: Args) => number;

/** What is done to a call when it is bound, such as keeping it out of a compiler stage. */
let onBound: (call: unknown) => void = () => {};

/** Has each call that is bound from now on, in this thread, seen by `hook`. */
export function whenBound(hook: (call: unknown) => void): void {
  onBound = hook;
}

const binders: (() => unknown)[] = [];

/** Binds what is not bound yet: for a thread that will not be able to open a library any more. */
export function bindAll(): void {
  for (const bind of binders) bind();
}

/** Binds the function when it is first called, and takes its own place in the table. */
function lazily<Args extends number[]>(
  name: Exclude<Name, "__errno_location">,
  make: (raw: (...args: never[]) => number | bigint) => Call<Args>,
): Call<Args> {
  let bound: Call<Args> | undefined;
  const bind = (): Call<Args> => {
    if (bound !== undefined) return bound;
    if (errnoPointer === 0) errnoPointer = (symbol("__errno_location") as () => Pointer)();
    bound = make(symbol(name) as (...args: never[]) => number);
    onBound(bound);
    const table = sys as unknown as Record<string, Call<Args>>;
    // A test may have put its own function there.
    if (table[name] === stub) table[name] = bound;
    return bound;
  };
  const stub: Call<Args> = (...args) => bind()(...args);
  binders.push(bind);
  return stub;
}

/** For calls that are handed out as they are. */
function plain<Args extends number[]>(raw: unknown): Call<Args> {
  return raw as Call<Args>;
}

/** -1 becomes -errno; EINTR restarts the call. */
export function restarting<Args extends number[]>(
  raw: (...args: never[]) => number | bigint,
): Call<Args> {
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
function closingOnce(raw: unknown): (fd: number) => number {
  const call = raw as (fd: number) => number;
  return (fd) => {
    if (call(fd) !== -1) return 0;
    const error = read.i32(errnoPointer, 0);
    return error === errno.EINTR ? 0 : -error;
  };
}

export const sys = {
  openat: lazily("openat", restarting4),
  close: lazily("close", closingOnce),
  read: lazily("read", restarting3),
  write: lazily("write", restarting3),
  pread: lazily("pread", restarting4),
  pwrite: lazily("pwrite", restarting4),
  lseek: lazily("lseek", restarting3),
  ftruncate: lazily<[number, number]>("ftruncate", restarting),
  fallocate: lazily("fallocate", restarting4),
  /** Returns the error number itself, as POSIX has it: advice only, so callers ignore it. */
  posix_fadvise: lazily<[number, number, number, number]>("posix_fadvise", plain),
  copy_file_range: lazily<[number, number, number, number, number, number]>(
    "copy_file_range",
    restarting,
  ),
  sendfile: lazily("sendfile", restarting4),
  ioctl: lazily("ioctl", restarting3),
  fcntl: lazily("fcntl", restarting3),
  getdents64: lazily("getdents64", restarting3),
  statx: lazily("statx", restarting5),
  fstatfs: lazily<[number, number]>("fstatfs", restarting),
  mkdirat: lazily("mkdirat", restarting3),
  mknodat: lazily("mknodat", restarting4),
  renameat2: lazily("renameat2", restarting5),
  unlinkat: lazily("unlinkat", restarting3),
  linkat: lazily("linkat", restarting5),
  symlinkat: lazily("symlinkat", restarting3),
  readlinkat: lazily("readlinkat", restarting4),
  fchmod: lazily<[number, number]>("fchmod", restarting),
  fchmodat: lazily("fchmodat", restarting4),
  fchown: lazily("fchown", restarting3),
  fchownat: lazily("fchownat", restarting5),
  utimensat: lazily("utimensat", restarting4),
  futimens: lazily<[number, number]>("futimens", restarting),
  flistxattr: lazily("flistxattr", restarting3),
  fgetxattr: lazily("fgetxattr", restarting4),
  fsetxattr: lazily("fsetxattr", restarting5),
  fremovexattr: lazily<[number, number]>("fremovexattr", restarting),
  llistxattr: lazily("llistxattr", restarting3),
  lgetxattr: lazily("lgetxattr", restarting4),
  lsetxattr: lazily("lsetxattr", restarting5),
  lremovexattr: lazily<[number, number]>("lremovexattr", restarting),
  flock: lazily<[number, number]>("flock", restarting),
  fsync: lazily("fsync", restarting1),
  syncfs: lazily("syncfs", restarting1),
  mmap: lazily<[number, number, number, number, number, number]>("mmap", restarting),
  getrlimit: lazily<[number, number]>("getrlimit", restarting),
  setrlimit: lazily<[number, number]>("setrlimit", restarting),
  sigaction: lazily("sigaction", restarting3),
  /** Cannot fail; returns the former mask. */
  execve: lazily("execve", restarting3),
  umask: lazily<[number]>("umask", plain),
  madvise: lazily("madvise", restarting3),
  socket: lazily("socket", restarting3),
  socketpair: lazily("socketpair", restarting4),
  /** Only for sockets that do not block: an interrupted one must not be repeated (connect(2)). */
  connect: lazily("connect", restarting3),
  bind: lazily("bind", restarting3),
  listen: lazily<[number, number]>("listen", restarting),
  accept4: lazily("accept4", restarting4),
  getsockname: lazily("getsockname", restarting3),
  getpeername: lazily("getpeername", restarting3),
  getsockopt: lazily("getsockopt", restarting5),
  setsockopt: lazily("setsockopt", restarting5),
  shutdown: lazily<[number, number]>("shutdown", restarting),
  /** Waits anew, for the whole time, after a signal. */
  poll: lazily("poll", restarting3),
  recv: lazily("recv", restarting4),
  send: lazily("send", restarting4),
  splice: lazily<[number, number, number, number, number, number]>("splice", restarting),
  pipe2: lazily<[number, number]>("pipe2", restarting),
  fchdir: lazily("fchdir", restarting1),
  chroot: lazily("chroot", restarting1),
  unshare: lazily("unshare", restarting1),
  prctl: lazily("prctl", restarting5),
  /** syscall(2), for what the C library has no function for, or one that acts on every thread. */
  syscall: lazily<[number, number, number, number, number, number, number]>("syscall", restarting),
  /** Not a system call, but of the same library: <0, 0 or >0. */
  memcmp: lazily<[number, number, number]>("memcmp", plain),
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
