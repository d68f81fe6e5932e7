import { dlopen, type FFIFunction } from "bun:ffi";
import { readFileSync } from "node:fs";

/** File names of C libraries: glibc, and musl, whose library is its loader (ld.so(8)). */
const libraryName = /\/(libc\.so\.6|libc-[0-9.]+\.so|ld-musl-[^/]+\.so\.1|libc\.musl-[^/]+)$/;

/**
 * Path of the C library that this very process runs on, from its memory map (proc(5)). Never a bare
 * name: where the loader does not know one, Bun goes on to look for it in the current folder, and
 * what lies there may be anybody's.
 */
function ownLibrary(): string {
  if (process.platform === "darwin") return "/usr/lib/libSystem.B.dylib";
  for (const line of readFileSync("/proc/self/maps", "latin1").split("\n")) {
    const start = line.indexOf("/");
    if (start >= 0 && libraryName.test(line.slice(start))) return line.slice(start);
  }
  throw new Error("Cannot find the C library: /proc/self/maps names none");
}

/**
 * Opens the C library with the given symbols.
 * @throws Error where it cannot be found or opened, or a symbol is missing.
 */
export function openLibc<Symbols extends Record<string, FFIFunction>>(symbols: Symbols) {
  return dlopen(ownLibrary(), symbols).symbols;
}
