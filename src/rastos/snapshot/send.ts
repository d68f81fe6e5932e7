import { Fault } from "../../kit/fault/fault.ts";
import { keysOf } from "./part-keys.ts";
import { partPlace } from "./part-place.ts";
import type { SnapshotRecord } from "./record.ts";
import {
  CHUNK_BYTES_MAX,
  formatHeader,
  lengthBytes,
  type PartKeys,
  STREAM_PARTS,
} from "./stream-format.ts";
import type { Snapshot } from "./types.ts";

/** What to send. */
export interface SendRequest {
  /** The top level. */
  readonly top: string;
  readonly snapshot: Snapshot;
  /** Id of a snapshot that the receiver has; undefined sends everything. */
  readonly parent: number | undefined;
}

/**
 * The stream of a snapshot, for `receiveSnapshot`.
 * @throws {Fault} E_NOT_FOUND without btrfs-progs, E_IO with their words
 */
export async function* sendSnapshot(request: SendRequest): AsyncGenerator<Uint8Array> {
  const { top, snapshot, parent } = request;
  const hash = new Bun.CryptoHasher("sha256");
  const framed = (bytes: Uint8Array): Uint8Array => {
    hash.update(bytes);
    return bytes;
  };
  const keys = keysOf(top, snapshot.id);
  const parentKeys: PartKeys | undefined = parent === undefined ? undefined : keysOf(top, parent);
  yield framed(formatHeader({ snapshot: recordOf(snapshot), keys, parent: parentKeys }));
  for (const part of STREAM_PARTS) {
    const from = parent === undefined ? [] : ["-p", partPlace(top, part, parent)];
    for await (const bytes of sendPart([...from, partPlace(top, part, snapshot.id)])) {
      yield framed(lengthBytes(bytes.length));
      yield framed(bytes);
    }
    yield framed(lengthBytes(0));
  }
  yield new Uint8Array(hash.digest());
}

function recordOf(snapshot: Snapshot): SnapshotRecord {
  const { id, parent, branch, description, createdMs, system } = snapshot;
  return { id, parent, branch, description, createdMs, system };
}

async function* sendPart(args: readonly string[]): AsyncGenerator<Uint8Array> {
  const child = Bun.spawn([btrfsProgram(), "send", "-q", ...args], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  try {
    for await (const bytes of child.stdout) {
      for (let at = 0; at < bytes.length; at += CHUNK_BYTES_MAX) {
        yield bytes.subarray(at, at + CHUNK_BYTES_MAX);
      }
    }
    const words = await new Response(child.stderr).text();
    if ((await child.exited) === 0) return;
    throw new Fault({
      code: "E_IO",
      message: `Cannot send "${args.at(-1)}"`,
      excerpt: words.trim().split("\n").slice(-3),
    });
  } finally {
    child.kill();
    await child.exited;
  }
}

/** Path of the program `btrfs`. @throws {Fault} E_NOT_FOUND */
export function btrfsProgram(): string {
  const path = Bun.which("btrfs", { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` });
  if (path !== null) return path;
  throw new Fault({
    code: "E_NOT_FOUND",
    message: "Cannot find the program btrfs, which sends and receives",
    hint: "install btrfs-progs",
  });
}
