import { join } from "node:path";
import type { InstallItem } from "../env/install-item.ts";
import type { Place } from "./place.ts";

/** One Python process per so many files: a command line has an end. */
const FILES_AT_ONCE = 2000;

/** The script reads names from standard input, so that no command line is too long. */
const SCRIPT = `
import compileall, sys
ok = True
for name in sys.stdin.buffer.read().decode("utf-8", "surrogateescape").split("\\0"):
    if name:
        ok = compileall.compile_file(name, quiet=2, force=False, invalidation_mode=None) and ok
`;

/**
 * Compiles the Python files of packages to bytecode, as pip does after an install. Files that are
 * no valid Python (templates) stay as they are: they are no reason to fail.
 */
export async function compileBytecode(place: Place, items: readonly InstallItem[]): Promise<void> {
  const { purelib, platlib } = place.environment.paths;
  const files = items.flatMap(({ wheel }) => {
    const root = wheel.rootIsPurelib ? purelib : platlib;
    return wheel.files
      .filter(({ path }) => path.endsWith(".py") && !path.includes(".data/"))
      .map(({ path }) => join(root, path));
  });
  const pieces: string[][] = [];
  for (let at = 0; at < files.length; at += FILES_AT_ONCE) {
    pieces.push(files.slice(at, at + FILES_AT_ONCE));
  }
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < pieces.length; index = next++) {
      const child = Bun.spawn([place.environment.python, "-I", "-S", "-c", SCRIPT], {
        stdin: Buffer.from((pieces[index] ?? []).join("\0")),
        stdout: "ignore",
        stderr: "ignore",
      });
      await child.exited;
    }
  };
  await Promise.all(Array.from({ length: navigator.hardwareConcurrency }, work));
}
