import { dlopen, type FFIFunction, type Pointer, read } from "bun:ffi";
import { UTIL_INFO_LAYOUT } from "../abi/btrfs.ts";
import { errno } from "../errno.ts";
import { openLibc } from "../library.ts";
import { Memory } from "../mem.ts";
import { findSharedLibrary } from "../shared-library.ts";
import type { BtrfsCalls } from "./calls.ts";
import { readInfo } from "./info.ts";

/** libbtrfsutil 1 (btrfsutil.h): each function returns 0, or says which of its steps failed. */
const signatures = {
  btrfs_util_create_subvolume_fd: { args: ["i32", "ptr", "i32", "ptr", "ptr"], returns: "i32" },
  btrfs_util_create_snapshot_fd2: {
    args: ["i32", "i32", "ptr", "i32", "ptr", "ptr"],
    returns: "i32",
  },
  btrfs_util_delete_subvolume_fd: { args: ["i32", "ptr", "i32"], returns: "i32" },
  btrfs_util_get_subvolume_read_only_fd: { args: ["i32", "ptr"], returns: "i32" },
  btrfs_util_set_subvolume_read_only_fd: { args: ["i32", "bool"], returns: "i32" },
  btrfs_util_subvolume_info_fd: { args: ["i32", "u64", "ptr"], returns: "i32" },
  btrfs_util_sync_fd: { args: ["i32"], returns: "i32" },
} as const satisfies Record<string, FFIFunction>;

const READ_ONLY = 2;
const STOPPED = 1;
const NO_MEMORY = 2;
const INVALID_ARGUMENT = 3;
const NOT_BTRFS = 4;
const NOT_SUBVOLUME = 5;
const SUBVOLUME_NOT_FOUND = 6;

/** What the errors mean that the library finds by itself, without a call that sets errno. */
const OWN_ERRORS: Readonly<Record<number, number>> = {
  [STOPPED]: errno.ENOENT,
  [NO_MEMORY]: errno.ENOMEM,
  [INVALID_ARGUMENT]: errno.EINVAL,
  [NOT_BTRFS]: errno.ENOTTY,
  [NOT_SUBVOLUME]: errno.EINVAL,
  [SUBVOLUME_NOT_FOUND]: errno.ENOENT,
};

type Name = keyof typeof signatures;

/** The calls of libbtrfsutil; undefined where it is not installed, or another one than expected. */
export function utilCalls(): BtrfsCalls | undefined {
  const path = findSharedLibrary(["libbtrfsutil.so.1"]);
  if (path === undefined) return undefined;
  try {
    return callsOf(path);
  } catch {
    return undefined;
  }
}

function callsOf(path: string): BtrfsCalls {
  const errnoAt = openLibc({ __errno_location: { args: [], returns: "ptr" } }).__errno_location();
  const memory = new Memory(4096);
  const bound = new Map<Name, (...args: unknown[]) => number>();
  // Each is bound when it is first wanted: all of them at once cost more than a snapshot's ioctl.
  const call = (name: Name, ...args: unknown[]): number => {
    let run = bound.get(name);
    if (run === undefined) {
      const symbols = dlopen(path, { [name]: signatures[name] }).symbols;
      run = symbols[name] as unknown as (...args: unknown[]) => number;
      bound.set(name, run);
    }
    const result = run(...args);
    return result === 0 ? 0 : -(OWN_ERRORS[result] ?? read.i32(errnoAt as Pointer, 0));
  };
  // The first one now: a library that is not what its name says shall not be chosen.
  bound.set("btrfs_util_sync_fd", syncOf(path));
  const name = (text: string): number => {
    const bytes = Buffer.from(`${text}\0`);
    if (bytes.length > 256) return -errno.ENAMETOOLONG;
    memory.bytes.set(bytes, UTIL_INFO_LAYOUT.size);
    return memory.pointer + UTIL_INFO_LAYOUT.size;
  };
  const named = (text: string, run: (address: number) => number): number => {
    if (text.includes("\0")) return -errno.EINVAL;
    const address = name(text);
    return address < 0 ? address : run(address);
  };
  return {
    kind: "libbtrfsutil",
    create: (folder, text) =>
      named(text, (at) => call("btrfs_util_create_subvolume_fd", folder, at, 0, null, null)),
    snapshot: (source, folder, text, isReadOnly) =>
      named(text, (at) => {
        const flags = isReadOnly ? READ_ONLY : 0;
        return call("btrfs_util_create_snapshot_fd2", source, folder, at, flags, null, null);
      }),
    remove: (folder, text) =>
      named(text, (at) => call("btrfs_util_delete_subvolume_fd", folder, at, 0)),
    setReadOnly: (subvolume, isReadOnly) => {
      memory.bytes[0] = 0;
      const got = call("btrfs_util_get_subvolume_read_only_fd", subvolume, memory.pointer);
      if (got < 0 || (memory.bytes[0] !== 0) === isReadOnly) return got;
      return call("btrfs_util_set_subvolume_read_only_fd", subvolume, isReadOnly);
    },
    info: (subvolume) => {
      const got = call("btrfs_util_subvolume_info_fd", subvolume, 0, memory.pointer);
      return got < 0 ? got : readInfo(memory.buffer, UTIL_INFO_LAYOUT);
    },
    sync: (folder) => call("btrfs_util_sync_fd", folder),
  };
}

function syncOf(path: string): (...args: unknown[]) => number {
  const { btrfs_util_sync_fd } = signatures;
  return dlopen(path, { btrfs_util_sync_fd }).symbols.btrfs_util_sync_fd as unknown as (
    ...args: unknown[]
  ) => number;
}
