import { dlopen, type FFIFunction } from "bun:ffi";
import { readFileSync } from "node:fs";

/** A C library: glibc's, or musl's, which is its loader (ld.so(8)); a path at a line's end. */
const ownLine =
  /(\/[^\n]*\/(?:libc\.so\.6|libc-[0-9.]+\.so|ld-musl-[^/\n]+\.so\.1|libc\.musl-[^/\n]+))$/m;

let path: string | undefined;

/**
 * Path of the C library that this very process runs on, from its memory map (proc(5)). Never a bare
 * name: where the loader does not know one, Bun goes on to look for it in the current folder, and
 * what lies there may be anybody's.
 */
function ownLibrary(): string {
  if (process.platform === "darwin") return "/usr/lib/libSystem.B.dylib";
  const found = ownLine.exec(readFileSync("/proc/self/maps", "latin1"))?.[1];
  if (found !== undefined) return found;
  throw new Error("Cannot find the C library: /proc/self/maps names none");
}

/**
 * Opens the C library with the given symbols.
 * @throws Error where it cannot be found or opened, or a symbol is missing.
 */
export function openLibc<Symbols extends Record<string, FFIFunction>>(symbols: Symbols) {
  path ??= ownLibrary();
  return dlopen(path, symbols).symbols;
}
