import { Fault } from "../../kit/fault/fault.ts";
import { HERE, renameAt } from "../../kit/fs/at.ts";
import { feed } from "../../kit/proc/feed.ts";
import { ByteReader } from "./byte-reader.ts";
import { must } from "./fault.ts";
import { newName, type Part, partFolder, partPath } from "./layout.ts";
import { findByKeys, keysOfAll } from "./part-keys.ts";
import { firstCommandEnd, RENAME_BYTES_MIN, renameStream } from "./rename-stream.ts";
import { btrfsProgram } from "./send.ts";
import {
  brokenStream,
  CHUNK_BYTES_MAX,
  HEADER_BYTES_MAX,
  MAGIC,
  parseHeader,
  STREAM_PARTS,
  type StreamHeader,
} from "./stream-format.ts";
import { removeSubvolume, subvolumeInfo, syncFilesystem } from "./subvolume.ts";
import { hasFailed } from "./transfer.ts";
import type { SnapshotTree } from "./tree.ts";
import type { Snapshot } from "./types.ts";

/**
 * Makes a snapshot of a stream of `sendSnapshot`. It counts when all of it has come and is what was
 * sent; of anything less nothing stays.
 *
 * @throws {Fault} E_INTEGRITY, E_NOT_FOUND without the parent, E_REFUSED if it is here already
 */
export async function receiveSnapshot(
  tree: SnapshotTree,
  source: AsyncIterable<Uint8Array>,
): Promise<Snapshot> {
  const stream = new HashedReader(source);
  const header = await readHeader(stream);
  const parent = requireParent(tree, header);
  tree.reserve(0);
  const id = tree.state.nextSnapshot;
  const { root } = tree;
  try {
    for (const part of STREAM_PARTS) await receivePart({ stream, root, part, name: newName(id) });
    const wanted = stream.digest();
    if (!(await stream.readRaw(wanted.length)).equals(wanted)) {
      throw brokenStream("it is not what was sent");
    }
    syncFilesystem(root);
    for (const part of STREAM_PARTS) {
      const from = `${partFolder(root, part)}/${newName(id)}`;
      const to = partPath(root, part, id);
      must(renameAt(HERE, from, HERE, to), `make "${to}"`);
    }
  } catch (error) {
    for (const part of STREAM_PARTS) removeSubvolume(`${partFolder(root, part)}/${newName(id)}`);
    throw error;
  }
  const { branch, ...record } = header.snapshot;
  const isTaken = tree.state.snapshots.some((each) => each.branch === branch);
  const { uuid } = subvolumeInfo(partPath(root, "root", id));
  const snapshot: Snapshot = {
    ...record,
    branch: isTaken ? undefined : branch,
    id,
    parent,
    isPinned: false,
    uuid,
  };
  tree.update((state) => ({
    ...state,
    snapshots: [...state.snapshots, snapshot],
    nextSnapshot: id + 1,
  }));
  return snapshot;
}

async function readHeader(stream: HashedReader): Promise<StreamHeader> {
  const magic = await stream.read(MAGIC.length);
  if (!magic.equals(MAGIC)) throw brokenStream("it is no stream of rastos snapshot send");
  const length = await stream.readLength(HEADER_BYTES_MAX);
  return parseHeader((await stream.read(length)).toString("utf8"));
}

/** Id of the parent that the stream builds upon. @throws {Fault} */
function requireParent(tree: SnapshotTree, header: StreamHeader): number | undefined {
  const all = keysOfAll(tree.root, tree.state);
  const same = findByKeys(all, header.keys);
  if (same !== undefined) {
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot receive the snapshot: it is here already, as number ${same}`,
      details: { snapshot: same },
    });
  }
  if (header.parent === undefined) return undefined;
  const parent = findByKeys(all, header.parent);
  if (parent !== undefined) return parent;
  throw new Fault({
    code: "E_NOT_FOUND",
    message: "Cannot receive the snapshot: the one that it builds upon is not here",
    hint: "send that one first, or send this one with --full",
  });
}

async function receivePart(request: {
  readonly stream: HashedReader;
  readonly root: string;
  readonly part: Part;
  readonly name: string;
}): Promise<void> {
  const { stream, root, part, name } = request;
  // Confined to the folder: what a stream says of paths and links is foreign.
  const command = [btrfsProgram(), "receive", "-q", "-e", "-C", partFolder(root, part)];
  const child = Bun.spawn(command, { stdin: "pipe", stdout: "ignore", stderr: "pipe" });
  const words = new Response(child.stderr).text();
  let start = Buffer.alloc(0);
  let isRenamed = false;
  try {
    for (;;) {
      const length = await stream.readLength(CHUNK_BYTES_MAX);
      if (length === 0) break;
      let bytes = await stream.read(length);
      if (!isRenamed) {
        start = Buffer.concat([start, bytes]);
        if (start.length < RENAME_BYTES_MIN || start.length < firstCommandEnd(start)) continue;
        const end = firstCommandEnd(start);
        const renamed = renameStream(start.subarray(0, end), name);
        bytes = Buffer.concat([renamed, start.subarray(end)]);
        isRenamed = true;
      }
      await feed(child.stdin, bytes);
      if (hasFailed(child)) throw await receiveFault(part, words);
    }
    if (!isRenamed) throw brokenStream("it ends early");
    await child.stdin.end();
    if ((await child.exited) === 0) return;
    throw await receiveFault(part, words);
  } catch (error) {
    // A program that ended early closes the pipe; its own words say why.
    const isPipe = (error as NodeJS.ErrnoException).code === "EPIPE";
    throw isPipe ? await receiveFault(part, words) : error;
  } finally {
    child.kill();
    await child.exited;
  }
}

async function receiveFault(part: Part, words: Promise<string>): Promise<Fault> {
  const excerpt = (await words).trim().split("\n").slice(-3);
  const isFull = excerpt.some((line) => /no space left/i.test(line));
  return new Fault({
    code: isFull ? "E_NO_SPACE" : "E_IO",
    message: `Cannot receive the snapshot's ${part}`,
    excerpt,
    hint: isFull ? "remove snapshots that nobody needs: rastos snapshot prune" : undefined,
  });
}

/** Hashes what it reads, and takes an early end for damage. */
class HashedReader {
  readonly #reader: ByteReader;
  readonly #hash = new Bun.CryptoHasher("sha256");

  constructor(source: AsyncIterable<Uint8Array>) {
    this.#reader = new ByteReader(source);
  }

  async read(count: number): Promise<Buffer> {
    const bytes = await this.readRaw(count);
    this.#hash.update(bytes);
    return bytes;
  }

  async readRaw(count: number): Promise<Buffer> {
    const bytes = await this.#reader.read(count);
    if (bytes.length < count) throw brokenStream("it ends early");
    return bytes;
  }

  async readLength(max: number): Promise<number> {
    const length = (await this.read(4)).readUInt32LE();
    if (length > max) throw brokenStream("it is damaged");
    return length;
  }

  digest(): Buffer {
    return this.#hash.digest();
  }
}
