import type { DataPlan } from "./data.ts";
import { dataExtentRecord, type Extent, nodeExtentRecord } from "./extents.ts";
import {
  CHECKSUMS,
  compareKeys,
  DEVICE_ID,
  ENTRY,
  FIRST_CHUNK_TREE,
  FIRST_INODE,
  ITEM,
  type Key,
  NODE_BYTES,
  nameHash,
  record,
  SECTOR_BYTES,
  TREE,
  uuidBytes,
} from "./format.ts";
import type { Subvolume } from "./model.ts";
import { TreeWriter } from "./node-writer.ts";
import {
  blockGroupRecord,
  type Chunk,
  chunkRecord,
  deviceExtentRecord,
  folderEntryRecord,
  inodeRecord,
  inodeReferenceRecord,
  rootRecord,
  rootReferenceRecord,
} from "./records.ts";
import type { Placed } from "./subvolume-tree.ts";
import { deviceRecord } from "./superblock.ts";

/** Sums that one item holds: nearly a leaf. */
const SUMS_PER_ITEM = 4000;

/** UUIDs as text with dashes. */
export interface Ids {
  readonly filesystem: string;
  readonly device: string;
  readonly chunkTree: string;
}

/** A node that has its address, and whose it is. */
export interface PlacedNode {
  readonly address: number;
  readonly level: number;
  readonly owner: number;
}

interface Item {
  readonly key: Key;
  readonly data: Uint8Array;
}

function treeOf(owner: number, items: readonly Item[]): TreeWriter {
  const tree = new TreeWriter(owner);
  for (const { key, data } of items.toSorted((a, b) => compareKeys(a.key, b.key))) {
    tree.add(key, data);
  }
  return tree;
}

/** Device and chunks: all that is needed to find anything else. */
export function buildChunkTree(
  chunks: readonly Chunk[],
  facts: { readonly ids: Ids; readonly deviceBytes: number; readonly allocatedBytes: number },
): TreeWriter {
  const device = uuidBytes(facts.ids.device);
  const filesystem = uuidBytes(facts.ids.filesystem);
  return treeOf(TREE.chunk, [
    {
      key: { objectId: 1, type: ITEM.device, offset: DEVICE_ID },
      data: deviceRecord({ ...facts, device, filesystem }),
    },
    ...chunks.map((chunk) => ({
      key: { objectId: FIRST_CHUNK_TREE, type: ITEM.chunk, offset: chunk.logical },
      data: chunkRecord(chunk, device),
    })),
  ]);
}

/** Which parts of the device belong to which chunk. */
export function buildDeviceTree(chunks: readonly Chunk[], ids: Ids): TreeWriter {
  const chunkTree = uuidBytes(ids.chunkTree);
  const items = chunks.flatMap((chunk) =>
    chunk.physical.map((place) => ({
      key: { objectId: DEVICE_ID, type: ITEM.deviceExtent, offset: place },
      data: deviceExtentRecord(chunk, chunkTree),
    })),
  );
  return treeOf(TREE.device, items);
}

/** Subvolumes by their UUIDs. */
export function buildUuidTree(subvolumes: readonly Subvolume[]): TreeWriter {
  const items = subvolumes.map((subvolume) => {
    const { buffer } = uuidBytes(subvolume.uuid);
    const uuid = new DataView(buffer);
    const { bytes, view } = record(8);
    view.setUint32(0, subvolume.id, true);
    return {
      key: {
        objectId: uuid.getBigUint64(0, true),
        type: ITEM.uuidOfSubvolume,
        offset: uuid.getBigUint64(8, true),
      },
      data: bytes,
    };
  });
  return treeOf(TREE.uuid, items);
}

/** The tree of balancing: an empty folder. */
export function buildRelocationTree(): TreeWriter {
  const key = (type: number, offset: number): Key => ({ objectId: FIRST_INODE, type, offset });
  return treeOf(TREE.dataRelocation, [
    { key: key(ITEM.inode, 0), data: emptyFolder() },
    { key: key(ITEM.inodeReference, FIRST_INODE), data: inodeReferenceRecord(0, "..") },
  ]);
}

function emptyFolder(): Uint8Array {
  const owner = { uid: 0, gid: 0, mode: 0o40755, modified: 0n };
  return inodeRecord({ ...owner, size: 0, storedBytes: NODE_BYTES, links: 1, device: 0 });
}

/** The sums of all data. @param sums one for each sector, extent after extent */
export function buildSumTree(extents: readonly Extent[], sums: Uint32Array): TreeWriter {
  const tree = new TreeWriter(TREE.checksum);
  let start = 0;
  let address = extents[0]?.address ?? 0;
  let next = address;
  let end = 0;
  const flush = (): void => {
    for (; start < end; ) {
      const count = Math.min(end - start, SUMS_PER_ITEM);
      const data = new Uint8Array(sums.buffer, start * 4, count * 4);
      tree.add({ objectId: CHECKSUMS, type: ITEM.checksum, offset: address }, data);
      start += count;
      address += count * SECTOR_BYTES;
    }
  };
  for (const extent of extents) {
    if (extent.address !== next) {
      flush();
      address = extent.address;
    }
    next = extent.address + extent.length;
    end += extent.length / SECTOR_BYTES;
  }
  flush();
  return tree;
}

/** What is used in each chunk, from its start on: nodes, data, and how much of it. */
export function buildExtentTree(facts: {
  readonly chunks: readonly Chunk[];
  /** Bytes, chunk by chunk. */
  readonly used: readonly number[];
  readonly nodes: readonly PlacedNode[];
  readonly data: DataPlan;
}): TreeWriter {
  const items: Item[] = facts.chunks.map((chunk, index) => ({
    key: { objectId: chunk.logical, type: ITEM.blockGroup, offset: chunk.length },
    data: blockGroupRecord(facts.used[index] ?? 0, chunk.flags),
  }));
  for (const { address, level, owner } of facts.nodes) {
    const key = { objectId: address, type: ITEM.metadata, offset: level };
    items.push({ key, data: nodeExtentRecord(owner) });
  }
  for (const extent of facts.data.extents) {
    const key = { objectId: extent.address, type: ITEM.extent, offset: extent.length };
    items.push({ key, data: dataExtentRecord(extent) });
  }
  return treeOf(TREE.extent, items);
}

/** What is free in each chunk: all from the last used byte on. */
export function buildFreeSpaceTree(chunks: readonly Chunk[], used: readonly number[]): TreeWriter {
  const tree = new TreeWriter(TREE.freeSpace);
  for (const [index, { logical, length }] of chunks.entries()) {
    const start = used[index] ?? 0;
    const { bytes, view } = record(8);
    view.setUint32(0, start < length ? 1 : 0, true);
    tree.add({ objectId: logical, type: ITEM.freeSpaceInfo, offset: length }, bytes);
    if (start >= length) continue;
    const key = { objectId: logical + start, type: ITEM.freeSpaceExtent, offset: length - start };
    tree.add(key, new Uint8Array(0));
  }
  return tree;
}

/** All trees that the tree of roots tells of; each has its place already. */
export interface RootSource {
  readonly extents: TreeWriter;
  readonly device: TreeWriter;
  readonly sums: TreeWriter;
  readonly uuids: TreeWriter;
  readonly freeSpace: TreeWriter;
  readonly relocation: TreeWriter;
  readonly subvolumes: readonly { readonly subvolume: Subvolume; readonly tree: TreeWriter }[];
  readonly below: readonly Placed[];
}

/** Where every tree has its root, and which subvolume stands in which. */
export function buildRootTree(source: RootSource): TreeWriter {
  const { extents, device, sums, uuids, freeSpace, relocation } = source;
  const plain = [extents, device, sums, uuids, freeSpace, relocation];
  const items: Item[] = plain.map((tree) => ({
    key: { objectId: tree.owner, type: ITEM.root, offset: 0 },
    data: rootRecord({ ...shapeOf(tree), isSubvolume: tree === relocation, modified: 0n }),
  }));
  for (const { subvolume, tree } of source.subvolumes) {
    const { uuid, parentUuid, isReadOnly } = subvolume;
    const { modified } = subvolume.root.status;
    const facts = { ...shapeOf(tree), isSubvolume: true, uuid, parentUuid, isReadOnly, modified };
    const key = { objectId: subvolume.id, type: ITEM.root, offset: 0 };
    items.push({ key, data: rootRecord(facts) });
  }
  for (const { parent, link, subvolume } of source.below) {
    const data = rootReferenceRecord(link.folder, link.index, link.name);
    const { id } = subvolume;
    const forth = { objectId: parent, type: ITEM.rootReference, offset: id };
    const back = { objectId: id, type: ITEM.rootBackReference, offset: parent };
    items.push({ key: forth, data }, { key: back, data });
  }
  return treeOf(TREE.root, [...items, ...defaultSubvolume()]);
}

function shapeOf(tree: TreeWriter) {
  return { address: tree.rootAddress, level: tree.rootLevel, nodeCount: tree.nodeCount };
}

/** What is mounted without subvol=: the top level. */
function defaultSubvolume(): Item[] {
  const name = "default";
  const location = { objectId: TREE.top, type: ITEM.root, offset: -1 };
  const key = (type: number, offset: number): Key => {
    return { objectId: TREE.rootDirectory, type, offset };
  };
  return [
    { key: key(ITEM.inode, 0), data: emptyFolder() },
    {
      key: key(ITEM.inodeReference, TREE.rootDirectory),
      data: inodeReferenceRecord(0, ".."),
    },
    {
      key: key(ITEM.folderItem, nameHash(name)),
      data: folderEntryRecord(location, ENTRY.folder, name),
    },
    {
      key: { objectId: TREE.top, type: ITEM.inodeReference, offset: TREE.rootDirectory },
      data: inodeReferenceRecord(0, name),
    },
  ];
}
