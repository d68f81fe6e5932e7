/**
 * Answers of the resolver, kept with the pages that they came from. The resolver is a function of
 * the question and those pages: while all of them are unchanged and fresh, the answer is the same,
 * and a look at each page's folder entry takes the place of reading and solving.
 */
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { writeFileAtomic } from "../../kit/store/atomic.ts";
import { areUnchanged, type ConsultedPage } from "../index/consulted.ts";
import type { ExtraName, PackageName } from "../pep/name.ts";
import { requirementToString } from "../pep/requirement.ts";
import { parseVersion, type Version } from "../pep/version.ts";
import type {
  CoreMetadata,
  IndexFile,
  Resolution,
  ResolvedPackage,
  ResolveRequest,
  RootRequirement,
} from "../resolve/port.ts";

/** Where and for whom answers are kept. */
export interface AnswerContext {
  readonly cacheFolder: string;
  readonly offline: boolean;
  /** Addresses of the indexes, in their order, without credentials. */
  readonly indexes: readonly string[];
}

interface KeptPackage {
  readonly name: string;
  readonly version: string;
  readonly extras: readonly ExtraName[];
  readonly files: readonly IndexFile[];
  readonly direct: boolean;
  readonly dependencies: readonly {
    readonly name: string;
    readonly version: string;
    readonly extras: readonly ExtraName[];
  }[];
}

interface KeptAnswer {
  readonly pages: readonly ConsultedPage[];
  readonly warnings: readonly string[];
  readonly packages: readonly KeptPackage[];
}

/** The answer to a question; `read` and `keep` do nothing where it cannot be kept. */
export class AnswerFile {
  readonly #path: string | undefined;
  readonly #context: AnswerContext;

  constructor(request: ResolveRequest, context: AnswerContext) {
    this.#context = context;
    const key = keyOf(request, context);
    this.#path =
      key === undefined ? undefined : join(context.cacheFolder, "answers-v1", `${key}.json`);
  }

  /** The kept answer, if it is what the resolver would say now. */
  read(): Resolution | undefined {
    if (this.#path === undefined) return undefined;
    let kept: KeptAnswer;
    try {
      kept = JSON.parse(readFileSync(this.#path, "utf8")) as KeptAnswer;
    } catch {
      return undefined;
    }
    const { offline } = this.#context;
    if (!areUnchanged(kept.pages, { offline, nowMs: Date.now() })) return undefined;
    return { warnings: kept.warnings, packages: kept.packages.map((one) => new KnownPackage(one)) };
  }

  /** Keeps an answer; one that cannot be kept costs the next run some time. */
  keep(resolution: Resolution, pages: readonly ConsultedPage[] | undefined): void {
    if (this.#path === undefined || pages === undefined) return;
    const isPlain = resolution.packages.every(
      ({ marker, source }) => source === undefined && (marker === undefined || marker.isTrue()),
    );
    if (!isPlain) return;
    const kept: KeptAnswer = {
      pages,
      warnings: resolution.warnings,
      packages: resolution.packages.map(keptOf),
    };
    try {
      mkdirSync(join(this.#path, ".."), { recursive: true });
      writeFileAtomic({ path: this.#path, content: JSON.stringify(kept), mode: 0o600 });
    } catch {}
  }
}

/** Undefined where the answer depends on more than the question and the pages. */
function keyOf(request: ResolveRequest, context: AnswerContext): string | undefined {
  const { target } = request;
  if (target.kind !== "environment" || target.tags === undefined) return undefined;
  const roots = [request.requirements, request.constraints, request.overrides];
  if (roots.some((list) => list.some(({ source }) => source !== undefined))) return undefined;
  const names = (choice: ResolveRequest["noBinary"]): unknown =>
    choice === "all" ? choice : [...choice].sort();
  const described = [
    builtAt(),
    context.indexes,
    target.markers,
    target.tags.identity(),
    roots.map((list) => list.map(rootText)),
    request.strategy,
    request.preReleases,
    names(request.noBinary),
    names(request.onlyBinary),
    request.excludeNewerMs ?? null,
    [...request.preferences].map(([name, versions]) => [name, versions.map(String)]),
  ];
  return new Bun.CryptoHasher("sha256").update(JSON.stringify(described)).digest("hex");
}

function rootText({ requirement, origin }: RootRequirement): string {
  return `${requirementToString(requirement)} # ${origin}`;
}

/** Another build may solve in another way. */
function builtAt(): string {
  const { ino, mtimeMs, size } = statSync(process.execPath);
  return `${ino}:${mtimeMs}:${size}`;
}

function keptOf(resolved: ResolvedPackage): KeptPackage {
  const { name, version, extras, files, direct, dependencies } = resolved;
  return {
    name,
    version: version.toString(),
    extras,
    files,
    direct,
    dependencies: dependencies.map((one) => ({
      name: one.name,
      version: one.version.toString(),
      extras: one.extras,
    })),
  };
}

/** A package of a kept answer; what nobody looks at is not even parsed. */
class KnownPackage implements ResolvedPackage {
  readonly name: PackageName;
  readonly extras: readonly ExtraName[];
  readonly files: readonly IndexFile[];
  readonly direct: boolean;
  readonly #kept: KeptPackage;
  #version: Version | undefined;

  constructor(kept: KeptPackage) {
    // It was in its normal form when it was kept.
    this.name = kept.name as PackageName;
    this.extras = kept.extras;
    this.files = kept.files;
    this.direct = kept.direct;
    this.#kept = kept;
  }

  get version(): Version {
    this.#version ??= parseVersion(this.#kept.version);
    return this.#version;
  }

  get dependencies(): ResolvedPackage["dependencies"] {
    return this.#kept.dependencies.map(({ name, version, extras }) => ({
      name: name as PackageName,
      get version() {
        return parseVersion(version);
      },
      extras,
    }));
  }

  get metadata(): CoreMetadata {
    throw new Error("a kept answer has no metadata");
  }
}
