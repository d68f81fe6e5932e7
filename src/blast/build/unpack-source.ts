/** Source archives become folders. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { readTar, TarError, type TarMember } from "../../kit/archive/tar.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { type SourceLimits, SourceWriter } from "./source-writer.ts";

/** What is to be unpacked. */
export interface SourceArchive {
  readonly path: string;
  /** It tells what kind of archive it is. */
  readonly filename: string;
}

/** How to unpack. */
export interface UnpackOptions {
  /** For bzip2 and xz, which are not read here. */
  readonly python: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Replaced in tests. */
  readonly limits?: SourceLimits;
}

/**
 * Unpacks an archive below an empty folder.
 *
 * @returns the folder of the source: the one that everything lies in, if there is one
 * @throws {Fault} E_INTEGRITY for a damaged or hostile archive, E_BUILD for what is no archive of
 *   sources, E_NO_SPACE, E_IO
 */
export async function unpackSource(
  archive: SourceArchive,
  folder: string,
  options: UnpackOptions,
): Promise<string> {
  const writer = new SourceWriter(folder, archive.filename, options.limits);
  const name = archive.filename.toLowerCase();
  if (name.endsWith(".zip")) await unpackZip(archive, writer);
  else if (/\.(tar|tgz|tbz|txz|tar\.(gz|bz2|xz))$/.test(name)) {
    await unpackTar(archive, writer, options);
  } else {
    throw new Fault({
      code: "E_BUILD",
      message: `Cannot build "${archive.filename}": archives of its kind are not read`,
      hint: "it must be one of .tar.gz, .tgz, .tar.bz2, .tar.xz, .tar and .zip",
    });
  }
  return sourceFolder(folder, archive.filename);
}

function sourceFolder(folder: string, filename: string): string {
  const names = readdirSync(folder);
  const [only] = names;
  if (only !== undefined && names.length === 1) {
    const path = join(folder, only);
    if (statSync(path).isDirectory()) return path;
  }
  if (["pyproject.toml", "setup.py"].some((name) => existsSync(join(folder, name)))) return folder;
  throw new Fault({
    code: "E_BUILD",
    message: `Cannot build "${filename}": what it holds does not lie in one folder`,
  });
}

async function unpackTar(
  archive: SourceArchive,
  writer: SourceWriter,
  options: UnpackOptions,
): Promise<void> {
  try {
    const tar = openTar(archive, options);
    try {
      let members = 0;
      for await (const member of readTar(tar.chunks)) {
        members += 1;
        await writeMember(writer, member);
      }
      if (members === 0) throw new TarError("it is empty, or cannot be read here");
    } finally {
      await tar.close();
    }
  } catch (error) {
    if (error instanceof Fault) throw error;
    throw damaged(archive.filename, error);
  }
}

function damaged(filename: string, error: unknown): Fault {
  const reason = error instanceof TarError ? error.message : "it is damaged, or no such archive";
  return new Fault({
    code: "E_INTEGRITY",
    message: `Cannot unpack "${filename}": ${reason}`,
    cause: error,
    details: { archive: filename },
  });
}

async function writeMember(writer: SourceWriter, member: TarMember): Promise<void> {
  const { path, kind, target, mode, modifiedSeconds } = member;
  switch (kind) {
    case "file": {
      const file = writer.file(path, { executable: (mode & 0o100) !== 0, modifiedSeconds });
      try {
        for await (const chunk of member.content()) file.write(chunk);
      } finally {
        file.close();
      }
      return;
    }
    case "folder":
      return writer.folder(path);
    case "symlink":
      return writer.link(path, target);
    case "hardlink":
      return writer.sameFile(path, target);
    case "other":
      throw writer.refusal(path, "it is neither file, folder nor link");
  }
}

interface OpenTar {
  readonly chunks: AsyncIterable<Uint8Array>;
  close(): Promise<void>;
}

function openTar({ path, filename }: SourceArchive, options: UnpackOptions): OpenTar {
  const name = filename.toLowerCase();
  const close = async (): Promise<void> => undefined;
  if (/\.(tar\.gz|tgz)$/.test(name)) {
    const chunks = Bun.file(path).stream().pipeThrough(new DecompressionStream("gzip"));
    return { chunks: chunks as unknown as AsyncIterable<Uint8Array>, close };
  }
  if (name.endsWith(".tar")) return { chunks: Bun.file(path).stream(), close };
  const module = /(bz2|tbz)$/.test(name) ? "bz2" : "lzma";
  const child = Bun.spawn([options.python, "-I", "-S", "-c", DECOMPRESS, path, module], {
    env: { ...options.environment },
    stdin: "ignore",
    stdout: "pipe",
    stderr: "ignore",
  });
  return {
    chunks: child.stdout,
    close: async () => {
      // What comes behind the end of the archive is nobody's business.
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

/** bzip2 and xz are read by the interpreter, if it was made with them. */
const DECOMPRESS = `
import importlib, shutil, sys
module = importlib.import_module(sys.argv[2])
with module.open(sys.argv[1], "rb") as source:
    shutil.copyfileobj(source, sys.stdout.buffer, 1 << 20)
`;

async function unpackZip({ path, filename }: SourceArchive, writer: SourceWriter): Promise<void> {
  const [{ MemberReader, openZip }, { ArchiveFile }] = await Promise.all([
    import("../wheel/zip.ts"),
    import("../wheel/zip-file.ts"),
  ]);
  using archive = new ArchiveFile(path, filename);
  const reader = new MemberReader(archive);
  for (const member of openZip(archive).members) {
    if (member.isFolder) {
      writer.folder(member.path);
      continue;
    }
    const file = writer.file(member.path, { executable: (member.mode & 0o100) !== 0 });
    try {
      reader.read(member, (bytes) => file.write(bytes));
    } finally {
      file.close();
    }
  }
}
