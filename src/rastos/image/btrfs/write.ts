import { Fault } from "../../../kit/fault/fault.ts";
import { formatBytes } from "../../../kit/text/format.ts";
import type { ByteTarget } from "../byte-target.ts";
import { type ChunkPlan, FILESYSTEM_BYTES_MIN, planChunks } from "./chunks.ts";
import { placeData, writeData } from "./data.ts";
import { NODE_BYTES, SECTOR_BYTES } from "./format.ts";
import type { Content, Subvolume } from "./model.ts";
import { numberInodes, type Placed, spaceOf } from "./subvolume-tree.ts";
import type { Ids } from "./system-trees.ts";
import { type NumberedTree, Volume } from "./volume.ts";

/** What {@link writeBtrfs} makes. */
export interface BtrfsOptions {
  readonly target: ByteTarget;
  readonly sizeBytes: number;
  /** The top level, of id 5, with all that is in it. */
  readonly top: Subvolume;
  /** UUIDs as text with dashes. */
  readonly uuid: string;
  readonly deviceUuid: string;
  readonly chunkTreeUuid: string;
  readonly label: string;
  /** Is told how many bytes of files have been written since the last time. */
  readonly onBytes?: (bytes: number) => void;
}

/** What a file system came to. */
export interface BtrfsSummary {
  readonly dataBytes: number;
  readonly usedBytes: number;
  readonly inodes: number;
}

/** Bytes that the files will take, each content once. */
export function dataBytesOf(top: Subvolume): number {
  return [...contentsOf(numberAll(top).trees)].reduce((sum, each) => sum + spaceOf(each), 0);
}

/**
 * Makes a btrfs with subvolumes and files, without mount, root or mkfs. The same input gives the
 * same bytes: nothing is taken from the clock, the machine or the order of its folders.
 *
 * What is written: all nodes and data, then the superblocks, the first one last. Until then there
 * is no file system.
 *
 * @throws {Fault} E_NO_SPACE with figures before the first write; E_IO
 */
export async function writeBtrfs(options: BtrfsOptions): Promise<BtrfsSummary> {
  const sizeBytes = options.sizeBytes - (options.sizeBytes % SECTOR_BYTES);
  const { trees, below } = numberAll(options.top);
  const dataBytes = [...contentsOf(trees)].reduce((sum, each) => sum + spaceOf(each), 0);
  const chunks = planOrFault(sizeBytes, trees, dataBytes);
  const data = placeData(trees, chunks.data);
  const { target, onBytes = () => undefined } = options;
  const sums = await writeData(data, chunks.data, target, onBytes);
  const ids: Ids = {
    filesystem: options.uuid,
    device: options.deviceUuid,
    chunkTree: options.chunkTreeUuid,
  };
  const volume = new Volume({ ids, chunks, data, sizeBytes, below });
  volume.addSubvolumes(trees);
  volume.addSums(sums);
  const usedBytes = volume.finish(target, options.label);
  const inodes = trees.reduce((sum, tree) => sum + tree.inodes.length, 0);
  return { dataBytes, usedBytes, inodes };
}

function numberAll(top: Subvolume): { trees: NumberedTree[]; below: Placed[] } {
  const trees: NumberedTree[] = [];
  const below: Placed[] = [];
  const waiting = [top];
  for (const subvolume of waiting) {
    const numbered = numberInodes(subvolume);
    trees.push({ id: subvolume.id, subvolume, inodes: numbered.inodes });
    below.push(...numbered.below);
    waiting.push(...numbered.below.map((placed) => placed.subvolume));
  }
  return { trees: trees.sort((a, b) => a.id - b.id), below };
}

function contentsOf(trees: readonly NumberedTree[]): Set<Content> {
  const nodes = trees.flatMap((tree) => tree.inodes.map((inode) => inode.node));
  return new Set(nodes.flatMap((node) => (node.kind === "file" ? [node.content] : [])));
}

function planOrFault(
  sizeBytes: number,
  trees: readonly NumberedTree[],
  dataBytes: number,
): ChunkPlan {
  const inodes = trees.reduce((sum, tree) => sum + tree.inodes.length, 0);
  // Generously: an inode with its name and a small content takes less than two kilobytes mostly.
  const small = trees
    .flatMap((tree) => tree.inodes)
    .reduce((sum, { node }) => {
      return sum + (node.kind === "file" && spaceOf(node.content) === 0 ? INLINE_GUESS : 0);
    }, 0);
  const sums = dataBytes / 1000;
  const nodeCount = Math.ceil((inodes * INODE_GUESS + small + sums) / NODE_BYTES) + 16;
  const chunks =
    sizeBytes < FILESYSTEM_BYTES_MIN
      ? undefined
      : planChunks({ deviceBytes: sizeBytes, nodeCount, dataBytes });
  if (chunks !== undefined) return chunks;
  const needBytes = Math.max(
    FILESYSTEM_BYTES_MIN,
    Math.ceil((dataBytes + 4 * nodeCount * NODE_BYTES) * 1.1) + OVERHEAD_BYTES,
  );
  throw new Fault({
    code: "E_NO_SPACE",
    message:
      `Cannot make a file system of ${formatBytes(sizeBytes)}: ` +
      `what goes in needs ${formatBytes(needBytes)}`,
    hint: "give the image more --size, or put less into it",
    details: { sizeBytes, needBytes, dataBytes },
  });
}

const INODE_GUESS = 600;
const INLINE_GUESS = 1200;
const OVERHEAD_BYTES = 96 * 1024 ** 2;
