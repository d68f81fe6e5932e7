import { statfsSync } from "node:fs";
import { Fault } from "../../kit/fault/fault.ts";
import { formatBytes } from "../../kit/text/format.ts";

/** Room on a file system, in bytes. */
export interface FreeSpace {
  readonly sizeBytes: number;
  /** What can still be written: 0 also when only the metadata is full (statfs of btrfs). */
  readonly freeBytes: number;
  /** What is left alone, so that removing snapshots, which needs room itself, stays possible. */
  readonly reserveBytes: number;
}

const RESERVE_BYTES_MAX = 1024 ** 3;
const RESERVE_SHARE = 0.03;

/** What any snapshot may cost in metadata. */
const SNAPSHOT_BYTES = 4 * 1024 ** 2;

/** The room on the file system of a folder. */
export function freeSpace(path: string): FreeSpace {
  const { bsize, blocks, bavail } = statfsSync(path);
  const sizeBytes = blocks * bsize;
  const reserveBytes = Math.min(RESERVE_BYTES_MAX, Math.round(sizeBytes * RESERVE_SHARE));
  return { sizeBytes, freeBytes: bavail * bsize, reserveBytes };
}

/**
 * Makes sure that a snapshot and so many bytes more fit, with a reserve left.
 *
 * @param leavesReserve false: the reserve may be taken too
 * @throws {Fault} E_NO_SPACE with the figures
 */
export function requireSpace(path: string, bytes: number, leavesReserve = true): void {
  const { freeBytes, sizeBytes, ...space } = freeSpace(path);
  const reserveBytes = leavesReserve ? space.reserveBytes : 0;
  const neededBytes = bytes + SNAPSHOT_BYTES + reserveBytes;
  if (freeBytes >= neededBytes) return;
  throw new Fault({
    code: "E_NO_SPACE",
    message:
      `Cannot begin: ${formatBytes(freeBytes)} of ${formatBytes(sizeBytes)} are free, ` +
      `${formatBytes(neededBytes)} are needed, ${formatBytes(reserveBytes)} of them as a reserve`,
    hint: "remove snapshots that nobody needs: rastos snapshot prune, or rastos snapshot del",
    details: { freeBytes, neededBytes, reserveBytes, sizeBytes },
  });
}
