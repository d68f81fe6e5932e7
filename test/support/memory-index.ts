import { parseCoreMetadata } from "../../src/blast/pep/metadata.ts";
import { type PackageName, parsePackageName } from "../../src/blast/pep/name.ts";
import { compareVersions, parseVersion } from "../../src/blast/pep/version.ts";
import type {
  CoreMetadata,
  DirectSource,
  IndexFile,
  PackageIndex,
  Project,
  ProjectVersion,
} from "../../src/blast/resolve/port.ts";
import { sourceKey } from "../../src/blast/resolve/source.ts";
import { type Metadata, metadataText } from "./metadata-text.ts";

/** A version of a package: what it requires, and what files there are of it. */
export interface MemoryVersion extends Metadata {
  /** Default: one `py3-none-any`; none for an empty list. */
  readonly wheels?: readonly string[];
  /** Default: true. */
  readonly sdist?: boolean;
  readonly yanked?: boolean | string;
  readonly uploadTime?: string;
}

/** Packages, their versions, and what those are. */
export type Universe = Readonly<Record<string, Readonly<Record<string, MemoryVersion>>>>;

const INDEX = "https://index.test/simple/";

/** An index in memory, which counts what it is asked for. */
export class MemoryIndex implements PackageIndex {
  readonly asked = { projects: [] as string[], metadata: [] as string[] };
  readonly prefetched = { projects: [] as string[], metadata: [] as string[] };
  readonly #projects = new Map<PackageName, Project>();
  readonly #metadata = new Map<string, () => CoreMetadata>();
  readonly #direct = new Map<string, { metadata: CoreMetadata; source: DirectSource }>();
  readonly #late: boolean;

  /** @param late answers come as promises, as from a network */
  constructor(universe: Universe, late = false) {
    this.#late = late;
    for (const [name, versions] of Object.entries(universe)) this.#add(name, versions);
  }

  /** A place to install from. */
  addDirect(source: DirectSource, name: string, version: string, what: Metadata = {}): this {
    const metadata = parseCoreMetadata(metadataText(name, version, what));
    this.#direct.set(sourceKey(source), { metadata, source });
    return this;
  }

  project(name: PackageName): Project | undefined | Promise<Project | undefined> {
    this.asked.projects.push(name);
    const project = this.#projects.get(name);
    return this.#late ? Bun.sleep(0).then(() => project) : project;
  }

  metadata(file: IndexFile): CoreMetadata | Promise<CoreMetadata> {
    this.asked.metadata.push(file.filename);
    const read = this.#metadata.get(file.filename);
    if (read === undefined) throw new Error(`no metadata for ${file.filename}`);
    return this.#late ? Bun.sleep(0).then(read) : read();
  }

  direct(source: DirectSource): { metadata: CoreMetadata; source: DirectSource } {
    const found = this.#direct.get(sourceKey(source));
    if (found === undefined) throw new Error(`nothing at ${sourceKey(source)}`);
    return found;
  }

  prefetch(names: readonly PackageName[]): void {
    this.prefetched.projects.push(...names);
  }

  prefetchMetadata(file: IndexFile): void {
    this.prefetched.metadata.push(file.filename);
  }

  #add(text: string, versions: Readonly<Record<string, MemoryVersion>>): void {
    const name = parsePackageName(text);
    const made = Object.entries(versions).map(([version, what]): ProjectVersion => {
      const files = this.#files(name, version, what);
      return { version: parseVersion(version), files: () => files };
    });
    made.sort((left, right) => compareVersions(right.version, left.version));
    this.#projects.set(name, { name, versions: made });
  }

  #files(name: PackageName, version: string, what: MemoryVersion): IndexFile[] {
    const stem = `${name.replaceAll("-", "_")}-${version}`;
    const names = (what.wheels ?? ["py3-none-any"]).map((tag) => `${stem}-${tag}.whl`);
    if (what.sdist !== false) names.push(`${stem}.tar.gz`);
    const { yanked = false, requiresPython, uploadTime } = what;
    let known: CoreMetadata | undefined;
    const read = () => {
      known ??= parseCoreMetadata(metadataText(name, version, what));
      return known;
    };
    return names.map((filename): IndexFile => {
      this.#metadata.set(filename, read);
      return {
        kind: filename.endsWith(".whl") ? "wheel" : "sdist",
        filename,
        url: `${INDEX}${name}/${filename}`,
        hashes: {},
        yanked: yanked === true ? "" : yanked,
        ...(requiresPython === undefined ? {} : { requiresPython }),
        ...(uploadTime === undefined ? {} : { uploadTime }),
        metadata: true,
        index: INDEX,
      };
    });
  }
}
