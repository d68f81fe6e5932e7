import { dlopen, FFIType } from "bun:ffi";
import { findSharedLibrary } from "./shared-library.ts";
import { restarting, type sys } from "./sys.ts";

/**
 * Sockets over RDMA: rsockets of librdmacm, rsocket(7). The calls are those of sockets, so what
 * sends and receives with a table of calls works with this one too. The library is opened only
 * when asked for, and only from where distributions put it.
 */

const i32 = "i32";
const u32 = "u32";
const i64 = FFIType.i64_fast;
const ptr = "ptr";

const symbols = {
  rsocket: { args: [i32, i32, i32], returns: i32 },
  rbind: { args: [i32, ptr, u32], returns: i32 },
  rlisten: { args: [i32, i32], returns: i32 },
  raccept: { args: [i32, ptr, ptr], returns: i32 },
  rconnect: { args: [i32, ptr, u32], returns: i32 },
  rgetsockname: { args: [i32, ptr, ptr], returns: i32 },
  rgetpeername: { args: [i32, ptr, ptr], returns: i32 },
  rgetsockopt: { args: [i32, i32, i32, ptr, ptr], returns: i32 },
  rsetsockopt: { args: [i32, i32, i32, ptr, u32], returns: i32 },
  rfcntl: { args: [i32, i32, i64], returns: i32 },
  rsend: { args: [i32, ptr, i64, i32], returns: i64 },
  rrecv: { args: [i32, ptr, i64, i32], returns: i64 },
  rpoll: { args: [ptr, i64, i32], returns: i32 },
  rshutdown: { args: [i32, i32], returns: i32 },
  rclose: { args: [i32], returns: i32 },
} as const;

type Table = Pick<
  typeof sys,
  | "socket"
  | "bind"
  | "listen"
  | "connect"
  | "getsockname"
  | "getpeername"
  | "getsockopt"
  | "setsockopt"
  | "fcntl"
  | "send"
  | "recv"
  | "poll"
  | "shutdown"
  | "close"
> & { readonly accept: (fd: number, address: number, length: number) => number };

function open(): Table | undefined {
  const path = findSharedLibrary(["librdmacm.so.1"]);
  if (path === undefined) return undefined;
  try {
    const c = dlopen(path, symbols).symbols;
    return {
      socket: restarting(c.rsocket),
      bind: restarting(c.rbind),
      listen: restarting(c.rlisten),
      accept: restarting(c.raccept),
      connect: restarting(c.rconnect),
      getsockname: restarting(c.rgetsockname),
      getpeername: restarting(c.rgetpeername),
      getsockopt: restarting(c.rgetsockopt),
      setsockopt: restarting(c.rsetsockopt),
      fcntl: restarting(c.rfcntl),
      send: restarting(c.rsend),
      recv: restarting(c.rrecv),
      poll: restarting(c.rpoll),
      shutdown: restarting(c.rshutdown),
      close: restarting(c.rclose),
    };
  } catch {
    // Another library of that name, or an older one.
    return undefined;
  }
}

let table: { readonly calls: Table | undefined } | undefined;

/**
 * The calls, with results as in `sys`; undefined where there is no library. Descriptors are of
 * their own kind: none of them may be given to a call of `sys`, and none of those to these.
 */
export function rdmaCalls(): Table | undefined {
  table ??= { calls: open() };
  return table.calls;
}
