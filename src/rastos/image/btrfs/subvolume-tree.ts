import { type Extent, sectorsOf } from "./extents.ts";
import { FIRST_INODE, INLINE_BYTES_MAX, ITEM, type Key, nameHash, SECTOR_BYTES } from "./format.ts";
import {
  type Content,
  contentSize,
  type FolderNode,
  type Status,
  type Subvolume,
  type SubvolumeNode,
  type TreeNode,
} from "./model.ts";
import type { TreeWriter } from "./node-writer.ts";
import {
  attributeRecord,
  extentRecord,
  folderEntryRecord,
  inlineExtentRecord,
  inodeRecord,
  inodeReferenceRecord,
  kindOf,
} from "./records.ts";

/** Names in a folder count from here. */
const FIRST_INDEX = 2;

/** A name of an inode. */
interface Link {
  readonly folder: number;
  readonly index: number;
  readonly name: string;
}

/** A node of a subvolume with its number and its names. */
export interface Inode {
  readonly number: number;
  readonly node: Exclude<TreeNode, SubvolumeNode>;
  readonly links: Link[];
  /** Of a folder: its entries, with what they lead to. */
  readonly entries: { readonly link: Link; readonly location: Key; readonly type: number }[];
}

/** A subvolume that stands in another one. */
export interface Placed {
  readonly parent: number;
  readonly link: Link;
  readonly subvolume: Subvolume;
}

/** All inodes of a subvolume in order of their numbers, and the subvolumes in it. */
export function numberInodes(subvolume: Subvolume): {
  readonly inodes: readonly Inode[];
  readonly below: readonly Placed[];
} {
  const inodes: Inode[] = [];
  const below: Placed[] = [];
  const known = new Map<TreeNode, Inode>();
  const add = (node: Inode["node"]): Inode => {
    const inode = { number: FIRST_INODE + inodes.length, node, links: [], entries: [] };
    inodes.push(inode);
    return inode;
  };
  const folders: [Inode, FolderNode][] = [[add(subvolume.root), subvolume.root]];
  // It grows while it is walked: breadth first.
  for (const [folder, { entries }] of folders) {
    let index = FIRST_INDEX;
    for (const name of [...entries.keys()].sort(byBytes)) {
      const node = entries.get(name);
      if (node === undefined) continue;
      const link = { folder: folder.number, index: index++, name };
      const { type } = kindOf(node);
      if (node.kind === "subvolume") {
        below.push({ parent: subvolume.id, link, subvolume: node.subvolume });
        const location = { objectId: node.subvolume.id, type: ITEM.root, offset: -1 };
        folder.entries.push({ link, location, type });
        continue;
      }
      const isFirst = !known.has(node);
      const inode = known.get(node) ?? add(node);
      known.set(node, inode);
      inode.links.push(link);
      const location = { objectId: inode.number, type: ITEM.inode, offset: 0 };
      folder.entries.push({ link, location, type });
      if (isFirst && node.kind === "folder") folders.push([inode, node]);
    }
  }
  return { inodes, below };
}

function byBytes(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Whether a content lies in extents of its own, and not in the tree. */
export function isStoredApart(content: Content): boolean {
  return contentSize(content) > INLINE_BYTES_MAX;
}

/** How {@link writeInodes} gets at the contents. */
export interface ContentSource {
  extentsOf(content: Content): readonly Extent[];
  /** The bytes of a small content. */
  bytesOf(content: Content): Uint8Array;
}

/** Adds all items of the inodes to the subvolume's tree. */
export function writeInodes(
  tree: TreeWriter,
  inodes: readonly Inode[],
  source: ContentSource,
): void {
  for (const inode of inodes) {
    const key = (type: number, offset: number): Key => ({ objectId: inode.number, type, offset });
    tree.add(key(ITEM.inode, 0), inodeItem(inode, source));
    for (const [folder, bytes] of referencesOf(inode)) {
      tree.add(key(ITEM.inodeReference, folder), bytes);
    }
    for (const [hash, bytes] of attributesOf(inode.node.status)) {
      tree.add(key(ITEM.attribute, hash), bytes);
    }
    const entries = inode.entries.map(({ link, location, type }) => ({
      hash: nameHash(link.name),
      index: link.index,
      bytes: folderEntryRecord(location, type, link.name),
    }));
    for (const [hash, bytes] of byHash(entries)) tree.add(key(ITEM.folderItem, hash), bytes);
    for (const { index, bytes } of entries) tree.add(key(ITEM.folderIndex, index), bytes);
    writeExtents(tree, inode, source);
  }
}

function inodeItem(inode: Inode, source: ContentSource): Uint8Array {
  const { node, links } = inode;
  const { status } = node;
  const common = {
    uid: status.uid,
    gid: status.gid,
    mode: kindOf(node).mode | status.permissions,
    modified: status.modified,
    links: Math.max(1, links.length),
    device: 0,
  };
  switch (node.kind) {
    case "folder": {
      const size = inode.entries.reduce((sum, { link }) => sum + 2 * link.name.length, 0);
      return inodeRecord({ ...common, links: 1, size, storedBytes: 0 });
    }
    case "file": {
      const size = contentSize(node.content);
      const isApart = isStoredApart(node.content);
      const storedBytes = isApart ? storedSize(source.extentsOf(node.content)) : size;
      return inodeRecord({ ...common, size, storedBytes });
    }
    case "symlink": {
      const size = node.target.length;
      return inodeRecord({ ...common, size, storedBytes: size });
    }
    case "special":
      // The kernel's own numbering, not that of stat(2).
      return inodeRecord({
        ...common,
        size: 0,
        storedBytes: 0,
        device: node.major * 2 ** 20 + node.minor,
      });
  }
}

function storedSize(extents: readonly Extent[]): number {
  return extents.reduce((sum, extent) => sum + extent.length, 0);
}

/** The names of an inode by folder, each folder's in one item. */
function referencesOf(inode: Inode): [number, Uint8Array][] {
  if (inode.number === FIRST_INODE) return [[FIRST_INODE, inodeReferenceRecord(0, "..")]];
  const byFolder = new Map<number, Uint8Array[]>();
  for (const { folder, index, name } of inode.links) {
    const records = byFolder.get(folder) ?? [];
    byFolder.set(folder, [...records, inodeReferenceRecord(index, name)]);
  }
  const sorted = [...byFolder].sort(([a], [b]) => a - b);
  return sorted.map(([folder, records]) => [folder, Buffer.concat(records)]);
}

function attributesOf(status: Status): [number, Uint8Array][] {
  const records = status.attributes.map(({ name, value }) => ({
    hash: nameHash(name),
    bytes: attributeRecord(name, value),
  }));
  return byHash(records);
}

/** Those of one hash share an item. */
function byHash(
  records: readonly { readonly hash: number; readonly bytes: Uint8Array }[],
): [number, Uint8Array][] {
  const merged = new Map<number, Uint8Array>();
  for (const { hash, bytes } of records) {
    const before = merged.get(hash);
    merged.set(hash, before === undefined ? bytes : Buffer.concat([before, bytes]));
  }
  return [...merged].sort(([a], [b]) => a - b);
}

function writeExtents(tree: TreeWriter, inode: Inode, source: ContentSource): void {
  const { node, number } = inode;
  const key = (offset: number): Key => ({ objectId: number, type: ITEM.fileExtent, offset });
  if (node.kind === "symlink") {
    tree.add(key(0), inlineExtentRecord(Buffer.from(node.target, "latin1")));
    return;
  }
  if (node.kind !== "file") return;
  const size = contentSize(node.content);
  if (size === 0) return;
  if (!isStoredApart(node.content)) {
    tree.add(key(0), inlineExtentRecord(source.bytesOf(node.content)));
    return;
  }
  for (const { address, length, fileOffset } of source.extentsOf(node.content)) {
    tree.add(key(fileOffset), extentRecord(address, length));
  }
}

/** Bytes that a content takes on the disk, in whole sectors. */
export function spaceOf(content: Content): number {
  return isStoredApart(content) ? sectorsOf(contentSize(content)) * SECTOR_BYTES : 0;
}
