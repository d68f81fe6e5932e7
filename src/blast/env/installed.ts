import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { type PackageName, parsePackageName } from "../pep/name.ts";
import { tryParseVersion, type Version } from "../pep/version.ts";
import { type DirectUrl, parseDirectUrl } from "../project/direct-url.ts";
import { parseRecord, type RecordEntry } from "./record.ts";

/**
 * How a distribution is recorded: `dist-info` is today's way (PEP 376, 427); `egg-info` a folder
 * that setuptools left, `egg-link` its development install; `distutils` a file that says nothing
 * of what belongs to it; `egg` a folder or zip of its own.
 */
export type InstalledKind = "dist-info" | "egg-info" | "egg-link" | "distutils" | "egg";

/** A distribution that stands in an environment. What is not in the folder's name is read late. */
export class InstalledDistribution {
  readonly kind: InstalledKind;
  readonly name: PackageName;
  readonly version: Version;
  /** Name of its folder or file: `foo-1.0.dist-info`. */
  readonly distInfo: string;
  /** That folder or file, absolute. */
  readonly path: string;
  /** The folder that holds it: what RECORD's paths are relative to. */
  readonly site: string;

  constructor(parts: {
    readonly kind: InstalledKind;
    readonly name: PackageName;
    readonly version: Version;
    readonly distInfo: string;
    readonly site: string;
  }) {
    this.kind = parts.kind;
    this.name = parts.name;
    this.version = parts.version;
    this.distInfo = parts.distInfo;
    this.site = parts.site;
    this.path = join(parts.site, parts.distInfo);
  }

  /** Who installed it, such as "pip" or "blast". */
  get installer(): string | undefined {
    return this.readFile("INSTALLER")?.trim().split("\n")[0];
  }

  /** Whether somebody asked for it by name, and not another package (PEP 376). */
  get requested(): boolean {
    return existsSync(join(this.path, "REQUESTED"));
  }

  /** Where it came from, if it was not taken from an index by name (PEP 610). */
  get directUrl(): DirectUrl | undefined {
    const text = this.readFile("direct_url.json");
    if (text === undefined) return undefined;
    try {
      return parseDirectUrl(text);
    } catch {
      // Somebody else's file, and malformed: as if it were not there.
      return undefined;
    }
  }

  /** METADATA or PKG-INFO; undefined where it is missing. */
  metadataText(): string | undefined {
    if (this.kind === "distutils") return read(this.path);
    return this.readFile(this.kind === "dist-info" ? "METADATA" : "PKG-INFO");
  }

  /** The files that it installed; undefined where there is no RECORD. */
  record(): RecordEntry[] | undefined {
    const text = this.readFile("RECORD");
    return text === undefined ? undefined : parseRecord(text);
  }

  /** A file of the dist-info folder; undefined where it cannot be read. */
  readFile(name: string): string | undefined {
    return read(join(this.path, name));
  }
}

/** The distributions of one site-packages folder; one that is missing has none. */
export function scanSite(site: string): InstalledDistribution[] {
  let names: string[];
  try {
    names = readdirSync(site);
  } catch {
    return [];
  }
  const found: InstalledDistribution[] = [];
  for (const distInfo of names) {
    const kind = kindOf(distInfo);
    const distribution = kind === undefined ? undefined : identify(kind, distInfo, site);
    if (distribution !== undefined) found.push(distribution);
  }
  return found;
}

/** By the name alone: whether an entry of site-packages stands for a distribution. */
export function kindOf(entry: string): InstalledKind | undefined {
  // pip renames what it is about to remove to "~…"; a leftover of it is not installed.
  if (entry.startsWith("~") || entry.startsWith(".")) return undefined;
  if (entry.endsWith(".dist-info")) return "dist-info";
  if (entry.endsWith(".egg-info")) return "egg-info";
  if (entry.endsWith(".egg-link")) return "egg-link";
  if (entry.endsWith(".egg")) return "egg";
  return undefined;
}

/** Name and version from the folder's name, or from the metadata where that says too little. */
function identify(
  kind: InstalledKind,
  distInfo: string,
  site: string,
): InstalledDistribution | undefined {
  const stem = distInfo.slice(0, distInfo.lastIndexOf("."));
  const [first = "", second, third] = stem.split("-");
  const isUsual = second !== undefined && (third === undefined || kind !== "dist-info");
  const version = isUsual ? tryParseVersion(second.replaceAll("_", "-")) : undefined;
  const name = nameOf(first);
  if (kind === "dist-info" && name !== undefined && version !== undefined) {
    return new InstalledDistribution({ kind, name, version, distInfo, site });
  }
  return identifyByMetadata(kind, distInfo, site, { name, version });
}

function identifyByMetadata(
  kind: InstalledKind,
  distInfo: string,
  site: string,
  guess: { readonly name: PackageName | undefined; readonly version: Version | undefined },
): InstalledDistribution | undefined {
  const path = join(site, distInfo);
  const candidates: readonly (readonly [InstalledKind, string])[] = (() => {
    switch (kind) {
      case "dist-info":
        return [[kind, join(path, "METADATA")]] as const;
      case "egg-info":
        return [[kind, join(path, "PKG-INFO")] as const, ["distutils", path] as const];
      case "egg-link":
        return [[kind, linkedMetadata(path, distInfo)]] as const;
      default:
        return [[kind, join(path, "EGG-INFO", "PKG-INFO")]] as const;
    }
  })();
  for (const [actual, file] of candidates) {
    const text = read(file);
    if (text === undefined) continue;
    const name = nameOf(headerOf(text, "Name")) ?? guess.name;
    const version = tryParseVersion(headerOf(text, "Version")) ?? guess.version;
    if (name === undefined || version === undefined) continue;
    return new InstalledDistribution({ kind: actual, name, version, distInfo, site });
  }
  const { name, version } = guess;
  if (name === undefined || version === undefined || kind === "dist-info") return undefined;
  return new InstalledDistribution({ kind, name, version, distInfo, site });
}

/** An egg-link names the folder of the sources in its first line. */
function linkedMetadata(path: string, distInfo: string): string {
  const folder = read(path)?.split("\n")[0]?.trim() ?? "";
  return join(folder, distInfo.replace(/\.egg-link$/, ".egg-info"), "PKG-INFO");
}

function headerOf(text: string, field: string): string {
  const head = text.split(/\r?\n\r?\n/, 1)[0] ?? "";
  return new RegExp(`^${field}:[ \\t]*(.*)$`, "im").exec(head)?.[1]?.trim() ?? "";
}

function nameOf(text: string): PackageName | undefined {
  try {
    return parsePackageName(text);
  } catch {
    return undefined;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
