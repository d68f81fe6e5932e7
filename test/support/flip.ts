/**
 * Swaps entries with symbolic links as fast as it can, until it is killed:
 *
 *   bun flip.ts LOG NAME LINK [NAME LINK]…
 *
 * NAME and LINK change places by one renameat2(RENAME_EXCHANGE), so that at every moment there is
 * something under NAME. What others remove or replace is put back. LOG gets the number of swaps.
 */
import { lstatSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { AT, RENAME } from "../../ffi/abi/constants.ts";
import { Memory, writeCString } from "../../ffi/mem.ts";
import { sys } from "../../ffi/sys.ts";

const [log = "", ...names] = process.argv.slice(2);
const memory = new Memory(64 * 1024);
const pathBytesMax = 4096;

const pairs = Array.from({ length: names.length / 2 }, (_, index) => {
  const [name, link] = [names[2 * index] ?? "", names[2 * index + 1] ?? ""];
  const start = 2 * index * pathBytesMax;
  writeCString(memory.bytes, start, name);
  writeCString(memory.bytes, start + pathBytesMax, link);
  const pointers = [memory.pointer + start, memory.pointer + start + pathBytesMax] as const;
  return { name, link, to: readlinkSync(link), pointers };
});

function isLink(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSymbolicLink() === true;
}

let swaps = 0;
for (let round = 0; ; round++) {
  for (const { name, link, to, pointers } of pairs) {
    const [a, b] = pointers;
    if (sys.renameat2(AT.FDCWD, a, AT.FDCWD, b, RENAME.EXCHANGE) === 0) swaps++;
    if (round % 16 !== 0 || isLink(name) || isLink(link)) continue;
    rmSync(link, { recursive: true, force: true });
    symlinkSync(to, link);
  }
  if (round % 64 === 0) writeFileSync(log, String(swaps));
}
