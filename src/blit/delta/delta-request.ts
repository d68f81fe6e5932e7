import { FRAME_PAYLOAD_BYTES_MAX } from "../wire/frame.ts";
import { tagBytes } from "./keyed-hash.ts";

/**
 * What a target says of the content that it has: the `extra` of a NEED. Little-endian: u8 version,
 * u8 flags, u8 log2 of the block size, u8 0, u32 number of blocks, u64 bytes that they cover (the
 * last block may be shorter); then 16 bytes for each block, its keyed hash; then, where the flag
 * says so, 4 bytes for each block, the rolling hash of its first bytes (0 = none).
 */

export const requestVersion = 1;
export const requestHeaderBytes = 16;

export const requestFlag = {
  /** Rolling hashes are there: a block may be found at other places too. */
  anchors: 1,
  /** The target has the base open: REUSE frames may name it. */
  reuse: 2,
} as const;

/** Smaller files are one block: sent whole or not at all. */
export const deltaBytesMin = 256 * 1024;

/** More blocks than this make a request that does not fit into one frame. */
export const blocksMax = 131_072;

const blockBytesLog2Min = 13;
const blockBytesLog2Max = 24;
const blocksWanted = 65_536;

/** How large the blocks of a base are, as a power of two: log2. */
export function blockBytesLog2For(baseBytes: number): number {
  if (baseBytes < deltaBytesMin) return 18;
  let log2 = baseBytes <= 64 * 1024 * 1024 ? blockBytesLog2Min : blockBytesLog2Min + 1;
  while (log2 < blockBytesLog2Max && baseBytes / 2 ** log2 > blocksWanted) log2++;
  return log2;
}

/** How long a request over a base is at most, bytes. */
export function requestBytesMax(baseBytes: number): number {
  const blocks = Math.min(blocksMax, Math.ceil(baseBytes / 2 ** blockBytesLog2For(baseBytes)));
  return requestHeaderBytes + blocks * (tagBytes + 4);
}

export type RequestHead = {
  readonly flags: number;
  readonly blockBytesLog2: number;
  readonly blocks: number;
  readonly coveredBytes: number;
};

/** Writes the 16 bytes at the beginning. */
export function writeRequestHead(to: Uint8Array, head: RequestHead): void {
  const view = new DataView(to.buffer, to.byteOffset, requestHeaderBytes);
  view.setUint8(0, requestVersion);
  view.setUint8(1, head.flags);
  view.setUint8(2, head.blockBytesLog2);
  view.setUint8(3, 0);
  view.setUint32(4, head.blocks, true);
  view.setBigUint64(8, BigInt(head.coveredBytes), true);
}

/** A request that keeps the format, as the source sees it. Nothing is copied. */
export type DeltaRequest = {
  readonly flags: number;
  readonly blockBytes: number;
  readonly blocks: number;
  readonly coveredBytes: number;
  /** All of the request: the hash of block n is at `requestHeaderBytes + 16 * n`. */
  readonly bytes: Uint8Array;
};

/**
 * Looks at every length before anything else does; `bytes` come from the other side.
 * Returns undefined for what does not keep the format: the session ends with E_INTEGRITY.
 */
export function parseRequest(bytes: Uint8Array): DeltaRequest | undefined {
  if (bytes.length < requestHeaderBytes || bytes.length > FRAME_PAYLOAD_BYTES_MAX) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const flags = view.getUint8(1);
  const log2 = view.getUint8(2);
  const blocks = view.getUint32(4, true);
  const covered = view.getBigUint64(8, true);
  if (view.getUint8(0) !== requestVersion || view.getUint8(3) !== 0) return undefined;
  if ((flags & ~(requestFlag.anchors | requestFlag.reuse)) !== 0) return undefined;
  if (log2 < blockBytesLog2Min || log2 > blockBytesLog2Max) return undefined;
  if (blocks > blocksMax || covered > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  const each = tagBytes + ((flags & requestFlag.anchors) === 0 ? 0 : 4);
  if (bytes.length !== requestHeaderBytes + blocks * each) return undefined;
  const blockBytes = 2 ** log2;
  const coveredBytes = Number(covered);
  if (blocks !== Math.ceil(coveredBytes / blockBytes)) return undefined;
  return { flags, blockBytes, blocks, coveredBytes, bytes };
}
