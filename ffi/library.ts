import { dlopen, type FFIFunction } from "bun:ffi";

/**
 * Names under which the C library is found: glibc, musl, darwin.
 * Source: ld.so(8); musl has one file per architecture.
 */
const candidates: readonly string[] =
  process.platform === "darwin"
    ? ["libSystem.B.dylib"]
    : ["libc.so.6", `libc.musl-${process.arch === "arm64" ? "aarch64" : "x86_64"}.so.1`, "libc.so"];

/**
 * Opens the C library with the given symbols.
 * @throws Error naming every file that was tried, where none can be opened or a symbol is missing.
 */
export function openLibc<Symbols extends Record<string, FFIFunction>>(symbols: Symbols) {
  const tried: string[] = [];
  for (const name of candidates) {
    try {
      return dlopen(name, symbols).symbols;
    } catch (error) {
      tried.push(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  throw new Error(`Cannot open the C library (${tried.join("; ")})`);
}
