import { parseRecord, type RecordEntry } from "../env/record.ts";
import { PepError } from "../pep/error.ts";
import { type PackageName, parsePackageName } from "../pep/name.ts";
import { compareVersions, parseVersion, type Version } from "../pep/version.ts";
import { parseWheelName } from "../pep/wheel-name.ts";
import { integrityFault } from "./faults.ts";
import { metadataDifference, parseHeaderFields } from "./headers.ts";
import type { MemberReader } from "./zip.ts";
import type { ZipDirectory, ZipMember } from "./zip-directory.ts";

/**
 * What a wheel says of itself, compared with what it was taken for (PEP 427), before a file of it
 * is written.
 */

/** What is known of a wheel before it is opened. Plain data: it crosses to workers. */
export interface WheelExpectation {
  /** Its file name; undefined: the archive's own name says nothing. */
  readonly filename?: string | undefined;
  readonly name?: string | undefined;
  readonly version?: string | undefined;
  /** The METADATA that the index offers on its own (PEP 658). */
  readonly metadataText?: string | undefined;
}

export interface WheelInside {
  readonly name: PackageName;
  readonly version: Version;
  /** "foo-1.0.dist-info" */
  readonly distInfo: string;
  /** "foo-1.0.data", where the wheel has one. */
  readonly dataFolder: string | undefined;
  readonly rootIsPurelib: boolean;
  readonly tags: readonly string[];
  readonly metadataText: string;
  readonly warnings: readonly string[];
}

/** The version of the format that this code knows (PEP 427). */
const FORMAT = { major: 1, minor: 0 };

/**
 * Reads WHEEL and METADATA and compares them with what is expected.
 * @throws {Fault} E_INTEGRITY
 */
export function inspectWheel(
  label: string,
  directory: ZipDirectory,
  reader: MemberReader,
  expected: WheelExpectation,
): WheelInside {
  const distInfo = findDistInfo(label, directory);
  const metadataText = readText(label, directory, reader, `${distInfo}/METADATA`);
  const wheel = parseHeaderFields(readText(label, directory, reader, `${distInfo}/WHEEL`));
  const first = (field: string): string => wheel.get(field)?.[0] ?? "";
  const warnings = checkFormat(label, first("wheel-version"));
  const { name, version } = identity(label, metadataText);
  checkIdentity(label, { name, version }, expected);
  if (!isOf(distInfo, name)) {
    throw integrityFault(label, `its METADATA says "${name}", but it holds "${distInfo}"`);
  }
  if (expected.metadataText !== undefined) {
    const field = metadataDifference(metadataText, expected.metadataText);
    if (field !== undefined) {
      throw integrityFault(label, `its METADATA has another ${field} than the index says`, {
        hint: "the index offers metadata that is not the wheel's; ask whoever runs it",
      });
    }
  }
  return {
    name,
    version,
    distInfo,
    dataFolder: findData(label, directory, distInfo),
    rootIsPurelib: first("root-is-purelib").toLowerCase() !== "false",
    tags: wheel.get("tag") ?? [],
    metadataText,
    warnings,
  };
}

/** The names right below the root that are folders. */
function topFolders(directory: ZipDirectory): Set<string> {
  const folders = new Set<string>();
  for (const { path, isFolder } of directory.members) {
    const slash = path.indexOf("/");
    if (slash > 0) folders.add(path.slice(0, slash));
    else if (isFolder) folders.add(path);
  }
  return folders;
}

/**
 * The one dist-info folder.
 * @throws {Fault} E_INTEGRITY where there is none, or more than one
 */
export function findDistInfo(label: string, directory: ZipDirectory): string {
  const found = [...topFolders(directory)].filter((name) => name.endsWith(".dist-info"));
  const [only] = found;
  if (only === undefined) throw integrityFault(label, "it has no .dist-info folder");
  if (found.length > 1) {
    throw integrityFault(label, `it has several .dist-info folders: ${found.sort().join(", ")}`);
  }
  return only;
}

function findData(label: string, directory: ZipDirectory, distInfo: string): string | undefined {
  const stem = comparable(distInfo.slice(0, -".dist-info".length));
  const found = [...topFolders(directory)].filter(
    (name) => name.endsWith(".data") && comparable(name.slice(0, -".data".length)) === stem,
  );
  if (found.length > 1) {
    throw integrityFault(label, `it has several .data folders: ${found.sort().join(", ")}`);
  }
  return found[0];
}

function comparable(text: string): string {
  return text.toLowerCase().replace(/[-_.]+/g, "-");
}

function isOf(distInfo: string, name: PackageName): boolean {
  return comparable(distInfo).startsWith(`${name}-`);
}

/**
 * The member of that path.
 * @throws {Fault} E_INTEGRITY where there is none
 */
export function memberAt(label: string, directory: ZipDirectory, path: string): ZipMember {
  const member = directory.members.find((each) => each.path === path && !each.isFolder);
  if (member === undefined) throw integrityFault(label, `it has no "${path}"`);
  return member;
}

function readText(
  label: string,
  directory: ZipDirectory,
  reader: MemberReader,
  path: string,
): string {
  return new TextDecoder().decode(reader.bytes(memberAt(label, directory, path)));
}

/** Returns what is worth telling of a newer format. */
function checkFormat(label: string, version: string): string[] {
  const match = /^(\d+)\.(\d+)$/.exec(version);
  if (match === null) {
    throw integrityFault(label, `its WHEEL names no version of the format: "${version}"`);
  }
  if (Number(match[1]) !== FORMAT.major) {
    throw integrityFault(label, `it is of format ${version}, but only ${FORMAT.major}.x is known`);
  }
  if (Number(match[2]) <= FORMAT.minor) return [];
  return [`"${label}" is of the newer wheel format ${version}: parts of it may not be understood`];
}

function identity(label: string, metadata: string): { name: PackageName; version: Version } {
  const fields = parseHeaderFields(metadata);
  const name = fields.get("name")?.[0];
  const version = fields.get("version")?.[0];
  if (name === undefined || version === undefined) {
    throw integrityFault(label, "its METADATA has no name or no version");
  }
  return {
    name: readable(label, () => parsePackageName(name)),
    version: readable(label, () => parseVersion(version)),
  };
}

/** What bad text says of itself, as a fault of the wheel. */
function readable<Result>(label: string, read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof PepError)) throw error;
    throw integrityFault(label, "its names are not readable", { cause: error });
  }
}

function checkIdentity(
  label: string,
  own: { readonly name: PackageName; readonly version: Version },
  expected: WheelExpectation,
): void {
  const refuse = (where: string, name: string, version: string): never => {
    throw integrityFault(
      label,
      `its METADATA says "${own.name} ${own.version}", but ${where} "${name} ${version}"`,
    );
  };
  const { filename } = expected;
  if (filename !== undefined) {
    const { name, version } = readable(label, () => parseWheelName(filename));
    if (name !== own.name || compareVersions(version, own.version) !== 0) {
      refuse("its file name says", name, version.toString());
    }
  }
  const name = expected.name ?? own.name;
  const version = expected.version ?? own.version.toString();
  const isSame = readable(
    label,
    () => name === own.name && compareVersions(parseVersion(version), own.version) === 0,
  );
  if (!isSame) refuse("expected was", name, version);
}

/** A digest that RECORD gives for a file. */
export interface RecordedFile {
  readonly algorithm: "sha256" | "sha384" | "sha512";
  /** In urlsafe base64 without padding. */
  readonly digest: string;
  readonly sizeBytes: number | undefined;
}

/** Files of the dist-info folder that RECORD cannot or need not hold a hash of. */
export const UNHASHED: readonly string[] = ["RECORD", "RECORD.jws", "RECORD.p7s"];

/**
 * Reads RECORD, and makes sure that it and the archive name the same files.
 * @throws {Fault} E_INTEGRITY
 */
export function readWheelRecord(
  label: string,
  directory: ZipDirectory,
  reader: MemberReader,
  distInfo: string,
): ReadonlyMap<string, RecordedFile | undefined> {
  const text = readText(label, directory, reader, `${distInfo}/RECORD`);
  const free = new Set(UNHASHED.map((name) => `${distInfo}/${name}`));
  const recorded = new Map<string, RecordedFile | undefined>();
  for (const entry of parseRecord(text)) {
    // Folders are not files, yet some tools list them.
    if (entry.path.endsWith("/")) continue;
    const file = free.has(entry.path) ? undefined : readEntry(label, entry);
    const former = recorded.get(entry.path);
    if (former !== undefined && JSON.stringify(former) !== JSON.stringify(file)) {
      throw integrityFault(label, `its RECORD names "${entry.path}" twice, differently`);
    }
    recorded.set(entry.path, file);
  }
  const left = new Set(recorded.keys());
  for (const { path, isFolder } of directory.members) {
    if (isFolder || free.has(path)) left.delete(path);
    else if (!left.delete(path)) throw integrityFault(label, `its RECORD does not name "${path}"`);
  }
  for (const path of left) {
    if (!free.has(path)) throw integrityFault(label, `its RECORD names "${path}", but it has none`);
  }
  return recorded;
}

function readEntry(label: string, entry: RecordEntry): RecordedFile {
  const [, algorithm, digest] = /^(sha256|sha384|sha512)=([\w-]+)=*$/.exec(entry.hash ?? "") ?? [];
  if (algorithm === undefined || digest === undefined) {
    throw integrityFault(label, `its RECORD has no sha256 of "${entry.path}"`);
  }
  return {
    algorithm: algorithm as RecordedFile["algorithm"],
    digest,
    sizeBytes: entry.size,
  };
}
