import { errno } from "../../../ffi/errno.ts";
import { FolderNode } from "../engine/folder-node.ts";
import { keepStatus } from "../engine/metadata.ts";
import type { Thread } from "../engine/thread.ts";
import { finishAttributes } from "../engine/walk.ts";
import { STATUS_BYTES } from "../wire/frame.ts";
import { StatusSlices } from "../wire/status.ts";
import type { LateFolder, TargetRoot } from "./messages.ts";
import { openBelow } from "./target-folders.ts";
import { readXattrBlob } from "./xattr-blob.ts";

const headBytes = 16 + STATUS_BYTES;

/** S_IRWXU: the owner may list, change and pass through. */
const ownerAll = 0o700;

/**
 * Folders that get their attributes at the end, since other streams put something into them or
 * something is deleted in them: those with folders below, mostly. One after the other in one piece
 * of memory.
 */
export class LateFolders {
  #bytes = new Uint8Array(64 * 1024);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  add(folder: LateFolder): void {
    const { root, path, status, xattrs, isNew } = folder;
    const size = headBytes + path.length + xattrs.length;
    if (this.#length + size > this.#bytes.length) this.#grow(this.#length + size);
    const at = this.#length;
    this.#view.setUint32(at, root, true);
    this.#view.setUint32(at + 4, path.length, true);
    this.#view.setUint32(at + 8, xattrs.length, true);
    this.#view.setUint32(at + 12, isNew ? 1 : 0, true);
    this.#bytes.set(status, at + 16);
    Buffer.from(this.#bytes.buffer).write(path, at + headBytes, "latin1");
    this.#bytes.set(xattrs, at + headBytes + path.length);
    this.#length = at + size;
  }

  #grow(bytes: number): void {
    const larger = new Uint8Array(2 ** Math.ceil(Math.log2(bytes)));
    larger.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }

  /** Calls `visit` for each, and forgets them. */
  take(visit: (folder: LateFolder) => void): void {
    const bytes = this.#bytes;
    const view = this.#view;
    const end = this.#length;
    this.#length = 0;
    for (let at = 0; at < end; ) {
      const pathLength = view.getUint32(at + 4, true);
      const blobLength = view.getUint32(at + 8, true);
      const pathAt = at + headBytes;
      visit({
        root: view.getUint32(at, true),
        path: Buffer.from(bytes.buffer, pathAt, pathLength).toString("latin1"),
        isNew: view.getUint32(at + 12, true) === 1,
        status: bytes.slice(at + 16, pathAt),
        xattrs: bytes.slice(pathAt + pathLength, pathAt + pathLength + blobLength),
      });
      at = pathAt + pathLength + blobLength;
    }
  }
}

/** Whether its owner, unless that is root, could no longer reach what is below it. */
export function locksOut(t: Thread, folder: LateFolder): boolean {
  if (t.options.user.uid === 0) return false;
  const view = new DataView(folder.status.buffer, folder.status.byteOffset);
  return (view.getUint16(12, true) & ownerAll) !== ownerAll;
}

/** Gives a folder that is there its owner, permissions, attributes and times. */
export function finishLate(t: Thread, roots: readonly TargetRoot[], folder: LateFolder): void {
  const { root, path, isNew } = folder;
  t.root = root;
  const fd = openBelow(roots[root]?.targetFd ?? -1, path);
  if (fd < 0) {
    // Something else has its name: that has been reported.
    const isOther = fd === -errno.ENOENT || fd === -errno.ENOTDIR || fd === -errno.ELOOP;
    if (!isOther) t.attributeFailed(fd, "openat", path, "attributes of the folder");
    return;
  }
  const common = { root, path, sourceFd: -1, targetFd: fd };
  const node = new FolderNode({ ...common, isNew, targetName: "" });
  new StatusSlices(t.scratch.bytes, t.source.pointer - t.scratch.pointer).read(folder.status, 0);
  t.received = readXattrBlob(folder.xattrs);
  finishAttributes(t, node, keepStatus(t.source));
  t.received = undefined;
  node.close();
}
