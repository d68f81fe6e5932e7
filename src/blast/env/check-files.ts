import { closeSync, lstatSync, openSync, readdirSync, readFileSync, readSync } from "node:fs";
import { join, resolve } from "node:path";
import type { PackageName } from "../pep/name.ts";
import { type Environment, insideRoot } from "./environment.ts";
import type { Finding } from "./finding.ts";
import { type InstalledDistribution, type InstalledKind, kindOf } from "./installed.ts";
import type { RecordEntry } from "./record.ts";

/** What a file should be, and who says so. */
interface Claim {
  readonly owner: PackageName;
  readonly entry: RecordEntry;
}

/** What RECORD should say, where that is known better than from the file itself. */
export type ExpectedRecord = (
  distribution: InstalledDistribution,
) => readonly RecordEntry[] | undefined;

/** Compares all files with what was recorded of them. */
export function checkFiles(
  environment: Environment,
  installed: readonly InstalledDistribution[],
  expected: ExpectedRecord,
): Finding[] {
  const findings: Finding[] = [];
  const claims = new Map<string, Claim[]>();
  for (const distribution of installed) {
    claimFiles(environment, distribution, expected, claims, findings);
  }
  for (const [path, owners] of claims) findings.push(...checkFile(environment, path, owners));
  for (const site of new Set([environment.relative.purelib, environment.relative.platlib])) {
    findings.push(...foreignFiles(environment, site, claims));
  }
  return findings;
}

function claimFiles(
  environment: Environment,
  distribution: InstalledDistribution,
  expected: ExpectedRecord,
  claims: Map<string, Claim[]>,
  findings: Finding[],
): void {
  const { name, kind, distInfo, site } = distribution;
  const info = insideRoot(environment, distribution.path);
  if (kind !== "dist-info") {
    if (info !== undefined) claims.set(info, []);
    return;
  }
  if (distribution.metadataText() === undefined) {
    findings.push(broken(environment, distribution, "it has no METADATA"));
  }
  const record = distribution.record();
  const entries = expected(distribution) ?? record;
  if (record === undefined) {
    findings.push(broken(environment, distribution, "it has no RECORD"));
  } else if (entries !== record && !isSameRecord(record, entries ?? [])) {
    findings.push({
      kind: "changed",
      message: `the RECORD of "${name}" is not as it was written`,
      path: `${info ?? distInfo}/RECORD`,
      packages: [name],
    });
  }
  for (const entry of entries ?? []) {
    const path = insideRoot(environment, resolve(site, entry.path));
    if (path === undefined) {
      findings.push({
        kind: "outside",
        message: `"${name}" lists "${entry.path}", which lies outside of the environment`,
        packages: [name],
      });
      continue;
    }
    const claim = { owner: name, entry };
    const others = claims.get(path);
    if (others === undefined) claims.set(path, [claim]);
    else others.push(claim);
  }
}

function broken(environment: Environment, found: InstalledDistribution, why: string): Finding {
  const path = insideRoot(environment, found.path) ?? found.distInfo;
  const message = `"${found.distInfo}" does not say what is installed: ${why}`;
  return { kind: "broken-record", message, path, packages: [found.name] };
}

/** Bytecode may be listed or not: other tools add it afterwards. */
function isSameRecord(left: readonly RecordEntry[], right: readonly RecordEntry[]): boolean {
  const text = (entries: readonly RecordEntry[]): string =>
    entries
      .filter(({ path }) => !path.endsWith(".pyc"))
      .map(({ path, hash, size }) => `${path}\0${hash ?? ""}\0${size ?? ""}`)
      .sort()
      .join("\n");
  return text(left) === text(right);
}

function checkFile(
  environment: Environment,
  path: string,
  owners: readonly Claim[],
): readonly Finding[] {
  const [first] = owners;
  if (first === undefined) return [];
  const packages = [...new Set(owners.map(({ owner }) => owner))];
  const status = lstatSync(join(environment.root, path), { throwIfNoEntry: false });
  if (status === undefined) {
    // What Python makes anew whenever it needs it.
    if (path.endsWith(".pyc")) return [];
    const message = `"${path}" of "${packages.join('" and "')}" is missing`;
    return [{ kind: "missing", message, path, packages }];
  }
  const known = owners.filter(({ entry }) => entry.hash !== undefined);
  const hashes = new Set(known.map(({ entry }) => entry.hash));
  if (packages.length > 1 && hashes.size > 1) {
    const message = `"${path}" belongs to "${packages.join('" and "')}", which differ in it`;
    return [{ kind: "doubly-owned", message, path, packages }];
  }
  const claim = known[0] ?? first;
  const why = status.isFile()
    ? difference(join(environment.root, path), status.size, claim.entry)
    : wrongType(status);
  if (why === undefined) return [];
  return [{ kind: "changed", message: `"${path}" of "${claim.owner}" ${why}`, path, packages }];
}

function wrongType(status: { isDirectory(): boolean; isSymbolicLink(): boolean }): string {
  if (status.isDirectory()) return "is a folder";
  return status.isSymbolicLink() ? "is a symbolic link" : "is no file";
}

function difference(path: string, sizeBytes: number, entry: RecordEntry): string | undefined {
  if (entry.size !== undefined && entry.size !== sizeBytes) {
    return `has ${sizeBytes} bytes in place of ${entry.size}`;
  }
  const [algorithm = "", digest] = entry.hash?.split("=", 2) ?? [];
  if (digest === undefined) return undefined;
  try {
    const actual = hashFile(path, algorithm);
    return actual === undefined || actual === digest ? undefined : "has been changed";
  } catch (error) {
    return `cannot be read (${(error as NodeJS.ErrnoException).code ?? "unknown reason"})`;
  }
}

const ALGORITHMS: ReadonlySet<string> = new Set(["md5", "sha1", "sha224", "sha256", "sha384"]);
const PIECE_BYTES = 1 << 20;
const WHOLE_BYTES_MAX = 4 << 20;

/** The digest as RECORD writes it; undefined for an algorithm that is not known. */
function hashFile(path: string, algorithm: string): string | undefined {
  if (!ALGORITHMS.has(algorithm) && algorithm !== "sha512") return undefined;
  const hasher = new Bun.CryptoHasher(algorithm as Bun.SupportedCryptoAlgorithms);
  const fd = openSync(path, "r");
  try {
    const buffer = Buffer.allocUnsafe(Math.min(PIECE_BYTES, WHOLE_BYTES_MAX));
    for (;;) {
      const got = readSync(fd, buffer, 0, buffer.length, null);
      if (got === 0) return hasher.digest("base64url");
      hasher.update(buffer.subarray(0, got));
    }
  } finally {
    closeSync(fd);
  }
}

/** Eggs own themselves, and a dist-info that cannot be read is told apart. */
const NOT_OURS_TO_SAY: ReadonlySet<InstalledKind | undefined> = new Set([
  "egg",
  "egg-link",
  "dist-info",
]);

/** What nobody owns; a folder of which that holds as a whole is named alone. */
function foreignFiles(
  environment: Environment,
  site: string,
  claims: ReadonlyMap<string, unknown>,
): Finding[] {
  const folders = new Set<string>();
  for (const path of claims.keys()) {
    for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1)) {
      const folder = path.slice(0, at);
      if (folders.has(folder)) break;
      folders.add(folder);
    }
  }
  const findings: Finding[] = [];
  const visit = (folder: string): void => {
    for (const entry of entriesOf(join(environment.root, folder))) {
      const { name } = entry;
      const path = `${folder}/${name}`;
      if (claims.has(path)) continue;
      if (entry.isDirectory() && folders.has(path)) visit(path);
      else if (name === "__pycache__" && entry.isDirectory()) {
        findings.push(...foreignBytecode(environment, folder, path, claims));
      } else if (folder === site && NOT_OURS_TO_SAY.has(kindOf(name))) continue;
      else findings.push(foreign(path, entry.isDirectory()));
    }
  };
  visit(site);
  return findings;
}

/** Bytecode belongs to its source, whoever compiled it. */
function foreignBytecode(
  environment: Environment,
  folder: string,
  path: string,
  claims: ReadonlyMap<string, unknown>,
): Finding[] {
  return entriesOf(join(environment.root, path)).flatMap(({ name }) => {
    const stem = /^(.+?)\.[^/]*\.pyc(?:\.\d+)?$/.exec(name)?.[1];
    const isOwned = claims.has(`${path}/${name}`) || claims.has(`${folder}/${stem}.py`);
    const hasSource = stem !== undefined && isFile(join(environment.root, folder, `${stem}.py`));
    return isOwned || hasSource ? [] : [foreign(`${path}/${name}`, false)];
  });
}

function foreign(path: string, isFolder: boolean): Finding {
  const what = isFolder ? "folder" : "file";
  const why = /\/~[^/]*$/.test(path) ? ": a leftover of pip's" : "";
  return {
    kind: "foreign",
    message: `the ${what} "${path}" belongs to no package${why}`,
    path,
    packages: [],
  };
}

function entriesOf(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true });
  } catch {
    return [];
  }
}

function isFile(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

/** The interpreter of a script's first line, or of the line that /bin/sh reads in its place. */
export function scriptInterpreter(path: string): string | undefined {
  let head: string;
  try {
    head = readFileSync(path, "latin1").slice(0, 4096);
  } catch {
    return undefined;
  }
  if (!head.startsWith("#!")) return undefined;
  const [first = "", second = ""] = head.split("\n");
  const words = first.slice(2).trim();
  if (words !== "/bin/sh" || !second.startsWith("'''exec' ")) return words.split(/\s/)[0];
  const quoted = /^'''exec' (.*) "\$0" "\$@"$/.exec(second)?.[1] ?? "";
  const text = quoted.replaceAll(/'([^']*)'|"((?:\\\\|[^"\\])*)"/g, (_, single, double) =>
    single === undefined ? String(double).replaceAll("\\\\", "\\") : String(single),
  );
  return Buffer.from(text, "latin1").toString();
}
