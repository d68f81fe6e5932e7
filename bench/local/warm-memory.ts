import { dlopen, FFIType } from "bun:ffi";
import { existsSync } from "node:fs";
import { command, memoryAvailable } from "./volume.ts";

const PROT_READ_WRITE = 3;
const MAP_PRIVATE_ANONYMOUS = 0x22;
const MADV_HUGEPAGE = 14;
const MADV_POPULATE_WRITE = 23;

/**
 * Touches memory and gives it back. A virtual machine with free page reporting hands free blocks
 * of 2 MiB to its host, and whoever allocates them next pays for their return: a copy of 4 GiB
 * took 2.5 s or 12 s here, depending on what had been freed seconds before. Touched first, the
 * blocks are there for every tool alike. Does nothing where the kernel does not report.
 * @param bytes how much the run will allocate
 */
export function warmMemory(bytes: number): void {
  if (!existsSync("/sys/module/page_reporting")) return;
  const length = Math.min(bytes, Math.floor(memoryAvailable() * 0.6));
  const libc = openLibc();
  const address = libc.symbols.mmap(0, length, PROT_READ_WRITE, MAP_PRIVATE_ANONYMOUS, -1, 0);
  if (address === -1) return;
  libc.symbols.madvise(address, length, MADV_HUGEPAGE);
  libc.symbols.madvise(address, length, MADV_POPULATE_WRITE);
  libc.symbols.munmap(address, length);
}

/**
 * Reads a program into the page cache, which large sets and {@link warmMemory} push it out of. What
 * is measured is a tool in daily use; one of 120 MiB took a tenth of a second more from the disk.
 * @param program path, or name in PATH
 */
export function warmExecutable(program: string): void {
  const path = Bun.which(program);
  if (path !== null) command(["dd", `if=${path}`, "of=/dev/null", "bs=1M", "status=none"]);
}

/** Opened on first use: nothing else of the benchmark is bound to glibc. */
function openLibc() {
  return dlopen("libc.so.6", {
    mmap: { args: ["i64", "i64", "i32", "i32", "i32", "i64"], returns: FFIType.i64_fast },
    madvise: { args: ["i64", "i64", "i32"], returns: "i32" },
    munmap: { args: ["i64", "i64"], returns: "i32" },
  });
}
