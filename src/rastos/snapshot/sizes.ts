import { closeSync, constants, lstatSync, openSync, readdirSync } from "node:fs";
import { extentBytes } from "../../../ffi/btrfs/extents.ts";
import { must } from "./fault.ts";
import { PARTS, type Part } from "./layout.ts";
import { partOwner, partPlace, readLinks } from "./part-place.ts";
import { syncFilesystem } from "./subvolume.ts";

/** What a snapshot takes, in bytes on the disk. */
export interface SnapshotSize {
  readonly id: number;
  /** All of its files. */
  readonly totalBytes: number;
  /** What nobody else has: so much would be free without it. */
  readonly exclusiveBytes: number;
  /** What other snapshots, clones or files have too. */
  readonly sharedBytes: number;
}

/**
 * Sizes of snapshots, by asking of every file whether its blocks are shared. That takes a moment,
 * and needs no quota groups. Metadata does not count.
 */
export function snapshotSizes(top: string, ids: readonly number[]): SnapshotSize[] {
  // What is not on the disk yet has no blocks.
  syncFilesystem(top);
  return ids.map((id) => {
    let [totalBytes, sharedBytes] = [0, 0];
    for (const part of PARTS) {
      const size = sizeBelow(partPlace(top, part, id));
      totalBytes += size.bytes;
      sharedBytes += isCommon(top, part, id) ? size.bytes : size.sharedBytes;
    }
    return { id, totalBytes, sharedBytes, exclusiveBytes: totalBytes - sharedBytes };
  });
}

/** Whether other snapshots have the same subvolume. */
function isCommon(top: string, part: Part, id: number): boolean {
  if (partOwner(top, part, id) !== id) return true;
  return part !== "root" && [...readLinks(top, part).values()].includes(id);
}

function sizeBelow(path: string): { readonly bytes: number; readonly sharedBytes: number } {
  let [bytes, sharedBytes] = [0, 0];
  const linked = new Set<number>();
  const folders = [Buffer.from(path)];
  for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
    for (const name of readdirSync(folder, { encoding: "buffer" })) {
      const inner = Buffer.concat([folder, Buffer.from("/"), name]);
      const status = lstatSync(inner);
      if (status.isDirectory()) folders.push(inner);
      if (!status.isFile() || status.size === 0) continue;
      if (status.nlink > 1 && linked.has(status.ino)) continue;
      if (status.nlink > 1) linked.add(status.ino);
      const fd = openSync(inner, constants.O_RDONLY | constants.O_NOFOLLOW);
      try {
        const size = extentBytes(fd);
        if (typeof size === "number") must(size, `find the blocks of "${inner.toString()}"`);
        else {
          bytes += size.bytes;
          sharedBytes += size.sharedBytes;
        }
      } finally {
        closeSync(fd);
      }
    }
  }
  return { bytes, sharedBytes };
}
