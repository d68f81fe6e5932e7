import {
  closeSync,
  createReadStream,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { pipeline, Readable, type Transform } from "node:stream";
import { constants, createZstdCompress, createZstdDecompress } from "node:zlib";
import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";
import { feed } from "../../kit/proc/feed.ts";
import type { KeyedSnapshot } from "./part-keys.ts";

type Bytes = AsyncIterable<Uint8Array>;

const ZSTD_MAGIC = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);

/** The stream, compressed. */
export function compress(source: Bytes, level = 3): Bytes {
  const params = { [constants.ZSTD_c_compressionLevel]: level };
  return through(source, createZstdCompress({ params }));
}

/** Unlike pipe() it hands a failure of the source on, and ends the source with its reader. */
function through(source: Bytes, stream: Transform): Bytes {
  pipeline(Readable.from(source), stream, () => undefined);
  return stream;
}

/** The stream, decompressed where it is compressed. */
export async function* decompress(source: Bytes): Bytes {
  const iterator = source[Symbol.asyncIterator]();
  const first = await iterator.next();
  if (first.done === true) return;
  const rest = async function* (): Bytes {
    yield first.value;
    for (;;) {
      const next = await iterator.next();
      if (next.done === true) return;
      yield next.value;
    }
  };
  const isCompressed = Buffer.from(first.value.subarray(0, 4)).equals(ZSTD_MAGIC);
  if (!isCompressed) return yield* rest();
  try {
    yield* through(rest(), createZstdDecompress());
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault({
      code: "E_INTEGRITY",
      message: "Cannot receive the snapshot: it is damaged",
      cause: error,
    });
  }
}

/**
 * Writes a stream into a file, which has its name only when it is whole. Into a device or a pipe it
 * goes as it comes: their names must not become those of a file.
 *
 * @throws {Fault} E_NO_SPACE, E_IO
 */
export async function writeToFile(path: string, source: Bytes): Promise<number> {
  const isFile = statSync(path, { throwIfNoEntry: false })?.isFile() ?? true;
  const written = isFile ? `${path}.part` : path;
  let bytes = 0;
  try {
    const fd = openSync(written, isFile ? "w" : "r+", 0o600);
    try {
      for await (const chunk of source) {
        for (let done = 0; done < chunk.length; ) done += writeSync(fd, chunk, done);
        bytes += chunk.length;
      }
      if (isFile) fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    if (isFile) renameSync(written, path);
    return bytes;
  } catch (error) {
    if (isFile) rmSync(written, { force: true });
    if (error instanceof Fault) throw error;
    const isFull = (error as NodeJS.ErrnoException).code === "ENOSPC";
    throw new Fault({
      code: isFull ? "E_NO_SPACE" : "E_IO",
      message: `Cannot write "${path}": ${reasonOf(error)}`,
    });
  }
}

/** The bytes of a file, or of standard input for "-". @throws {Fault} E_NOT_FOUND, E_IO */
export async function* readFrom(path: string): Bytes {
  try {
    yield* path === "-"
      ? createReadStream("", { fd: 0, autoClose: false })
      : createReadStream(path);
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw new Fault({
      code: (error as NodeJS.ErrnoException).code === "ENOENT" ? "E_NOT_FOUND" : "E_IO",
      message: `Cannot read "${path}": ${reasonOf(error)}`,
    });
  }
}

/** Another machine, reached by ssh(1), and the top level there. */
export interface Host {
  readonly name: string;
  /** Undefined: its running system. */
  readonly root: string | undefined;
}

/** `HOST:`, `USER@HOST:/mnt`; undefined for a path. */
export function parseHost(text: string): Host | undefined {
  const match = /^([^/:\s]+):(.*)$/s.exec(text);
  const name = match?.[1];
  if (name === undefined) return undefined;
  const root = match?.[2] ?? "";
  return { name, root: root === "" ? undefined : root };
}

/** What the other machine has. @throws {Fault} E_NETWORK with its words */
export async function keysAt(host: Host): Promise<readonly KeyedSnapshot[]> {
  const child = Bun.spawn(remoteCommand(host, ["--list", "--json"]), {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [text, words] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  if ((await child.exited) !== 0) throw remoteFault(host, words);
  try {
    return (JSON.parse(text) as { snapshots: KeyedSnapshot[] }).snapshots;
  } catch {
    throw remoteFault(host, "it answered with something else than a list of snapshots");
  }
}

/** Has the other machine receive a stream. @throws {Fault} E_NETWORK with its words */
export async function sendTo(host: Host, source: Bytes): Promise<void> {
  const child = Bun.spawn(remoteCommand(host, ["-"]), {
    stdin: "pipe",
    stdout: "ignore",
    stderr: "pipe",
  });
  const words = new Response(child.stderr).text();
  try {
    for await (const chunk of source) {
      await feed(child.stdin, chunk);
      // Nobody reads any more, and the pipe does not say so: what is left need not be read.
      if (hasFailed(child)) break;
    }
    await child.stdin.end();
  } catch (error) {
    if (error instanceof Fault || (error as NodeJS.ErrnoException).code !== "EPIPE") {
      child.kill();
      throw error;
    }
  }
  if ((await child.exited) !== 0) throw remoteFault(host, await words);
}

/** Whether a program has ended already, and not well. */
export function hasFailed({ exitCode, signalCode }: Bun.Subprocess): boolean {
  return (exitCode ?? 0) !== 0 || signalCode !== null;
}

function remoteCommand(host: Host, args: readonly string[]): string[] {
  const root = host.root === undefined ? [] : ["--root", quoted(host.root)];
  return ["ssh", "--", host.name, "rastos", "snapshot", "receive", ...root, ...args];
}

/** For the shell over there. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

function remoteFault(host: Host, words: string): Fault {
  return new Fault({
    code: "E_NETWORK",
    message: `Cannot send to "${host.name}"`,
    excerpt: words.trim().split("\n").slice(-4),
    hint: `\`ssh ${host.name} rastos snapshot tree\` must work, as root`,
  });
}
