/**
 * Unpacks an archive beneath a folder, and nowhere else: names and links that lead outside,
 * devices, and writing through links are refused (as the "data" filter of PEP 706 does).
 */
import {
  closeSync,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  symlinkSync,
  writeSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { linkProblem } from "./link-problem.ts";
import { readTar, TarError, type TarMember } from "./tar.ts";

/** What an archive may hold. */
export interface UnpackLimits {
  readonly membersMax: number;
  /** Of all files together. */
  readonly bytesMax: number;
}

/** An archive that must not be unpacked; its message says why, and names the member. */
export class HostileArchive extends Error {
  override name = "HostileArchive";
}

/**
 * The bytes of a compressed archive, unpacked: gzip, zstd or neither, by its first bytes.
 *
 * @throws Error when the compression is damaged
 */
export async function* decompressed(path: string): AsyncGenerator<Uint8Array> {
  const file = Bun.file(path);
  const format = formatOf(await file.slice(0, 4).bytes());
  const stream = file.stream();
  const body = format === undefined ? stream : stream.pipeThrough(new DecompressionStream(format));
  yield* body as unknown as AsyncIterable<Uint8Array>;
}

function formatOf(head: Uint8Array): "gzip" | "zstd" | undefined {
  if (head[0] === 0x1f && head[1] === 0x8b) return "gzip";
  const isZstd = [0x28, 0xb5, 0x2f, 0xfd].every((byte, index) => head[index] === byte);
  return isZstd ? "zstd" : undefined;
}

/**
 * Unpacks.
 *
 * @param folder exists, is empty, and nobody else writes to it
 * @throws {HostileArchive} and leaves in the folder what came before
 * @throws {TarError} for a damaged archive
 */
export async function unpackTar(
  archive: AsyncIterable<Uint8Array>,
  folder: string,
  limits: UnpackLimits,
): Promise<void> {
  const state: Unpacking = { folder, limits, members: 0, bytes: 0, folders: new Set([""]) };
  for await (const member of readTar(archive)) {
    state.members += 1;
    if (state.members > limits.membersMax) throw new HostileArchive("it has too many members");
    await unpackMember(state, member);
  }
}

interface Unpacking {
  readonly folder: string;
  readonly limits: UnpackLimits;
  members: number;
  bytes: number;
  /** Real folders that were made here, relative. */
  readonly folders: Set<string>;
}

async function unpackMember(state: Unpacking, member: TarMember): Promise<void> {
  const path = safePath(member.path);
  if (path === "") return;
  switch (member.kind) {
    case "folder":
      makeFolder(state, path);
      return;
    case "file":
      makeFolder(state, parentOf(path));
      await writeFile(state, path, member);
      return;
    case "symlink":
      makeFolder(state, parentOf(path));
      checkLink(path, member.target);
      make(path, () => symlinkSync(member.target, join(state.folder, path)));
      return;
    case "hardlink": {
      makeFolder(state, parentOf(path));
      const source = safePath(member.target);
      makeFolder(state, parentOf(source));
      // A link to a link, or to a folder, is never what an honest archive holds.
      const status = lstatSync(join(state.folder, source), { throwIfNoEntry: false });
      if (status?.isFile() !== true) {
        throw new HostileArchive(`"${path}" is a link to what is no file of it`);
      }
      make(path, () => linkSync(join(state.folder, source), join(state.folder, path)));
      return;
    }
    case "other":
      throw new HostileArchive(`"${path}" is a device, or something else that is no file`);
  }
}

/** Relative, without "." and ".."; "" for the folder itself. */
function safePath(path: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
  if (path.startsWith("/") || /[\u0000]/.test(path) || /^[A-Za-z]:|\\/.test(path)) {
    throw new HostileArchive(`"${path}" leads outside`);
  }
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  if (parts.includes("..")) throw new HostileArchive(`"${path}" leads outside`);
  return parts.join("/");
}

function parentOf(path: string): string {
  const parent = dirname(path);
  return parent === "." ? "" : parent;
}

/** Makes the folder and those above it; what is there already must be a folder that we made. */
function makeFolder(state: Unpacking, path: string): void {
  if (state.folders.has(path)) return;
  makeFolder(state, parentOf(path));
  make(path, () => mkdirSync(join(state.folder, path), { mode: 0o755 }));
  state.folders.add(path);
}

function checkLink(path: string, target: string): void {
  const above = parentOf(path)
    .split("/")
    .filter((part) => part !== "");
  const problem = linkProblem(above, target);
  if (problem !== undefined) throw new HostileArchive(`"${path}" is ${problem}`);
}

async function writeFile(state: Unpacking, path: string, member: TarMember): Promise<void> {
  state.bytes += member.sizeBytes;
  if (state.bytes > state.limits.bytesMax) throw new HostileArchive("it is absurdly large");
  const mode = (member.mode & 0o111) === 0 ? 0o644 : 0o755;
  const fd = make(path, () => openSync(join(state.folder, path), "wx", mode));
  try {
    for await (const chunk of member.content()) {
      let done = 0;
      while (done < chunk.length) done += writeSync(fd, chunk, done);
    }
  } finally {
    closeSync(fd);
  }
}

/** Makes something new: whatever is there already was not expected, and is never followed. */
function make<T>(path: string, call: () => T): T {
  try {
    return call();
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "EEXIST" || code === "ENOTDIR" || code === "EISDIR") {
      throw new HostileArchive(`"${path}" is in it more than once`);
    }
    if (code === "ENAMETOOLONG") {
      throw new HostileArchive(`"${path.slice(0, 40)}…" is longer than names can be here`);
    }
    throw error;
  }
}

/** True for what an archive, and not the machine, is to blame for. */
export function isArchiveProblem(error: unknown): error is Error {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  const isCompression = /^(ERR_|Z_|ZSTD_)/.test(code) || error instanceof TypeError;
  return error instanceof TarError || error instanceof HostileArchive || isCompression;
}
