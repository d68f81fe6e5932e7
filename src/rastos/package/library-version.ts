import { openAlpm } from "../../../ffi/alpm/library.ts";

/** `libalpm 13.0.2`, or `pacman` where only the command is; undefined without either. */
export function packageLibrary(): string | undefined {
  const library = openAlpm();
  if (library !== undefined) return `libalpm ${library.version}`;
  return Bun.which("pacman") === null ? undefined : "pacman";
}
