import { crc32c } from "../crc32c.ts";
import {
  GENERATION,
  HEADER_BYTES,
  ITEM_BYTES,
  type Key,
  NODE_BYTES,
  POINTER_BYTES,
  put64,
  putKey,
} from "./format.ts";

/** Room for items in a leaf. */
export const LEAF_BYTES = NODE_BYTES - HEADER_BYTES;
const POINTERS_MAX = Math.floor(LEAF_BYTES / POINTER_BYTES);
/** Written, and with references in the newer form. */
const FLAGS = 1n | (1n << 56n);

interface Node {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  readonly level: number;
  readonly firstKey: Key;
  readonly children: readonly Node[];
  count: number;
  address: number;
}

/** What the headers of all nodes have in common. */
export interface FilesystemIds {
  readonly filesystem: Uint8Array;
  readonly chunkTree: Uint8Array;
}

/**
 * A tree of btrfs, built from its items in the order of their keys: leaves are filled to the brim,
 * inner nodes above them.
 */
export class TreeWriter {
  readonly owner: number;
  readonly #leaves: Node[] = [];
  #dataStart = 0;
  #levels: Node[][] | undefined;

  constructor(owner: number) {
    this.owner = owner;
  }

  /** Adds an item; its key stands after all that were added before. */
  add(key: Key, data: Uint8Array): void {
    if (data.length + ITEM_BYTES > LEAF_BYTES) {
      throw new Error(`An item of ${data.length} bytes fits into no leaf`);
    }
    let leaf = this.#leaves.at(-1);
    if (leaf === undefined || this.#roomIn(leaf) < data.length + ITEM_BYTES) {
      leaf = makeNode(0, key, []);
      this.#leaves.push(leaf);
      this.#dataStart = LEAF_BYTES;
    }
    this.#dataStart -= data.length;
    const at = HEADER_BYTES + leaf.count * ITEM_BYTES;
    putKey(leaf.view, at, key);
    leaf.view.setUint32(at + 17, this.#dataStart, true);
    leaf.view.setUint32(at + 21, data.length, true);
    leaf.bytes.set(data, HEADER_BYTES + this.#dataStart);
    leaf.count += 1;
  }

  /** How many nodes the tree takes, with what has been added. */
  get nodeCount(): number {
    return this.#finished().reduce((sum, level) => sum + level.length, 0);
  }

  get rootLevel(): number {
    return this.#finished().length - 1;
  }

  /** Where the root is, once {@link place} has said so. */
  get rootAddress(): number {
    return this.#finished().at(-1)?.[0]?.address ?? 0;
  }

  /** Gives each node its address; returns level and address of each. */
  place(allocate: () => number): { readonly address: number; readonly level: number }[] {
    const placed: { address: number; level: number }[] = [];
    for (const node of this.#finished().flat()) {
      node.address = allocate();
      placed.push({ address: node.address, level: node.level });
    }
    return placed;
  }

  /** The finished nodes, with headers and checksums. */
  *nodes(ids: FilesystemIds): Generator<{ readonly address: number; readonly bytes: Uint8Array }> {
    for (const node of this.#finished().flat()) {
      for (const [index, child] of node.children.entries()) {
        const at = HEADER_BYTES + index * POINTER_BYTES;
        putKey(node.view, at, child.firstKey);
        put64(node.view, at + 17, child.address);
        put64(node.view, at + 25, GENERATION);
      }
      this.#putHeader(node, ids);
      yield { address: node.address, bytes: node.bytes };
    }
  }

  #roomIn(leaf: Node): number {
    return this.#dataStart - leaf.count * ITEM_BYTES;
  }

  #finished(): Node[][] {
    if (this.#levels !== undefined) return this.#levels;
    if (this.#leaves.length === 0) {
      this.#leaves.push(makeNode(0, { objectId: 0, type: 0, offset: 0 }, []));
    }
    const levels = [this.#leaves];
    for (let below = this.#leaves; below.length > 1; ) {
      const level: Node[] = [];
      for (let start = 0; start < below.length; start += POINTERS_MAX) {
        const children = below.slice(start, start + POINTERS_MAX);
        const firstKey = children[0]?.firstKey;
        if (firstKey !== undefined) level.push(makeNode(levels.length, firstKey, children));
      }
      levels.push(level);
      below = level;
    }
    this.#levels = levels;
    return levels;
  }

  #putHeader(node: Node, ids: FilesystemIds): void {
    const { view, bytes } = node;
    bytes.set(ids.filesystem, 32);
    put64(view, 48, node.address);
    view.setBigUint64(56, FLAGS, true);
    bytes.set(ids.chunkTree, 64);
    put64(view, 80, GENERATION);
    put64(view, 88, this.owner);
    view.setUint32(96, node.children.length || node.count, true);
    view.setUint8(100, node.level);
    view.setUint32(0, crc32c(bytes.subarray(32)), true);
  }
}

function makeNode(level: number, firstKey: Key, children: readonly Node[]): Node {
  const bytes = new Uint8Array(NODE_BYTES);
  const view = new DataView(bytes.buffer);
  return { bytes, view, level, firstKey, children, count: 0, address: 0 };
}
