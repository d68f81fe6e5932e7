import { Fault } from "../../../kit/fault/fault.ts";
import type { ByteTarget } from "../byte-target.ts";
import type { ChunkPlan } from "./chunks.ts";
import { type DataPlan, readContent } from "./data.ts";
import { NODE_BYTES, SUPERBLOCK_BYTES, SUPERBLOCKS_AT, TREE, uuidBytes } from "./format.ts";
import type { Subvolume } from "./model.ts";
import { TreeWriter } from "./node-writer.ts";
import type { Chunk } from "./records.ts";
import { type Inode, type Placed, writeInodes } from "./subvolume-tree.ts";
import { superblock } from "./superblock.ts";
import {
  buildChunkTree,
  buildDeviceTree,
  buildExtentTree,
  buildFreeSpaceTree,
  buildRelocationTree,
  buildRootTree,
  buildSumTree,
  buildUuidTree,
  type Ids,
  type PlacedNode,
  type RootSource,
} from "./system-trees.ts";

/** A subvolume with its inodes numbered. */
export interface NumberedTree {
  readonly id: number;
  readonly subvolume: Subvolume;
  readonly inodes: readonly Inode[];
}

/** What a {@link Volume} is made of. */
export interface VolumeFacts {
  readonly ids: Ids;
  readonly chunks: ChunkPlan;
  readonly data: DataPlan;
  readonly sizeBytes: number;
  readonly below: readonly Placed[];
}

type SelfDescribing = Pick<RootSource, "extents" | "freeSpace">;

/** The trees of a new file system: gives their nodes addresses, one after the other. */
export class Volume {
  readonly #facts: VolumeFacts;
  readonly #all: readonly Chunk[];
  readonly #subvolumes: { readonly subvolume: Subvolume; readonly tree: TreeWriter }[] = [];
  readonly #nodes: PlacedNode[] = [];
  readonly #trees: TreeWriter[] = [];
  #sums = new TreeWriter(TREE.checksum);
  #metadataUsed = 0;
  #systemUsed = 0;

  constructor(facts: VolumeFacts) {
    this.#facts = facts;
    this.#all = [facts.chunks.system, facts.chunks.metadata, ...facts.chunks.data];
  }

  /** Builds the trees of files. @throws {Fault} E_IO when a small file cannot be read */
  addSubvolumes(trees: readonly NumberedTree[]): void {
    const { byContent } = this.#facts.data;
    for (const { subvolume, inodes } of trees) {
      const tree = new TreeWriter(subvolume.id);
      writeInodes(tree, inodes, {
        extentsOf: (content) => byContent.get(content) ?? [],
        bytesOf: readContent,
      });
      this.#subvolumes.push({ subvolume, tree: this.#place(tree) });
    }
  }

  /** Adds the sums of all sectors of data, extent after extent. */
  addSums(sums: Uint32Array): void {
    this.#sums = this.#place(buildSumTree(this.#facts.data.extents, sums));
  }

  /**
   * Builds the other trees, writes all nodes and the superblocks, the first one last.
   *
   * @returns the bytes used
   * @throws {Fault} E_NO_SPACE, E_IO
   */
  finish(target: ByteTarget, label: string): number {
    const { ids, chunks, sizeBytes } = this.#facts;
    const allocatedBytes = this.#all.reduce((sum, { length, physical }) => {
      return sum + length * physical.length;
    }, 0);
    const chunkTree = buildChunkTree(this.#all, { ids, deviceBytes: sizeBytes, allocatedBytes });
    this.#placeSystem(chunkTree);
    const root = this.#describe({
      device: this.#place(buildDeviceTree(this.#all, ids)),
      uuids: this.#place(buildUuidTree(this.#subvolumes.map((each) => each.subvolume))),
      relocation: this.#place(buildRelocationTree()),
    });
    this.#writeNodes(target);
    const usedBytes = this.#used(0).reduce((sum, used) => sum + used, 0);
    const facts = {
      filesystem: uuidBytes(ids.filesystem),
      device: uuidBytes(ids.device),
      deviceBytes: sizeBytes,
      allocatedBytes,
      usedBytes,
      rootTree: { address: root.rootAddress, level: root.rootLevel },
      chunkTree: { address: chunkTree.rootAddress, level: chunkTree.rootLevel },
      system: chunks.system,
      label,
    };
    for (const at of SUPERBLOCKS_AT.toReversed()) {
      if (at + SUPERBLOCK_BYTES <= sizeBytes) target.write(at, superblock(facts, at));
    }
    return usedBytes;
  }

  /**
   * The extent tree tells of every node, its own included: how many it has is found by trying, from
   * one on; it can only grow with each try. Free space and root tree are of one size all the time.
   */
  #describe(others: Omit<RootSource, keyof SelfDescribing | "sums" | "subvolumes" | "below">) {
    const rootTree = (found: SelfDescribing): TreeWriter =>
      buildRootTree({
        ...others,
        ...found,
        sums: this.#sums,
        subvolumes: this.#subvolumes,
        below: this.#facts.below,
      });
    let extents = new TreeWriter(TREE.extent);
    for (;;) {
      const placeholder = buildFreeSpaceTree(this.#all, this.#used(1));
      const trial = [extents, placeholder, rootTree({ extents, freeSpace: placeholder })];
      const own = this.#placeTentatively(trial);
      const used = this.#used(own.length);
      const freeSpace = buildFreeSpaceTree(this.#all, used);
      const nodes = [...this.#nodes, ...own];
      const next = buildExtentTree({ chunks: this.#all, used, nodes, data: this.#facts.data });
      if (next.nodeCount === extents.nodeCount) {
        this.#place(next);
        this.#place(freeSpace);
        return this.#place(rootTree({ extents: next, freeSpace }));
      }
      extents = next;
    }
  }

  /** Used bytes of each chunk, once so many more nodes have their place. */
  #used(moreNodes: number): number[] {
    const { data } = this.#facts;
    return [this.#systemUsed, this.#metadataUsed + moreNodes * NODE_BYTES, ...data.usedBytes];
  }

  #place(tree: TreeWriter): TreeWriter {
    const placed = this.#placeTentatively([tree]);
    this.#metadataUsed += placed.length * NODE_BYTES;
    this.#nodes.push(...placed);
    this.#trees.push(tree);
    if (this.#metadataUsed <= this.#facts.chunks.metadata.length) return tree;
    throw new Fault({
      code: "E_NO_SPACE",
      message: "Cannot make the file system: its metadata is larger than foreseen",
      hint: "give the image more --size",
    });
  }

  /** Gives addresses from the next free one on, which stays the next free one. */
  #placeTentatively(trees: readonly TreeWriter[]): PlacedNode[] {
    let next = this.#facts.chunks.metadata.logical + this.#metadataUsed;
    return trees.flatMap((tree) =>
      tree
        .place(() => {
          next += NODE_BYTES;
          return next - NODE_BYTES;
        })
        .map((node) => ({ ...node, owner: tree.owner })),
    );
  }

  #placeSystem(tree: TreeWriter): void {
    const { system } = this.#facts.chunks;
    const placed = tree.place(() => {
      this.#systemUsed += NODE_BYTES;
      return system.logical + this.#systemUsed - NODE_BYTES;
    });
    this.#nodes.push(...placed.map((node) => ({ ...node, owner: tree.owner })));
    this.#trees.push(tree);
  }

  #writeNodes(target: ByteTarget): void {
    const { ids, chunks } = this.#facts;
    const binary = {
      filesystem: uuidBytes(ids.filesystem),
      chunkTree: uuidBytes(ids.chunkTree),
    };
    for (const tree of this.#trees) {
      const chunk = tree.owner === TREE.chunk ? chunks.system : chunks.metadata;
      for (const { address, bytes } of tree.nodes(binary)) {
        for (const place of chunk.physical) target.write(place + address - chunk.logical, bytes);
      }
    }
  }
}
