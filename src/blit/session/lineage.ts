import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { AT, O, STATX } from "../../../ffi/abi/constants.ts";
import { StatView } from "../../../ffi/abi/stat.ts";
import { Fd } from "../../../ffi/fd.ts";
import { Memory, writeCString } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";
import { LINEAGE_MAX } from "./limits.ts";

/**
 * What tells two sides of a transfer that they are on one machine, and how their folders lie to
 * each other there: a folder and those above it, each as a hash of kernel, device and inode.
 */

const lookFlags = O.PATH | O.DIRECTORY | O.CLOEXEC;
const statusAt = 1024;
let kernel: string | undefined;
let scratch: Memory | undefined;

/** Of the running kernel: containers on one machine have the same, as their devices are. */
function kernelId(): string {
  if (kernel === undefined) {
    try {
      kernel = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    } catch {
      kernel = "";
    }
  }
  return kernel;
}

/** An open folder first, then those above it up to the root. Empty where that cannot be told. */
export function lineageOf(fd: number): string[] {
  const id = kernelId();
  if (id === "" || fd < 0) return [];
  // One for all calls: nothing in it outlives them.
  scratch ??= new Memory(4096);
  const memory = scratch;
  const status = new StatView(memory.buffer, statusAt, memory.pointer + statusAt);
  const lineage: string[] = [];
  let current = new Fd(openAt(memory, fd, "."));
  try {
    while (current.isOpen && lineage.length < LINEAGE_MAX) {
      if (!look(memory, current.number)) return [];
      const { dev, inoHigh, inoLow } = status;
      const place = hashOf(`${id} ${dev} ${inoHigh} ${inoLow}`);
      if (place === lineage.at(-1)) break;
      lineage.push(place);
      const above = new Fd(openAt(memory, current.number, ".."));
      current.close();
      current = above;
    }
    return lineage;
  } finally {
    current.close();
  }
}

function hashOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 32);
}

function openAt(memory: Memory, fd: number, name: string): number {
  writeCString(memory.bytes, 0, name);
  return sys.openat(fd, memory.pointer, lookFlags, 0);
}

function look(memory: Memory, fd: number): boolean {
  writeCString(memory.bytes, 0, "");
  const flags = AT.EMPTY_PATH | AT.SYMLINK_NOFOLLOW;
  return sys.statx(fd, memory.pointer, flags, STATX.BASIC_STATS, memory.pointer + statusAt) === 0;
}
