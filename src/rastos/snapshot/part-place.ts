import { readdirSync } from "node:fs";
import { errno } from "../../../ffi/errno.ts";
import {
  exchangeAt,
  HERE,
  makeLinkAt,
  readLinkAt,
  removeFileAt,
  renameAt,
  replaceAt,
} from "../../kit/fs/at.ts";
import { must } from "./fault.ts";
import {
  deletedName,
  idOfName,
  newName,
  type Part,
  partFolder,
  partName,
  partPath,
  type SnapshotPaths,
} from "./layout.ts";
import { removeSubvolume } from "./subvolume.ts";

/**
 * Parts that several snapshots have in common. A snapshot never changes, so what a clone has in
 * common with its parent need not be there twice: `etc-5` may be a symbolic link to `etc-3`, beside
 * it. Here alone is known what such a link means, how one is made, and how it ends.
 */

/** More than any chain of links that we make; one that is longer leads in a circle. */
const CHAIN_MAX = 1000;

/** Id of the snapshot whose subvolume this part is: its own, or that of an ancestor. */
export function partOwner(top: string, part: Part, id: number): number {
  let owner = id;
  for (let steps = 0; steps < CHAIN_MAX; steps++) {
    const next = linkedId(top, part, owner);
    if (next === undefined) return owner;
    owner = next;
  }
  return id;
}

/** Where a part of a snapshot really is, whether it is there or not: what is to be read. */
export function partPlace(top: string, part: Part, id: number): string {
  return partPath(top, part, partOwner(top, part, id));
}

/** The folders of a snapshot, whether it is there or not. */
export function snapshotPaths(top: string, id: number): SnapshotPaths {
  return {
    root: partPath(top, "root", id),
    etc: partPlace(top, "etc", id),
    var: partPlace(top, "var", id),
  };
}

/** What the name of a part links to; undefined for a subvolume, and for what we have not made. */
export function linkedId(top: string, part: Part, id: number): number | undefined {
  if (part === "root") return undefined;
  const path = partPath(top, part, id);
  const target = readLinkAt(HERE, path);
  if (typeof target === "string") return idOfName(part, target);
  // No other failure may pass for "it is no link": what leads nowhere may be removed.
  if (target !== -errno.EINVAL && target !== -errno.ENOENT) must(target, `read "${path}"`);
  return undefined;
}

/** Gives a snapshot the same part as another one has; on the disk with the next commit. */
export function linkPart(top: string, part: Part, ids: { from: number; to: number }): void {
  const target = partName(part, partOwner(top, part, ids.from));
  const path = partPath(top, part, ids.to);
  must(makeLinkAt(target, HERE, path), `make the link "${path}"`);
}

/** What the names of a part link to, by number: `etc-5` to `etc-3` is `5 -> 3`. */
export function readLinks(top: string, part: Part): Map<number, number> {
  const links = new Map<number, number>();
  for (const entry of readdirSync(partFolder(top, part), { withFileTypes: true })) {
    const id = entry.isSymbolicLink() ? idOfName(part, entry.name) : undefined;
    const target = id === undefined ? undefined : linkedId(top, part, id);
    if (id !== undefined && target !== undefined) links.set(id, target);
  }
  return links;
}

/**
 * Takes a part from a snapshot, and gives it the name that says that it is being removed. What
 * others link to is handed over to the first of them instead: at every moment each has its part.
 *
 * @param links as `readLinks` has them; kept up to date
 */
export function retirePart(top: string, part: Part, id: number, links: Map<number, number>): void {
  const path = partPath(top, part, id);
  const target = links.get(id);
  const heirs = [...links.keys()].filter((one) => one !== id && links.get(one) === id);
  const [first, ...rest] = heirs.sort((a, b) => a - b);
  const relinkTo = (from: number, all: readonly number[]): void => {
    for (const to of all) {
      relink(top, part, { from, to });
      links.set(to, from);
    }
  };
  if (target !== undefined && target !== id) relinkTo(target, heirs);
  else if (first !== undefined) {
    relinkTo(first, rest);
    const heir = partPath(top, part, first);
    must(exchangeAt(HERE, path, HERE, heir), `hand "${path}" over to "${heir}"`);
    links.delete(first);
  } else if (target === undefined) {
    const gone = `${partFolder(top, part)}/${deletedName(id)}`;
    const result = renameAt(HERE, path, HERE, gone);
    if (result !== -errno.ENOENT) must(result, `remove "${path}"`);
    return;
  }
  links.delete(id);
  must(removeFileAt(HERE, path), `remove the link "${path}"`);
}

/** Replaces a link by one to another snapshot's part. */
function relink(top: string, part: Part, ids: { from: number; to: number }): void {
  const path = partPath(top, part, ids.to);
  const made = `${partFolder(top, part)}/${newName(ids.to)}`;
  // One that an interrupted run has left is not looked at.
  removeFileAt(HERE, made);
  must(makeLinkAt(partName(part, ids.from), HERE, made), `make the link "${path}"`);
  must(replaceAt(HERE, made, HERE, path), `make the link "${path}"`);
}

/** Removes what lies under a name of a part's folder: a subvolume or a link; none is fine. */
export function removePart(top: string, part: Part, name: string): void {
  const path = `${partFolder(top, part)}/${name}`;
  if (typeof readLinkAt(HERE, path) !== "string") removeSubvolume(path);
  else must(removeFileAt(HERE, path), `remove the link "${path}"`);
}
