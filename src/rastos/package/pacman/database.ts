import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { readTar, TarError } from "../../../kit/archive/tar.ts";
import { packageFault } from "../problem.ts";
import type { PackageRecord } from "../types.ts";

/** A package with what only transactions ask for. */
export interface DatabasePackage {
  readonly record: PackageRecord;
  readonly optionalDependencies: readonly string[];
  /** Of a repository: the name and size of the file to fetch. */
  readonly fileName: string;
  readonly fileBytes: number;
  /** In base64, or "". */
  readonly signature: string;
}

const DESC_BYTES_MAX = 4 * 1024 * 1024;

/** The fields of a `desc` file: `%NAME%` and the lines below it. Pure. */
export function fieldsOf(text: string): ReadonlyMap<string, readonly string[]> {
  const fields = new Map<string, string[]>();
  let values: string[] | undefined;
  for (const line of text.split("\n")) {
    const name = /^%([A-Z0-9_]+)%$/.exec(line)?.[1];
    if (name !== undefined) {
      values = fields.get(name) ?? [];
      fields.set(name, values);
    } else if (line === "") values = undefined;
    else values?.push(line);
  }
  return fields;
}

/** A package of a `desc`; without name or version undefined. Pure. */
export function packageOf(text: string, repository: string): DatabasePackage | undefined {
  const fields = fieldsOf(text);
  const many = (key: string): readonly string[] => fields.get(key) ?? [];
  const one = (key: string): string => many(key)[0] ?? "";
  if (one("NAME") === "" || one("VERSION") === "") return undefined;
  const isLocal = repository === "local";
  const reason = one("REASON") === "1" ? ("dependency" as const) : ("explicit" as const);
  return {
    record: {
      name: one("NAME"),
      version: one("VERSION"),
      description: one("DESC"),
      repository,
      // The local database says SIZE, repositories say ISIZE.
      installedBytes: Number(one(isLocal ? "SIZE" : "ISIZE")) || 0,
      dependencies: many("DEPENDS"),
      provides: many("PROVIDES"),
      groups: many("GROUPS"),
      ...(isLocal ? { reason } : {}),
    },
    optionalDependencies: many("OPTDEPENDS"),
    fileName: one("FILENAME"),
    fileBytes: Number(one("CSIZE")) || 0,
    signature: one("PGPSIG"),
  };
}

/** What is installed, by name. @throws {Fault} E_INTEGRITY where a `desc` cannot be read */
export function readLocalDatabase(folder: string): DatabasePackage[] {
  const local = join(folder, "local");
  const entries = attempt(() => readdirSync(local, { withFileTypes: true })) ?? [];
  const packages: DatabasePackage[] = [];
  for (const entry of entries) {
    if (!entry.isDirectory()) continue;
    const text = attempt(() => readFileSync(join(local, entry.name, "desc"), "utf8"));
    const found = text === undefined ? undefined : packageOf(text, "local");
    if (found === undefined) {
      const lines = [`${entry.name} has no readable "desc"`];
      throw packageFault({ kind: "database", repositories: ["local"], lines });
    }
    packages.push(found);
  }
  return packages.sort(byName);
}

/**
 * The packages of a repository, by name.
 *
 * @throws {Fault} E_NOT_FOUND where it was not fetched yet, E_INTEGRITY where it is damaged
 */
export async function readSyncDatabase(
  folder: string,
  repository: string,
): Promise<DatabasePackage[]> {
  const path = join(folder, "sync", `${repository}.db`);
  if (attempt(() => statSync(path)) === undefined) {
    throw packageFault({ kind: "not-fetched", repositories: [repository] });
  }
  try {
    const packages: DatabasePackage[] = [];
    for await (const member of readTar(once(decompressed(path)))) {
      if (member.kind !== "file" || !member.path.endsWith("/desc")) continue;
      if (member.sizeBytes > DESC_BYTES_MAX) throw new TarError("a desc is too large");
      const parts: Uint8Array[] = [];
      for await (const part of member.content()) parts.push(part);
      const found = packageOf(Buffer.concat(parts).toString("utf8"), repository);
      if (found !== undefined) packages.push(found);
    }
    return packages.sort(byName);
  } catch (error) {
    const lines = [error instanceof Error ? error.message : String(error)];
    throw packageFault({ kind: "database", repositories: [repository], lines });
  }
}

function decompressed(path: string): Uint8Array {
  const bytes = readFileSync(path);
  const magic = bytes.readUInt32BE(0);
  if (magic >>> 16 === 0x1f8b) return gunzipSync(bytes);
  if (magic === 0x28b52ffd) return Bun.zstdDecompressSync(bytes);
  // xz and bzip2: libarchive, without which there is no pacman, brings a program for them.
  const result = Bun.spawnSync(["bsdtar", "-cf", "-", "--format=ustar", `@${path}`]);
  if (!result.success) throw new TarError("bsdtar cannot read it");
  return result.stdout;
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array> {
  yield bytes;
}

function byName(a: DatabasePackage, b: DatabasePackage): number {
  return a.record.name < b.record.name ? -1 : 1;
}

function attempt<T>(call: () => T): T | undefined {
  try {
    return call();
  } catch {
    return undefined;
  }
}
