/** A universal resolution as the content of a lock file (PEP 751). */
import { relative, sep } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import type { IndexClient } from "../index/client.ts";
import { filenameOf } from "../index/page-file.ts";
import { MarkerSet } from "../pep/marker-algebra.ts";
import type { PackageName } from "../pep/name.ts";
import type { LockedFile, LockedPackage, LockedSource, PylockContent } from "../project/pylock.ts";
import type {
  DirectSource,
  Hashes,
  IndexFile,
  Resolution,
  ResolvedPackage,
} from "../resolve/port.ts";
import { type GivenHashes, noHash, unhashable } from "./hashes.ts";
import { type ConditionalRoot, lockConditions } from "./lock-membership.ts";
import type { Project, RequirementSet } from "./project.ts";

/** What a lock file is made of. */
export interface LockParts {
  readonly project: Project;
  readonly sets: readonly RequirementSet[];
  readonly resolution: Resolution;
  readonly roots: readonly ConditionalRoot[];
  /** A specifier text. */
  readonly requiresPython: string;
  /** The Pythons of it, as a condition: what it says is left out of the markers. */
  readonly pythons: MarkerSet;
  /** Of the requirements; see lock-project.ts. */
  readonly inputs: string;
  /** Hashes that the files must have: what has none of them is left out. */
  readonly hashes?: {
    readonly given: GivenHashes;
    readonly isNeeded: (name: PackageName) => boolean;
  };
  /** To learn the hash of a file whose index does not say it. */
  readonly index: () => Promise<IndexClient>;
}

/** The content. Asks the index only for hashes that nobody has told yet. */
export async function lockContent(parts: LockParts): Promise<PylockContent> {
  const { project, sets, resolution } = parts;
  const conditions = lockConditions(resolution, parts.roots);
  const versions = new Map<PackageName, number>();
  for (const { name } of resolution.packages) versions.set(name, (versions.get(name) ?? 0) + 1);
  const reached = resolution.packages.filter((resolved) => conditions.has(resolved));
  const packages = await Promise.all(
    reached.map((resolved) =>
      lockedPackage(resolved, {
        parts,
        versions,
        condition: conditions.get(resolved) ?? MarkerSet.always,
      }),
    ),
  );
  const names = (kind: RequirementSet["kind"]): string[] =>
    sets.filter((set) => set.kind === kind).map(({ name }) => name);
  const groups = names("group");
  return {
    environments: [],
    requiresPython: parts.requiresPython,
    extras: names("extra"),
    dependencyGroups: groups,
    defaultGroups: groups.includes("dev") ? ["dev"] : [],
    packages: [...(project.isPackage ? [itself(project)] : []), ...packages],
    tool: { blast: { inputs: parts.inputs } },
  };
}

/** The project as a package of its own: installed so that changes count at once. */
function itself(project: Project): LockedPackage {
  const table = project.pyproject?.project;
  if (table === undefined) throw new Error("a project without [project] is no package");
  return {
    // Without its version: pyproject.toml has it, and may have another one tomorrow.
    name: table.name,
    dependencies: [],
    source: { kind: "directory", path: ".", editable: true },
  };
}

interface PackageContext {
  readonly parts: LockParts;
  readonly versions: ReadonlyMap<PackageName, number>;
  readonly condition: MarkerSet;
}

async function lockedPackage(
  resolved: ResolvedPackage,
  context: PackageContext,
): Promise<LockedPackage> {
  const { name, version, metadata, files } = resolved;
  const { hashes } = context.parts;
  const given = hashes?.given.get(name);
  if (given === undefined && hashes?.isNeeded(name) === true) {
    throw noHash("lock", name, version.toString());
  }
  const marker = context.condition.simplifyUnder(context.parts.pythons);
  const { requiresPython } = metadata;
  const index = files[0]?.index;
  return {
    name,
    version,
    ...(marker.isTrue() ? {} : { marker: marker.toMarkerString() }),
    ...(requiresPython === undefined || requiresPython === "" ? {} : { requiresPython }),
    dependencies: dependenciesOf(resolved, context.versions),
    ...(resolved.source !== undefined || index === undefined ? {} : { index }),
    source:
      resolved.source === undefined
        ? withGiven(await filesOf(files, context.parts), resolved, given)
        : withGiven(await sourceOf(resolved.source, context.parts), resolved, given),
  };
}

/** @throws {Fault} E_INTEGRITY where none of the files has a hash that was given */
function withGiven(
  source: LockedSource,
  { name, version }: ResolvedPackage,
  given: ReadonlySet<string> | undefined,
): LockedSource {
  if (given === undefined) return source;
  const isGiven = ({ hashes }: { readonly hashes: Hashes }): boolean =>
    Object.entries(hashes).some((one) => given.has(one.join(":")));
  if (source.kind === "archive" && isGiven(source)) return source;
  if (source.kind === "vcs" || source.kind === "directory") throw unhashable("lock", name);
  if (source.kind === "files") {
    const { sdist } = source;
    const wheels = source.wheels.filter(isGiven);
    const isSdist = sdist !== undefined && isGiven(sdist);
    if (isSdist || wheels.length > 0)
      return { kind: "files", ...(isSdist ? { sdist } : {}), wheels };
  }
  throw new Fault({
    code: "E_INTEGRITY",
    message: `Cannot lock "${name}==${version}": none of its files has a hash that was given`,
    hint: "correct --hash in requirements.txt, or look why the files are other ones",
  });
}

/** The version is told only where the name alone would not say which entry is meant. */
function dependenciesOf(
  resolved: ResolvedPackage,
  versions: ReadonlyMap<PackageName, number>,
): LockedPackage["dependencies"] {
  const tables = new Map<string, { name: string; version?: string }>();
  for (const { name, version } of resolved.dependencies) {
    if (name === resolved.name) continue;
    const isOne = versions.get(name) === 1;
    const table = isOne ? { name } : { name, version: version.toString() };
    tables.set(`${name} ${table.version ?? ""}`, table);
  }
  return [...tables.values()];
}

async function filesOf(files: readonly IndexFile[], parts: LockParts): Promise<LockedSource> {
  const locked = await Promise.all(
    files.map(async (file) => ({ kind: file.kind, file: await lockedFile(file, parts) })),
  );
  const sdists = locked.filter(({ kind }) => kind === "sdist").map(({ file }) => file);
  const sdist = sdists.find(({ name }) => name.endsWith(".tar.gz")) ?? sdists[0];
  return {
    kind: "files",
    ...(sdist === undefined ? {} : { sdist }),
    wheels: locked.filter(({ kind }) => kind === "wheel").map(({ file }) => file),
  };
}

async function lockedFile(file: IndexFile, parts: LockParts): Promise<LockedFile> {
  return {
    name: file.filename,
    ...placeOf(file.url, parts.project),
    ...(file.size === undefined ? {} : { size: file.size }),
    ...(file.uploadTime === undefined ? {} : { uploadTime: file.uploadTime }),
    hashes: hasHash(file.hashes) ? file.hashes : await hashesOf(file, parts),
  };
}

function hasHash(hashes: Hashes): boolean {
  return Object.keys(hashes).length > 0;
}

async function hashesOf(
  file: { readonly url: string; readonly filename: string; readonly hashes: Hashes },
  parts: LockParts,
): Promise<Hashes> {
  const { url, filename, hashes } = file;
  const { sha256 } = await (await parts.index()).download({ url, filename, hashes });
  return { sha256 };
}

function archiveHashes(
  { url, hashes = {} }: DirectSource & { readonly kind: "archive" },
  parts: LockParts,
): Promise<Hashes> {
  return hashesOf({ url, filename: filenameOf(url), hashes }, parts);
}

/** Files of this machine are told by their path from the lock file. */
function placeOf(url: string, project: Project): { url: string } | { path: string } {
  if (!url.startsWith("file:")) return { url };
  return { path: relativePath(project, Bun.fileURLToPath(url)) };
}

function relativePath(project: Project, path: string): string {
  const below = relative(project.folder, path).split(sep).join("/");
  return below === "" ? "." : below;
}

/** The branch or tag that the project names, of which the resolver has made a commit. */
function requestedRevision(
  { url, revision }: DirectSource & { readonly kind: "git" },
  sets: readonly RequirementSet[],
): { readonly requestedRevision?: string } {
  const asked = sets
    .flatMap(({ requirements }) => requirements.map(({ source }) => source))
    .find((source) => source?.kind === "git" && source.url === url);
  const named = asked?.kind === "git" ? asked.revision : undefined;
  return named === undefined || named === revision ? {} : { requestedRevision: named };
}

async function sourceOf(source: DirectSource, parts: LockParts): Promise<LockedSource> {
  const below =
    source.kind === "directory" || source.subdirectory === undefined
      ? {}
      : { subdirectory: source.subdirectory };
  switch (source.kind) {
    case "git":
      return {
        kind: "vcs",
        type: "git",
        url: source.url,
        ...requestedRevision(source, parts.sets),
        commit: source.revision ?? "",
        ...below,
      };
    case "directory":
      return {
        kind: "directory",
        path: relativePath(parts.project, source.path),
        editable: source.editable,
      };
    case "archive":
      return {
        kind: "archive",
        ...placeOf(source.url, parts.project),
        hashes: await archiveHashes(source, parts),
        ...below,
      };
  }
}
