import { type FFIFunction, FFIType } from "bun:ffi";
import { openLibc } from "./library.ts";
import { restarting } from "./sys.ts";

/**
 * Calls of the C library about processes, mounts and the machine, for init alone: bound together at
 * the first use, so that nobody else pays for them. As in `sys`, -errno where a call fails.
 */
const i32 = "i32";
const i64 = FFIType.i64_fast;
const ptr = "ptr";

const signatures = {
  waitpid: { args: [i32, ptr, i32], returns: i32 },
  kill: { args: [i32, i32], returns: i32 },
  pthread_sigmask: { args: [i32, ptr, ptr], returns: i32 },
  mprotect: { args: [i64, i64, i32], returns: i32 },
  mount: { args: [ptr, ptr, ptr, i64, ptr], returns: i32 },
  umount2: { args: [ptr, i32], returns: i32 },
  sethostname: { args: [ptr, i64], returns: i32 },
  reboot: { args: [i32], returns: i32 },
  sync: { args: [], returns: "void" },
} as const satisfies Record<string, FFIFunction>;

function bind() {
  const raw = openLibc(signatures);
  return {
    /** waitpid(2): the pid, 0 where none has ended (WNOHANG), or -errno. */
    waitpid: restarting<[number, number, number]>(raw.waitpid),
    /** kill(2); a negative pid is a process group. */
    kill: restarting<[number, number]>(raw.kill),
    /** pthread_sigmask(3): returns the error number itself. */
    pthread_sigmask: raw.pthread_sigmask as unknown as Call3,
    mprotect: restarting<[number, number, number]>(raw.mprotect),
    mount: restarting<[number, number, number, number, number]>(raw.mount),
    umount2: restarting<[number, number]>(raw.umount2),
    sethostname: restarting<[number, number]>(raw.sethostname),
    reboot: restarting<[number]>(raw.reboot),
    sync: (): void => raw.sync(),
  };
}

type Call3 = (how: number, set: number, old: number) => number;

let bound: ReturnType<typeof bind> | undefined;

/** The calls. @throws Error where the C library lacks one */
export function processCalls(): ReturnType<typeof bind> {
  bound ??= bind();
  return bound;
}
