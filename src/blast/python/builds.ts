/** The lists of builds of Python: uv's JSON, and the checksums of python-build-standalone. */
import { Fault } from "../../kit/fault/fault.ts";
import { readElf } from "./elf.ts";

/** A Python that can be fetched. */
export interface PythonBuild {
  /** `cpython-3.12.3-linux-x86_64-gnu`: the name of its folder. */
  readonly key: string;
  readonly implementation: string;
  /** `3.12.3`, `3.14.0rc1`. */
  readonly version: string;
  readonly freeThreaded: boolean;
  readonly debug: boolean;
  readonly os: string;
  readonly arch: string;
  readonly libc: string;
  readonly url: string;
  /** Lower-case hexadecimal; undefined: it cannot be checked, and so not installed. */
  readonly sha256: string | undefined;
  /** Date of the build, for builds of the same version: the larger the newer. */
  readonly build: number;
}

/** What builds must be made for. */
export interface BuildTarget {
  readonly os: string;
  readonly arch: string;
  readonly libc: string;
}

const BUILDS_MAX = 100_000;

/** This machine, in the words of the lists. */
export function ownTarget(): BuildTarget {
  const systems: Readonly<Record<string, string>> = { darwin: "macos", win32: "windows" };
  const archs: Readonly<Record<string, string>> = { x64: "x86_64", arm64: "aarch64", ia32: "i686" };
  const os = systems[process.platform] ?? process.platform;
  const arch = archs[process.arch] ?? process.arch;
  if (os !== "linux") return { os, arch, libc: "none" };
  const isMusl = readElf(process.execPath)?.loader?.includes("musl") === true;
  return { os, arch, libc: isMusl ? "musl" : "gnu" };
}

/**
 * Builds of a JSON list in the shape of uv's `--python-downloads-json-url`: an object by key.
 * Entries that are not understood are left out: newer lists may hold more kinds.
 *
 * @param origin for the message
 * @throws {Fault} E_CONFIG when it is no such list
 */
export function parseBuildsJson(text: string, origin: string): PythonBuild[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if (typeof value !== "object" || value === null) {
    throw new Fault({
      code: "E_CONFIG",
      message: `Cannot read the list of Pythons at "${origin}": it is no JSON object`,
      hint: "the list has the shape of uv's python-downloads-json-url",
    });
  }
  const builds: PythonBuild[] = [];
  for (const [key, entry] of Object.entries(value).slice(0, BUILDS_MAX)) {
    const build = buildOf(key, entry as JsonBuild);
    if (build !== undefined) builds.push(build);
  }
  return builds;
}

interface JsonBuild {
  readonly name?: unknown;
  readonly arch?: unknown;
  readonly os?: unknown;
  readonly libc?: unknown;
  readonly major?: unknown;
  readonly minor?: unknown;
  readonly patch?: unknown;
  readonly prerelease?: unknown;
  readonly url?: unknown;
  readonly sha256?: unknown;
  readonly variant?: unknown;
  readonly build?: unknown;
}

function buildOf(key: string, entry: JsonBuild): PythonBuild | undefined {
  if (typeof entry !== "object" || entry === null || !isPlainKey(key)) return undefined;
  const { name, os, libc, major, minor, patch, url } = entry;
  const arch = archOf(entry.arch);
  const numbers = [major, minor, patch];
  if (typeof name !== "string" || typeof os !== "string" || arch === undefined) return undefined;
  if (typeof url !== "string" || !numbers.every(Number.isSafeInteger)) return undefined;
  const prerelease = typeof entry.prerelease === "string" ? entry.prerelease : "";
  const variant = typeof entry.variant === "string" ? entry.variant : "";
  return {
    key,
    implementation: name,
    version: numbers.join(".") + prerelease,
    freeThreaded: variant.includes("freethreaded"),
    debug: variant.includes("debug"),
    os: os === "darwin" ? "macos" : os,
    arch,
    libc: typeof libc === "string" ? libc : "none",
    url,
    sha256: sha256Of(entry.sha256),
    build: Number(entry.build) || 0,
  };
}

/** The key becomes the name of a folder. */
function isPlainKey(key: string): boolean {
  return /^[\w][\w.+-]{0,150}$/.test(key);
}

/** Older lists give a text, newer ones family and variant (`x86_64_v3`). */
function archOf(arch: unknown): string | undefined {
  if (typeof arch === "string") return arch;
  const { family, variant } = (arch ?? {}) as { family?: unknown; variant?: unknown };
  if (typeof family !== "string") return undefined;
  return typeof variant === "string" && variant !== "" ? `${family}_${variant}` : family;
}

function sha256Of(text: unknown): string | undefined {
  return typeof text === "string" && /^[0-9a-fA-F]{64}$/.test(text)
    ? text.toLowerCase()
    : undefined;
}

const FILE_NAME = new RegExp(
  [
    /^cpython-(?<version>\d+\.\d+\.\d+(?:(?:a|b|rc)\d+)?)\+(?<build>\d+)/,
    /-(?<arch>[a-z0-9_]+)-(?<system>unknown-linux-\w+|apple-darwin|pc-windows-msvc)/,
    /-(?:(?<threads>freethreaded)\+[\w+-]*full|install_only(?<stripped>_stripped)?)/,
    /\.tar\.(?:gz|zst)$/,
  ]
    .map((part) => part.source)
    .join(""),
);

const SYSTEMS: Readonly<Record<string, readonly [os: string, libc: string]>> = {
  "unknown-linux-gnu": ["linux", "gnu"],
  "unknown-linux-gnueabi": ["linux", "gnueabi"],
  "unknown-linux-gnueabihf": ["linux", "gnueabihf"],
  "unknown-linux-musl": ["linux", "musl"],
  "apple-darwin": ["macos", "none"],
  "pc-windows-msvc": ["windows", "none"],
};

/**
 * Builds by the checksum file of a release of python-build-standalone (`<sha256>  <file name>`).
 * Of the flavours, the small one without debug symbols; free-threaded ones come in full only.
 *
 * @param folder the URL of the files, with a slash at its end
 */
export function parseChecksums(text: string, folder: string): PythonBuild[] {
  const found = new Map<string, PythonBuild & { readonly rank: number }>();
  for (const line of text.split("\n").slice(0, BUILDS_MAX)) {
    const [, sha256, name = ""] = /^([0-9a-f]{64}) [ *](\S+)$/.exec(line.trim()) ?? [];
    const parts = FILE_NAME.exec(name)?.groups;
    const system = SYSTEMS[parts?.["system"] ?? ""];
    if (parts === undefined || system === undefined || sha256 === undefined) continue;
    const { version = "", arch = "", build = "", threads, stripped } = parts;
    const [os, libc] = system;
    const key = `cpython-${version}${threads ? "+freethreaded" : ""}-${os}-${arch}-${libc}`;
    const rank = stripped === undefined ? 0 : 1;
    const before = found.get(key);
    if (before !== undefined && before.rank >= rank) continue;
    const url = folder + encodeURIComponent(name);
    const freeThreaded = threads !== undefined;
    found.set(key, {
      ...{ key, implementation: "cpython", version, freeThreaded, debug: false, os, arch, libc },
      ...{ url, sha256, build: Number(build), rank },
    });
  }
  return [...found.values()].map(({ rank: _, ...build }) => build);
}

/** The builds for a machine, best first: newest version, finished before pre-release. */
export function buildsFor(builds: readonly PythonBuild[], target: BuildTarget): PythonBuild[] {
  const fitting = builds.filter(
    ({ os, arch, libc }) => os === target.os && arch === target.arch && libc === target.libc,
  );
  const isEarly = ({ version }: PythonBuild): number => Number(/[a-z]/.test(version));
  return fitting.sort(
    (a, b) =>
      isEarly(a) - isEarly(b) ||
      b.version.localeCompare(a.version, "en", { numeric: true }) ||
      b.build - a.build,
  );
}
