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

/** What goes into a new file system, and how large it is. */
export interface BtrfsContents {
  readonly sizeBytes: number;
  /** The top level, of id 5, with all that is in it. */
  readonly top: Subvolume;
}

/** Where and under which names a planned file system is written. */
export interface BtrfsOptions {
  readonly target: ByteTarget;
  readonly ids: Ids;
  readonly label: string;
  /** Is told how many bytes of files have been written since the last time. */
  readonly onBytes?: ((bytes: number) => void) | undefined;
}

/** What a file system came to. */
export interface BtrfsSummary {
  readonly dataBytes: number;
  readonly usedBytes: number;
  readonly inodes: number;
}

/** A file system of which it is known that it fits. */
export interface BtrfsPlan {
  readonly sizeBytes: number;
  /** Bytes that the files will take, each content once. */
  readonly dataBytes: number;
  readonly inodes: number;
  readonly trees: readonly NumberedTree[];
  readonly below: readonly Placed[];
  readonly chunks: ChunkPlan;
}

/**
 * Divides the space of a new file system.
 *
 * @throws {Fault} E_NO_SPACE with figures
 */
export function planBtrfs(contents: BtrfsContents): BtrfsPlan {
  const sizeBytes = contents.sizeBytes - (contents.sizeBytes % SECTOR_BYTES);
  const { trees, below } = numberAll(contents.top);
  const dataBytes = [...contentsOf(trees)].reduce((sum, each) => sum + spaceOf(each), 0);
  const inodes = trees.reduce((sum, tree) => sum + tree.inodes.length, 0);
  const chunks = planOrFault(sizeBytes, trees, dataBytes);
  return { sizeBytes, dataBytes, inodes, trees, below, chunks };
}

/**
 * Makes a btrfs with subvolumes and files, without mount, root or mkfs. The same input gives the
 * same bytes: nothing is taken from the clock, the machine or the order of its folders.
 *
 * What is written: all nodes and data, then the superblocks, the first one last. Until then there
 * is no file system.
 *
 * @throws {Fault} E_NO_SPACE, E_IO
 */
export async function writeBtrfs(plan: BtrfsPlan, options: BtrfsOptions): Promise<BtrfsSummary> {
  const { trees, below, chunks, sizeBytes, dataBytes, inodes } = plan;
  const { target, ids, onBytes = () => undefined } = options;
  const data = placeData(trees, chunks.data);
  const sums = await writeData(data, chunks.data, target, onBytes);
  const volume = new Volume({ ids, chunks, data, sizeBytes, below });
  volume.addSubvolumes(trees);
  volume.addSums(sums);
  const usedBytes = volume.finish(target, options.label);
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
