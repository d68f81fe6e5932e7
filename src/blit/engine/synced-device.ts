import { sys } from "../../../ffi/sys.ts";
import type { Thread } from "./thread.ts";

/**
 * Whether the disk has all that was written to the file system of a target's folder, so that the
 * source may let go of it: another one may be mounted there. Syncs it where nobody has (syncfs(2));
 * reports where that cannot be had.
 *
 * @param synced st_dev of each file system that is synced; kept up to date
 */
export function isDeviceSynced(
  t: Thread,
  { targetFd, path }: { readonly targetFd: number; readonly path: string },
  synced: Set<number>,
): boolean {
  const looked = t.statFd(targetFd, t.target);
  const { dev } = t.target;
  if (looked >= 0 && synced.has(dev)) return true;
  const result = looked < 0 ? looked : sys.syncfs(targetFd);
  if (result >= 0) {
    synced.add(dev);
    return true;
  }
  const call = looked < 0 ? "statx" : "syncfs";
  t.failed(result, call, path, "sync the folder before its source is removed");
  return false;
}
