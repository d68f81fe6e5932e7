import { GROUP, NODE_BYTES, roundUp, STRIPE_BYTES, SUPERBLOCKS_AT } from "./format.ts";
import type { Chunk } from "./records.ts";

const MIB = 1024 ** 2;
/** The first megabyte of a device belongs to boot loaders and the first superblock. */
const RESERVED_BYTES = MIB;
const SYSTEM_BYTES = 8 * MIB;
const LOGICAL_START = 16 * MIB;
const METADATA_BYTES_MIN = 32 * MIB;
const CHUNK_BYTES_MAX = 1024 * MIB;
/** Chunks of data take at most this share of the device, as mkfs.btrfs and the kernel do. */
const SHARE_OF_DEVICE = 10;

/** The smallest file system that is made; the kernel's own limit is a little lower. */
export const FILESYSTEM_BYTES_MIN = 128 * MIB;

/** How the space is divided. */
export interface ChunkPlan {
  readonly system: Chunk;
  readonly metadata: Chunk;
  readonly data: readonly Chunk[];
}

/** What has to fit. */
export interface SpaceNeed {
  readonly deviceBytes: number;
  /** Nodes of all trees but the extent tree, as far as they are known. */
  readonly nodeCount: number;
  readonly dataBytes: number;
}

/**
 * Divides a device into chunks: system and metadata twice, data once. No chunk lies over a copy of
 * the superblock.
 *
 * @returns undefined when it does not fit
 */
export function planChunks(need: SpaceNeed): ChunkPlan | undefined {
  const device = new Device(need.deviceBytes);
  const system = device.chunk(SYSTEM_BYTES, GROUP.system | GROUP.twice);
  const metadata = device.chunk(metadataBytes(need.nodeCount), GROUP.metadata | GROUP.twice);
  if (system === undefined || metadata === undefined) return undefined;
  const share = roundUp(need.deviceBytes / SHARE_OF_DEVICE, MIB);
  const unit = Math.min(CHUNK_BYTES_MAX, Math.max(share, 8 * MIB));
  const data: Chunk[] = [];
  for (let left = need.dataBytes; left > 0 || data.length === 0; ) {
    const chunk = device.chunk(unit, GROUP.data) ?? device.rest(GROUP.data);
    if (chunk === undefined) return undefined;
    data.push(chunk);
    left -= chunk.length;
  }
  return { system, metadata, data };
}

/** Twice of what is needed now, so that the first writes need no new chunk. */
function metadataBytes(nodeCount: number): number {
  return Math.max(METADATA_BYTES_MIN, roundUp(nodeCount * NODE_BYTES * 2, MIB));
}

/** Hands out a device from its start on. */
class Device {
  readonly #size: number;
  #physical = RESERVED_BYTES;
  #logical = LOGICAL_START;

  constructor(size: number) {
    this.#size = size - (size % STRIPE_BYTES);
  }

  chunk(length: number, flags: number): Chunk | undefined {
    const before = this.#physical;
    const places: number[] = [];
    for (let copy = 0; copy < ((flags & GROUP.twice) === 0 ? 1 : 2); copy++) {
      const place = clearOfSuperblocks(this.#physical, length);
      if (place + length > this.#size) {
        this.#physical = before;
        return undefined;
      }
      places.push(place);
      this.#physical = place + length;
    }
    const chunk = { logical: this.#logical, length, flags, physical: places };
    this.#logical += length;
    return chunk;
  }

  /** A last chunk of what is left, if that is worth it. */
  rest(flags: number): Chunk | undefined {
    const length = this.#size - this.#physical;
    return length < MIB ? undefined : this.chunk(length, flags);
  }
}

function clearOfSuperblocks(start: number, length: number): number {
  let place = start;
  for (const at of SUPERBLOCKS_AT) {
    if (place < at + STRIPE_BYTES && place + length > at) place = at + MIB;
  }
  return place;
}
