import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { Fault } from "../../../kit/fault/fault.ts";
import { reasonOf } from "../../../kit/fault/reason.ts";
import type { ByteTarget } from "../byte-target.ts";
import { crc32c } from "../crc32c.ts";
import type { Extent } from "./extents.ts";
import { EXTENT_BYTES_MAX, roundUp, SECTOR_BYTES } from "./format.ts";
import { type Content, contentSize } from "./model.ts";
import type { Chunk } from "./records.ts";
import type { Inode } from "./subvolume-tree.ts";
import { isStoredApart } from "./subvolume-tree.ts";

const BLOCK_BYTES = 1024 * 1024;
/** How long work goes on without a break. */
const TURN_MS = 50;

/** Where every content lies. */
export interface DataPlan {
  readonly extents: readonly Extent[];
  readonly byContent: ReadonlyMap<Content, readonly Extent[]>;
  /** Used bytes of each chunk, from its start. */
  readonly usedBytes: readonly number[];
}

/** Gives every content of the inodes its place in the chunks, each content once. */
export function placeData(
  trees: readonly { readonly id: number; readonly inodes: readonly Inode[] }[],
  chunks: readonly Chunk[],
): DataPlan {
  const room = new Room(chunks);
  const byContent = new Map<Content, readonly Extent[]>();
  for (const { id, inodes } of trees) {
    for (const { node, number } of inodes) {
      if (node.kind !== "file" || !isStoredApart(node.content)) continue;
      const extents = byContent.get(node.content) ?? room.place(node.content);
      byContent.set(node.content, extents);
      for (const { references, fileOffset } of extents) {
        references.push({ tree: id, inode: number, fileOffset });
      }
    }
  }
  return { extents: [...byContent.values()].flat(), byContent, usedBytes: room.used };
}

class Room {
  readonly used: number[];
  readonly #chunks: readonly Chunk[];
  #current = 0;

  constructor(chunks: readonly Chunk[]) {
    this.#chunks = chunks;
    this.used = chunks.map(() => 0);
  }

  place(content: Content): Extent[] {
    const extents: Extent[] = [];
    const stored = roundUp(contentSize(content), SECTOR_BYTES);
    for (let fileOffset = 0; fileOffset < stored; ) {
      const chunk = this.#chunks[this.#current];
      // The plan of the chunks was made for all of it.
      if (chunk === undefined) throw new Error("The data does not fit into its chunks");
      const used = this.used[this.#current] ?? 0;
      const length = Math.min(stored - fileOffset, EXTENT_BYTES_MAX, chunk.length - used);
      if (length === 0) {
        this.#current += 1;
        continue;
      }
      extents.push({ address: chunk.logical + used, length, fileOffset, content, references: [] });
      this.used[this.#current] = used + length;
      fileOffset += length;
    }
    return extents;
  }
}

/**
 * Writes all extents and counts their checksums.
 *
 * @param onBytes is told how many bytes have been written since the last time
 * @returns a sum for each sector, extent after extent
 * @throws {Fault} E_IO when a file cannot be read, or is not as long as it was
 */
export async function writeData(
  plan: DataPlan,
  chunks: readonly Chunk[],
  target: ByteTarget,
  onBytes: (bytes: number) => void,
): Promise<Uint32Array> {
  const sectors = plan.extents.reduce((sum, extent) => sum + extent.length, 0) / SECTOR_BYTES;
  const sums = new Uint32Array(sectors);
  const block = new Uint8Array(BLOCK_BYTES);
  let sector = 0;
  let turnMs = performance.now();
  for (const [content, extents] of plan.byContent) {
    using reader = new ContentReader(content);
    for (const extent of extents) {
      const place = physicalOf(extent.address, chunks);
      for (let done = 0; done < extent.length; ) {
        const length = Math.min(extent.length - done, BLOCK_BYTES);
        const piece = block.subarray(0, length);
        reader.read(extent.fileOffset + done, piece);
        for (let at = 0; at < length; at += SECTOR_BYTES) {
          sums[sector++] = crc32c(piece.subarray(at, at + SECTOR_BYTES));
        }
        target.write(place + done, piece);
        done += length;
        onBytes(length);
      }
    }
    if (performance.now() - turnMs < TURN_MS) continue;
    // Lets signals, and the line that shows progress, have their turn.
    await Bun.sleep(0);
    turnMs = performance.now();
  }
  return sums;
}

function physicalOf(address: number, chunks: readonly Chunk[]): number {
  const chunk = chunks.find(({ logical, length }) => {
    return address >= logical && address < logical + length;
  });
  const start = chunk?.physical[0];
  if (chunk === undefined || start === undefined) throw new Error(`No chunk holds ${address}`);
  return start + address - chunk.logical;
}

/** All bytes of a small content. @throws {Fault} E_IO */
export function readContent(content: Content): Uint8Array {
  using reader = new ContentReader(content);
  const bytes = new Uint8Array(contentSize(content));
  reader.read(0, bytes);
  return bytes;
}

class ContentReader implements Disposable {
  readonly #content: Content;
  readonly #fd: number | undefined;

  constructor(content: Content) {
    this.#content = content;
    this.#fd = content.kind === "file" ? openContent(content) : undefined;
  }

  /** Fills the piece from this byte of the file on, behind the end with zeros. */
  read(offset: number, piece: Uint8Array): void {
    const content = this.#content;
    const length = Math.min(piece.length, contentSize(content) - offset);
    if (content.kind === "bytes") {
      piece.set(content.bytes.subarray(offset, offset + length));
    } else if (this.#fd !== undefined) {
      for (let done = 0; done < length; ) {
        const got = readAt(this.#fd, piece.subarray(done, length), offset + done, content.path);
        if (got === 0) throw changed(content.path);
        done += got;
      }
    }
    piece.fill(0, length);
  }

  [Symbol.dispose](): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
  }
}

function openContent(content: Content & { readonly kind: "file" }): number {
  try {
    const fd = openSync(Buffer.from(content.path, "latin1"), "r");
    if (fstatSync(fd).size === content.size) return fd;
    closeSync(fd);
  } catch (error) {
    throw unreadable(content.path, error);
  }
  throw changed(content.path);
}

function readAt(fd: number, piece: Uint8Array, position: number, path: string): number {
  try {
    return readSync(fd, piece, 0, piece.length, position);
  } catch (error) {
    throw unreadable(path, error);
  }
}

function shown(path: string): string {
  return Buffer.from(path, "latin1").toString();
}

function unreadable(path: string, error: unknown): Fault {
  const message = `Cannot read "${shown(path)}": ${reasonOf(error)}`;
  return new Fault({ code: "E_IO", message, details: { path: shown(path) } });
}

function changed(path: string): Fault {
  return new Fault({
    code: "E_IO",
    message: `Cannot put "${shown(path)}" into the image: it changes while it is read`,
    hint: "stop what writes to it, and build again",
    details: { path: shown(path) },
  });
}
