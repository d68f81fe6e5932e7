import { sys } from "../../../ffi/sys.ts";
import type { FolderNode } from "../engine/folder-node.ts";
import { isDeviceSynced } from "../engine/synced-device.ts";
import type { Thread } from "../engine/thread.ts";
import type { TargetRoot } from "./messages.ts";

/**
 * File systems that are mounted inside the target. The session syncs those of the roots before a
 * move removes anything from its source; what lies on another one is for its stream to sync.
 */
export class TargetDevices {
  readonly #thread: Thread;
  readonly #roots: readonly TargetRoot[];
  /** st_dev of what is synced: of the roots, and of folders that were met while settling. */
  #synced: Set<number> | undefined;
  /** By st_dev: a folder on it. */
  readonly #found = new Map<number, { readonly root: number; readonly path: string }>();

  constructor(t: Thread, roots: readonly TargetRoot[]) {
    this.#thread = t;
    this.#roots = roots;
  }

  /** Takes note of a folder that is written to; its status is in t.target. */
  note({ root, path }: FolderNode): void {
    const t = this.#thread;
    if (t.options.command !== "move" || t.isDry) return;
    const { dev } = t.target;
    if (!this.#ofRoots().has(dev) && !this.#found.has(dev)) this.#found.set(dev, { root, path });
  }

  /**
   * Syncs what was noted, while nobody waits for the stream: a disk may take longer than a stream
   * may be silent. What fails here is tried again, and told, when the move settles.
   * @param open a folder below a root: a descriptor or -errno
   */
  sync(open: (root: number, path: string) => number): void {
    for (const { root, path } of this.#found.values()) {
      const fd = open(root, path);
      if (fd < 0) continue;
      sys.syncfs(fd);
      sys.close(fd);
    }
    this.#found.clear();
  }

  /**
   * Whether the disk has all that was written to the folder's file system, so that the source may
   * let go of it. Reports where that cannot be had.
   */
  isSynced(node: FolderNode): boolean {
    return isDeviceSynced(this.#thread, node, this.#ofRoots());
  }

  #ofRoots(): Set<number> {
    if (this.#synced !== undefined) return this.#synced;
    const { other } = this.#thread;
    const synced = new Set<number>();
    for (const { targetFd, parentFd } of this.#roots) {
      const fd = targetFd >= 0 ? targetFd : parentFd;
      if (fd >= 0 && this.#thread.statFd(fd, other) === 0) synced.add(other.dev);
    }
    this.#synced = synced;
    return synced;
  }
}
