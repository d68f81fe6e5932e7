import { errno } from "../../../ffi/errno.ts";
import { isThere, makeFoldersAt, renameAt } from "../../kit/fs/at.ts";
import { must, systemFault } from "./faults.ts";
import type { Move } from "./journal.ts";

/** Moves within one file system, that are made in order and taken back in the opposite one. */

/** Moves old files aside. One that has vanished in the meantime is no obstacle. */
export function moveAside(root: number, moves: readonly Move[]): void {
  for (const [from, to] of moves) {
    const result = renameAt(root, from, root, to);
    if (result !== -errno.ENOENT) must(result, "move away", from);
  }
}

/** Moves new files into their places. */
export function moveIn(root: number, moves: readonly Move[]): void {
  for (const [from, to] of moves) must(renameAt(root, from, root, to), "put in place", to);
}

/**
 * Takes moves back, as far as they were made: new files out of their places, then old ones back to
 * theirs. May be cut short and begun again.
 *
 * @param displaced a folder for what somebody has put into the place of an old file meanwhile
 * @returns what was displaced
 */
export function takeBack(
  root: number,
  moves: { readonly asides: readonly Move[]; readonly places: readonly Move[] },
  displaced: string,
): string[] {
  for (const [from, to] of moves.places.toReversed()) {
    // Still at its source: it was not moved, or is back already.
    if (isThere(root, from)) continue;
    const result = renameAt(root, to, root, from);
    if (result !== -errno.ENOENT) must(result, "take back", to);
  }
  const intruders: string[] = [];
  for (const [index, [from, to]] of [...moves.asides.entries()].toReversed()) {
    if (!isThere(root, to)) continue;
    let result = renameAt(root, to, root, from);
    if (result === -errno.EEXIST || result === -errno.ENOTEMPTY) {
      must(makeFoldersAt(root, displaced), "make", displaced);
      must(renameAt(root, from, root, `${displaced}/${index}`), "move away", from);
      intruders.push(from);
      result = renameAt(root, to, root, from);
    }
    if (result < 0) throw systemFault("put back", from, result);
  }
  return intruders;
}
