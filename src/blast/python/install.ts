/** Installs standalone builds of Python into blast's own folder, checked before they are opened. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { decompressed, isArchiveProblem, unpackTar } from "../../kit/archive/unpack-tar.ts";
import { xdgPaths } from "../../kit/config/paths.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";
import {
  type BuildTarget,
  buildsFor,
  ownTarget,
  type PythonBuild,
  parseBuildsJson,
  parseChecksums,
} from "./builds.ts";
import { fetchFile, fetchText, type OnBytes } from "./fetch.ts";
import { ownPythonFolder, prefixCandidates } from "./places.ts";
import { type Interpreter, Prober } from "./probe.ts";
import { ANY_VERSION, describeRequest, matchesVersion, type PythonRequest } from "./request.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/** Where builds come from. */
export interface BuildSources {
  readonly environment: Variables;
  /** Takes the place of {@link RELEASES} in the addresses of builds. */
  readonly mirror?: string | undefined;
  /** A list of builds, as URL or path, in place of the newest release of the project. */
  readonly downloadsJson?: string | undefined;
  readonly offline?: boolean;
  readonly target?: BuildTarget;
  readonly timeoutMs?: number;
  readonly retries?: number;
}

const PROJECT = "astral-sh/python-build-standalone";
const RELEASES = `https://github.com/${PROJECT}/releases/download`;
const LATEST = `https://raw.githubusercontent.com/${PROJECT}/latest-release/latest-release.json`;
const LIST_TTL_MS = 24 * 3600 * 1000;
const LIMITS = { membersMax: 200_000, bytesMax: 8 * 1024 ** 3 };

/**
 * The builds that this machine can run, best first. The list is kept for a day; one that is older
 * serves where no other can be had.
 *
 * @throws {Fault} E_NETWORK, E_CONFIG
 */
export async function availableBuilds(sources: BuildSources): Promise<PythonBuild[]> {
  const { environment, mirror, downloadsJson } = sources;
  const cache = join(xdgPaths(environment).cache, "blast", "python-builds.json");
  const origin = JSON.stringify([mirror ?? "", downloadsJson ?? ""]);
  const kept = readKept(cache, origin);
  const target = sources.target ?? ownTarget();
  if (kept !== undefined && (kept.isFresh || sources.offline === true)) {
    return buildsFor(kept.builds, target);
  }
  if (sources.offline === true) {
    throw new Fault({
      code: "E_NETWORK",
      message: "Cannot fetch the list of Pythons: it is not in the cache, and --offline is given",
    });
  }
  try {
    const builds = await fetchBuilds(sources);
    keep(cache, origin, builds);
    return buildsFor(builds, target);
  } catch (error) {
    if (kept === undefined || !(error instanceof Fault) || error.code !== "E_NETWORK") throw error;
    return buildsFor(kept.builds, target);
  }
}

async function fetchBuilds(sources: BuildSources): Promise<PythonBuild[]> {
  const { downloadsJson, mirror } = sources;
  const mirrored = (url: string): string =>
    mirror !== undefined && mirror !== "" && url.startsWith(RELEASES)
      ? mirror.replace(/\/+$/, "") + url.slice(RELEASES.length)
      : url;
  if (downloadsJson !== undefined && downloadsJson !== "") {
    const text = await fetchText(downloadsJson, sources);
    const builds = text === undefined ? [] : parseBuildsJson(text, downloadsJson);
    if (text === undefined) throw noList(downloadsJson);
    return builds.map((build) => ({ ...build, url: mirrored(build.url) }));
  }
  const prefix = await latestPrefix(sources);
  const folder = `${mirrored(prefix).replace(/\/+$/, "")}/`;
  const sums = await fetchText(`${folder}SHA256SUMS`, sources);
  if (sums === undefined) throw noList(`${folder}SHA256SUMS`);
  return parseChecksums(sums, folder);
}

/** Where the files of the newest release lie; a mirror may tell it itself. */
async function latestPrefix(sources: BuildSources): Promise<string> {
  const { mirror } = sources;
  const own =
    mirror === undefined || mirror === ""
      ? undefined
      : await fetchText(`${mirror.replace(/\/+$/, "")}/latest-release.json`, sources);
  const text = own ?? (await fetchText(LATEST, sources));
  try {
    const prefix: unknown = JSON.parse(text ?? "null")?.asset_url_prefix;
    if (typeof prefix === "string") return prefix;
  } catch {
    // Said below.
  }
  throw noList(own === undefined ? LATEST : `${mirror}`);
}

function noList(address: string): Fault {
  return new Fault({
    code: "E_NETWORK",
    message: `Cannot find a list of Pythons at "${address}"`,
    hint: "set [python] downloads_json or mirror in blast.toml",
  });
}

function readKept(
  path: string,
  origin: string,
): { readonly builds: PythonBuild[]; readonly isFresh: boolean } | undefined {
  try {
    const value = JSON.parse(readFileSync(path, "utf8")) as { origin?: unknown; builds?: unknown };
    if (value.origin !== origin || !Array.isArray(value.builds)) return undefined;
    const isFresh = Date.now() - statSync(path).mtimeMs < LIST_TTL_MS;
    return { builds: value.builds as PythonBuild[], isFresh };
  } catch {
    return undefined;
  }
}

function keep(path: string, origin: string, builds: readonly PythonBuild[]): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    const temporary = `${path}.${process.pid}.tmp`;
    writeFileSync(temporary, JSON.stringify({ origin, builds }), { mode: 0o600 });
    renameSync(temporary, path);
  } catch {
    // The next run fetches it again.
  }
}

/**
 * The best build for a wish.
 *
 * @throws {Fault} E_NOT_FOUND with what there is
 */
export function chooseBuild(
  builds: readonly PythonBuild[],
  request: PythonRequest,
  origin: string,
): PythonBuild {
  const found = builds.find((build) => fits(build, request));
  if (found !== undefined) return found;
  const versions = [...new Set(builds.map(({ version }) => version))];
  const shown = versions.slice(0, 12).join(", ");
  throw new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot install ${describeRequest(request)}: there is no build of it for this machine`,
    hint:
      versions.length === 0
        ? `the list has none for this machine (${origin})`
        : `there are ${shown}${versions.length > 12 ? " and older ones" : ""}`,
  });
}

function fits(build: PythonBuild, request: PythonRequest): boolean {
  if (request.kind !== "version" && request.kind !== "any") return false;
  const wish = request.kind === "any" ? ANY_VERSION : request;
  if (build.freeThreaded !== wish.freeThreaded || build.debug !== wish.debug) return false;
  if (build.implementation !== (wish.implementation ?? "cpython")) return false;
  return matchesVersion(build.version, wish);
}

/** An installation. */
export interface InstalledPython {
  readonly folder: string;
  readonly interpreter: Interpreter;
  /** It was there already. */
  readonly wasThere: boolean;
}

/**
 * Fetches a build, compares its checksum, unpacks it beside its place and moves it there whole.
 *
 * @throws {Fault} E_NETWORK; E_INTEGRITY (nothing stays then); E_IO, E_NO_SPACE
 */
export async function installBuild(
  build: PythonBuild,
  options: BuildSources & { readonly onBytes?: OnBytes; readonly reinstall?: boolean },
): Promise<InstalledPython> {
  const root = ownPythonFolder(options.environment);
  const folder = join(root, build.key);
  const prober = new Prober(options.environment);
  if (existsSync(folder) && options.reinstall !== true) {
    return { folder, interpreter: await pythonIn(folder, prober, build), wasThere: true };
  }
  if (build.sha256 === undefined) {
    throw new Fault({
      code: "E_INTEGRITY",
      message: `Cannot install "${build.key}": the list gives no SHA-256 for it`,
      hint: "what cannot be checked is not installed; another list may have the checksum",
    });
  }
  mkdirSync(root, { recursive: true });
  sweep(root);
  const scratch = join(root, `.new-${process.pid}-${build.key}`);
  try {
    mkdirSync(scratch);
    await fetchAndUnpack(build, scratch, options);
    const tree = treeIn(join(scratch, "tree"), build);
    markManaged(tree);
    const interpreter = await exchange(tree, folder, join(scratch, "before"), () =>
      pythonIn(folder, prober, build),
    );
    prober.save();
    return { folder, interpreter, wasThere: false };
  } catch (error) {
    throw asFault(error, build);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function fetchAndUnpack(
  build: PythonBuild,
  scratch: string,
  options: BuildSources & { readonly onBytes?: OnBytes },
): Promise<void> {
  const archive = join(scratch, "archive");
  const sha256 = await fetchFile(build.url, archive, options);
  if (sha256 !== build.sha256) {
    throw new Fault({
      code: "E_INTEGRITY",
      message: `Cannot install "${build.key}": the file is not what the list says`,
      hint: "the mirror may be damaged, or hold another build: ask whoever runs it",
      details: { expected: build.sha256, actual: sha256, url: build.url },
    });
  }
  mkdirSync(join(scratch, "tree"));
  await unpackTar(decompressed(archive), join(scratch, "tree"), LIMITS);
}

/** `python/install` of the full archives, `python` of the small ones, else the only folder. */
function treeIn(tree: string, build: PythonBuild): string {
  const only = readdirSync(tree);
  const inner = only.length === 1 && only[0] !== undefined ? join(tree, only[0]) : tree;
  const found = [join(tree, "python", "install"), join(tree, "python"), inner, tree].find(
    (path) => prefixCandidates(path).length > 0,
  );
  if (found !== undefined) return found;
  throw new Fault({
    code: "E_INTEGRITY",
    message: `Cannot install "${build.key}": there is no Python in the archive`,
  });
}

/** pip must not change what all environments share (PEP 668). */
function markManaged(tree: string): void {
  const lib = join(tree, "lib");
  const names = existsSync(lib) ? readdirSync(lib) : [];
  const stdlib = names.find((name) => /^(python|pypy)\d+\.\d+t?$/.test(name));
  const folder = stdlib === undefined ? join(tree, "Lib") : join(lib, stdlib);
  const marker = join(folder, "EXTERNALLY-MANAGED");
  if (!existsSync(folder) || existsSync(marker)) return;
  writeFileSync(
    marker,
    "[externally-managed]\nError=blast manages this Python, and environments share it.\n" +
      " Make an environment with `blast start`, and install into that.\n",
  );
}

/** Puts a Python into its place; where it does not work, the one that was there goes back. */
async function exchange(
  tree: string,
  folder: string,
  before: string,
  check: () => Promise<Interpreter>,
): Promise<Interpreter> {
  if (!existsSync(folder)) {
    place(tree, folder);
    return check();
  }
  renameSync(folder, before);
  try {
    place(tree, folder);
    return await check();
  } catch (error) {
    if (existsSync(folder)) renameSync(folder, `${before}-refused`);
    renameSync(before, folder);
    if (!(error instanceof Fault)) throw error;
    const { code, message } = error;
    throw new Fault({ code, message, hint: "the one that was there stays", cause: error.cause });
  }
}

/** Another blast may have been faster: what it has installed is as good. */
function place(tree: string, folder: string): void {
  try {
    renameSync(tree, folder);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "ENOTEMPTY" && code !== "EEXIST") throw error;
  }
}

async function pythonIn(folder: string, prober: Prober, build: PythonBuild): Promise<Interpreter> {
  const [candidate] = prefixCandidates(folder);
  const found = candidate === undefined ? undefined : await prober.probe(candidate.path);
  if (found !== undefined && !("problem" in found)) return found;
  throw new Fault({
    code: "E_INTEGRITY",
    message: `Cannot use "${build.key}": ${found?.problem ?? "there is no Python in it"}`,
    hint: `\`blast python uninstall ${build.key}\` removes it`,
  });
}

/** What a killed run has left: a Python that it had taken out of its place goes back there. */
function sweep(root: string): void {
  for (const name of readdirSync(root)) {
    const [, pid, key] = /^\.new-(\d+)-(.+)$/.exec(name) ?? [];
    if (pid === undefined || key === undefined || isRunning(Number(pid))) continue;
    const before = join(root, name, "before");
    if (existsSync(before) && !existsSync(join(root, key))) renameSync(before, join(root, key));
    rmSync(join(root, name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function asFault(error: unknown, build: PythonBuild): unknown {
  if (error instanceof Fault) return error;
  if (isArchiveProblem(error)) {
    return new Fault({
      code: "E_INTEGRITY",
      message: `Cannot unpack "${build.key}": ${error.message}`,
      cause: error,
    });
  }
  const code = (error as NodeJS.ErrnoException).code;
  if (code === undefined) return error;
  return new Fault({
    code: code === "ENOSPC" || code === "EDQUOT" ? "E_NO_SPACE" : "E_IO",
    message: `Cannot install "${build.key}": ${reasonOf(error)}`,
    cause: error,
  });
}

/** The Pythons in blast's own folder, by key. */
export function ownPythons(environment: Variables): string[] {
  try {
    return readdirSync(ownPythonFolder(environment)).filter((name) => !name.startsWith("."));
  } catch {
    return [];
  }
}

/** Removes one of blast's own Pythons. @throws {Fault} E_IO */
export function uninstallPython(environment: Variables, key: string): void {
  const folder = join(ownPythonFolder(environment), basename(key));
  try {
    // Out of sight first: a half-removed Python must not be found.
    const gone = join(dirname(folder), `.new-${process.pid}-${basename(key)}`);
    renameSync(folder, gone);
    rmSync(gone, { recursive: true, force: true });
  } catch (error) {
    throw new Fault({
      code: "E_IO",
      message: `Cannot remove "${folder}": ${reasonOf(error)}`,
      cause: error,
    });
  }
}
