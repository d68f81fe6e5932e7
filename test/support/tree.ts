import { constants, mkdtempSync, openSync, readSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { firstReason, needsProgram } from "./skip.ts";

/**
 * Trees made and described by python3, and compared by rsync: tools that share no code with what
 * is tested. Paths are latin1 strings, one character per byte; {@link latin1} makes one of text.
 */

/** What every operation can set. Times are nanoseconds since the epoch; xattrs are in hex. */
interface Attributes {
  readonly mode?: number;
  readonly uid?: number;
  readonly gid?: number;
  readonly mtimeNs?: string;
  /** The same as `mtimeNs` where it is missing. */
  readonly atimeNs?: string;
  /** null removes one. */
  readonly xattrs?: Readonly<Record<string, string | null>>;
}

type Content =
  | { readonly text: string }
  /** Random bytes from a seed; `data` lists the [offset, length] that are no holes. */
  | {
      readonly size: number;
      readonly seed?: number;
      readonly data?: readonly (readonly [number, number])[];
    };

/** One step in making or changing a tree. Folders above `path` are made where they are missing. */
export type TreeOperation = { readonly path: string } & (
  | ({ readonly op: "file" } & Content & Attributes)
  | ({ readonly op: "folder" } & Attributes)
  | ({ readonly op: "link"; readonly to: string } & Attributes)
  /** Another name for the file `to`. */
  | { readonly op: "hard"; readonly to: string }
  | ({ readonly op: "fifo" | "socket" } & Attributes)
  | ({
      readonly op: "device";
      readonly kind: "char" | "block";
      readonly major: number;
      readonly minor: number;
    } & Attributes)
  | { readonly op: "remove" }
  | { readonly op: "rename"; readonly to: string }
  | ({ readonly op: "set" } & Attributes)
  /** Other bytes under the same modification time. */
  | { readonly op: "patch"; readonly text: string; readonly offset?: number }
  /** Folders in each other, the first named `path`, the others `width` bytes wide. */
  | { readonly op: "chain"; readonly depth: number; readonly width: number }
);

/** What lies at a path, as python3 sees it. */
export interface TreeEntry {
  readonly type: string;
  readonly uid: number;
  readonly gid: number;
  readonly mode?: string;
  readonly mtime?: string;
  readonly atime?: string;
  readonly ctime?: string;
  readonly inode?: number;
  readonly size?: number;
  readonly sha1?: string;
  readonly to?: string;
  /** Where a file with holes has data: [start, end]. */
  readonly data?: readonly (readonly [number, number])[];
  /** First path of the same file, where it has several names. */
  readonly same?: string;
  readonly links?: number;
  readonly xattrs?: Readonly<Record<string, string>>;
}

/** Why trees cannot be made and compared here, or undefined. */
export function treeToolsMissing(): string | undefined {
  return firstReason(needsProgram("python3"), needsProgram("rsync"));
}

/** The bytes of a text as latin1 string. */
export function latin1(text: string): string {
  return Buffer.from(text).toString("latin1");
}

/** The bytes of a text in hex, as `xattrs` wants them. */
export function hex(text: string): string {
  return Buffer.from(text).toString("hex");
}

/** Makes or changes what lies below `root`, which must exist. */
export function makeTree(root: string, operations: readonly TreeOperation[]): void {
  ask("make", root, [], operations);
}

/** Everything below (and with) `root`: path -> what lies there; the root's own path is "". */
export function describeTree(
  root: string,
  ...options: ("atime" | "ctime" | "inode" | "nodirtimes")[]
): Record<string, TreeEntry> {
  return ask("digest", root, options) as Record<string, TreeEntry>;
}

/** Number of entries, longest path in bytes, and a digest of all: for trees of any depth. */
export function sumTree(root: string): { entries: number; longestPath: number; sha1: string } {
  return ask("sum", root, []) as ReturnType<typeof sumTree>;
}

/**
 * What rsync would still have to do to make `target` equal to `source`, "" for nothing: types,
 * content by checksum, mode, owner, times in ns, links, hard links, ACLs, extended attributes,
 * and what is too much in the target.
 */
export function differences(source: string, target: string, ...flags: string[]): string {
  const command = ["rsync", "-naiHAXc", "--delete", "--modify-window=-1", ...flags];
  const run = Bun.spawnSync([...command, "--", `${source}/`, `${target}/`], {
    env: { ...process.env, LC_ALL: "C" },
    stderr: "pipe",
  });
  return `${run.stdout.toString("latin1")}${run.stderr.toString()}`;
}

const TAGS = { owner: 0x01, user: 0x02, group: 0x04, members: 0x08, mask: 0x10, others: 0x20 };

/** An ACL in hex, for `system.posix_acl_access` and `system.posix_acl_default` (acl(5)). */
export function aclHex(
  entries: readonly { tag: keyof typeof TAGS; permissions: number; id?: number }[],
): string {
  const bytes = Buffer.alloc(4 + entries.length * 8);
  bytes.writeUInt32LE(2, 0);
  for (const [index, { tag, permissions, id }] of entries.entries()) {
    bytes.writeUInt16LE(TAGS[tag], 4 + index * 8);
    bytes.writeUInt16LE(permissions, 6 + index * 8);
    bytes.writeUInt32LE(id ?? 0xffffffff, 8 + index * 8);
  }
  return bytes.toString("hex");
}

const ANSWER_MS = 60_000;
const BLOCK_BYTES = 1 << 20;
let child: Bun.Subprocess | undefined;
let isStarted = false;
let worker: { readonly requests: number; readonly answers: number } | undefined;

/** One python3 for the whole run: its start costs more than what it is asked. */
function ask(...request: readonly unknown[]): unknown {
  // A test that takes too long has its children ended by the runner, this one too.
  if (child?.exitCode !== null || child.signalCode !== null) worker = undefined;
  worker ??= startPython();
  writeAll(worker.requests, `${JSON.stringify(request)}\n`);
  const { error, result } = JSON.parse(readLine(worker.answers)) as Record<string, unknown>;
  if (error !== undefined) throw new Error(`tree.py ${request[0]} ${request[1]}: ${error}`);
  return result;
}

/** Two FIFOs, since the pipes of Bun.spawn cannot be read without giving up the turn. */
function startPython(): NonNullable<typeof worker> {
  // A version manager's shim costs more than python itself.
  const path = `/usr/bin:${process.env["PATH"] ?? ""}`;
  const program = Bun.which("python3", { PATH: path });
  if (program === null) throw new Error("python3 is missing: ask treeToolsMissing() first");
  const folder = mkdtempSync(join(tmpdir(), "triad-tree-"));
  const [requests, answers] = [join(folder, "requests"), join(folder, "answers")];
  if (!Bun.spawnSync(["mkfifo", requests, answers]).success) throw new Error("mkfifo failed");
  const script = join(import.meta.dir, "tree.py");
  const command = `exec "$0" -S "$1" <"$2" >"$3"`;
  isStarted = false;
  child = Bun.spawn(["sh", "-c", command, program, script, requests, answers], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  child.unref();
  const writable = openSync(requests, constants.O_RDWR);
  const readable = openSync(answers, constants.O_RDONLY | constants.O_NONBLOCK);
  // It ends by itself when this process, the only writer, does.
  const started = { requests: writable, answers: readable };
  worker = started;
  ask("make", folder, [], []);
  rmSync(folder, { recursive: true });
  return started;
}

function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  let done = 0;
  while (done < bytes.length) done += writeSync(fd, bytes, done);
}

function readLine(fd: number): string {
  const parts: Buffer[] = [];
  const endMs = performance.now() + ANSWER_MS;
  for (;;) {
    const block = Buffer.alloc(BLOCK_BYTES);
    const got = tryRead(fd, block);
    if (got > 0) {
      parts.push(block.subarray(0, got));
      if (block[got - 1] === 0x0a) return Buffer.concat(parts).toString("utf8");
      continue;
    }
    if (performance.now() > endMs || (got === 0 && isStarted)) {
      worker = undefined;
      isStarted = false;
      throw new Error("tree.py does not answer");
    }
    isStarted ||= got < 0;
    Bun.sleepSync(1);
  }
}

/** 0 where nobody has the other end open, -1 where nothing has come yet. */
function tryRead(fd: number, block: Buffer): number {
  try {
    return readSync(fd, block, 0, block.length, null);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EAGAIN") return -1;
    throw error;
  }
}
