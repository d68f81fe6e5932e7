/** Brings what is to be installed into the store: fetched, built where it must be, verified. */
import { existsSync } from "node:fs";
import { Fault } from "../../kit/fault/fault.ts";
import type { InstallItem } from "../env/install-item.ts";
import type { IndexClient } from "../index/client.ts";
import type { Download } from "../index/downloads.ts";
import { filenameOf } from "../index/page-file.ts";
import type { PackageName } from "../pep/name.ts";
import type { Version } from "../pep/version.ts";
import { directUrlOf } from "../project/direct-url.ts";
import type { DirectSource } from "../resolve/port.ts";
import type { WheelStore } from "../wheel/store.ts";
import type { StoredWheel } from "../wheel/stored-wheel.ts";
import type { WantedPackage } from "./wanted.ts";

/** Builds wheels from sources. */
export interface WheelBuilder {
  /**
   * A wheel of an sdist or of a direct source, built or from the cache of builds.
   *
   * @param archivePath the sdist or archive, fetched and checked; undefined for folders and git
   * @returns path of the wheel and its digest, in hexadecimal
   */
  buildWheel(
    wanted: WantedPackage,
    archivePath: string | undefined,
  ): Promise<{ readonly path: string; readonly sha256: string; readonly commit?: string }>;
}

/** What fetching needs. */
export interface PrepareOptions {
  readonly store: WheelStore;
  /** What was found in the store already, by {@link storedAmong}; otherwise it is looked up. */
  readonly stored?: ReadonlyMap<WantedPackage, StoredWheel>;
  /** Opened when something is not in the store yet. */
  readonly index: () => Promise<IndexClient>;
  readonly builder: () => WheelBuilder;
  /** Lets go of a downloaded archive: what is unpacked needs it no more. */
  readonly discard: (path: string) => void;
  readonly onProgress?: (progress: PrepareProgress) => void;
  /** False: what is stored is compared by somebody else. Default true. */
  readonly compares?: boolean;
  /** Put it in the place of what the store has. */
  readonly replace?: boolean;
}

/** How far it is. */
export interface PrepareProgress {
  readonly done: number;
  readonly total: number;
  readonly doneBytes: number;
  readonly current: string;
}

/**
 * The items to install, in the order of the packages. What is in the store already costs a look.
 *
 * @throws {Fault} E_NETWORK, E_INTEGRITY, E_BUILD, E_NO_SPACE; what was stored until then stays
 */
export async function prepareItems(
  wanted: readonly WantedPackage[],
  options: PrepareOptions,
): Promise<InstallItem[]> {
  const progress = new Progress(wanted.length, options.onProgress);
  const { store, stored: known = storedAmong(wanted, store) } = options;
  const jobs = wanted.map(async (one) => {
    const stored = known.get(one);
    if (stored === undefined) return fetchItem(one, options, progress);
    // Environments share its files: what was edited there is fetched anew.
    if (options.compares !== false && !(await isSound(stored, store))) {
      return fetchItem(one, { ...options, replace: true }, progress);
    }
    progress.finished(one);
    return itemOf(one, stored);
  });
  // All settle before the first failure is told: nobody writes into the store behind our back.
  const settled = await Promise.allSettled(jobs);
  const failed = settled.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return settled.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
}

/** The packages for which nothing has to be fetched or built, with their wheels. */
export function storedAmong(
  wanted: readonly WantedPackage[],
  store: WheelStore,
): Map<WantedPackage, StoredWheel> {
  const stored = new Map<WantedPackage, StoredWheel>();
  for (const one of wanted) {
    const sha256 = one.file?.kind === "wheel" ? one.file.hashes["sha256"] : undefined;
    const wheel = sha256 === undefined ? undefined : store.get(sha256);
    if (wheel !== undefined) stored.set(one, wheel);
  }
  return stored;
}

async function isSound(stored: StoredWheel, store: WheelStore): Promise<boolean> {
  return (await store.verify(stored, { full: false })).length === 0;
}

async function fetchItem(
  wanted: WantedPackage,
  options: PrepareOptions,
  progress: Progress,
): Promise<InstallItem> {
  const { store } = options;
  const expected = expectationOf(wanted);
  const onBytes = (bytes: number): void => progress.bytes(wanted, bytes);
  const { file, source } = wanted;
  if (file === undefined) {
    if (source === undefined) throw new Error(`Nothing to install for ${wanted.name}`);
    return fetchSource(wanted, options, progress);
  }
  const index = await options.index();
  const stored = await withArchive(
    () => index.download(file, { onBytes }),
    async ({ path, sha256 }) => {
      checkAllowed(wanted, sha256);
      if (file.kind === "sdist") {
        const built = await options.builder().buildWheel(wanted, path);
        return store.add(built.path, { sha256: built.sha256, expected });
      }
      const metadataText = index.metadataText(file);
      const promised = metadataText === undefined ? {} : { metadataText };
      const replace = options.replace === true;
      const added = await store.add(path, { sha256, expected, ...promised, replace });
      options.discard(path);
      return added;
    },
  );
  progress.finished(wanted);
  return itemOf(wanted, stored);
}

/** Tries; more is no accident. */
const ATTEMPTS_MAX = 5;

/** Another process may unpack the same archive and let go of it: then it is fetched again. */
async function withArchive<T>(
  fetch: () => Promise<Download>,
  use: (archive: Download) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    const archive = await fetch();
    try {
      return await use(archive);
    } catch (error) {
      const isLost = error instanceof Fault && error.details?.["errno"] === "ENOENT";
      // It may be there again already, fetched by yet another one.
      if (attempt === ATTEMPTS_MAX || !(isLost || !existsSync(archive.path))) throw error;
    }
  }
}

/** What is named by place: a wheel or sdist somewhere, a repository, a folder. */
async function fetchSource(
  wanted: WantedPackage,
  options: PrepareOptions,
  progress: Progress,
): Promise<InstallItem> {
  const { source } = wanted;
  if (source === undefined) throw new Error(`Nothing to install for ${wanted.name}`);
  const { store } = options;
  const expected = expectationOf(wanted);
  const build = async (archive?: Download): Promise<InstallItem> => {
    const built = await options.builder().buildWheel(wanted, archive?.path);
    const stored = await store.add(built.path, { sha256: built.sha256, expected });
    const found = {
      ...(archive === undefined ? {} : { sha256: archive.sha256 }),
      ...(built.commit === undefined ? {} : { commit: built.commit }),
    };
    return { ...itemOf(wanted, stored), ...directUrlItem(wanted, found) };
  };
  const take = async (archive: Download): Promise<InstallItem> => {
    checkAllowed(wanted, archive.sha256);
    if (!archive.path.toLowerCase().endsWith(".whl")) return build(archive);
    const { path, sha256 } = archive;
    const stored = await store.add(path, { sha256, expected });
    options.discard(path);
    return { ...itemOf(wanted, stored), ...directUrlItem(wanted, { sha256 }) };
  };
  const item =
    source.kind === "archive"
      ? await withArchive(() => downloadSource(source, wanted, options, progress), take)
      : await build();
  progress.finished(wanted);
  return item;
}

async function downloadSource(
  source: DirectSource & { readonly kind: "archive" },
  wanted: WantedPackage,
  options: PrepareOptions,
  progress: Progress,
): Promise<Download> {
  const index = await options.index();
  const hashes = { ...source.hashes, ...wanted.hashes };
  return index.download(
    { url: source.url, filename: filenameOf(source.url), hashes },
    { onBytes: (bytes) => progress.bytes(wanted, bytes) },
  );
}

/** @throws {Fault} E_INTEGRITY a file that is none of those that were asked for */
function checkAllowed({ name, allowedHashes }: WantedPackage, sha256: string): void {
  if (allowedHashes === undefined || allowedHashes.has(`sha256:${sha256}`)) return;
  throw new Fault({
    code: "E_INTEGRITY",
    message: `Cannot install "${name}": the file's hash is none of those that were given`,
    hint: `it is sha256:${sha256}`,
  });
}

interface Expectation {
  readonly name: PackageName;
  readonly version?: Version;
}

function expectationOf({ name, version }: WantedPackage): Expectation {
  return version === undefined ? { name } : { name, version };
}

function itemOf(wanted: WantedPackage, wheel: StoredWheel): InstallItem {
  const { name, version } = wanted;
  if (wheel.name !== name || (version !== undefined && wheel.version.key !== version.key)) {
    throw new Fault({
      code: "E_INTEGRITY",
      message:
        `Cannot install "${name}${version === undefined ? "" : `==${version}`}": ` +
        `the file calls itself ${wheel.name}==${wheel.version}`,
    });
  }
  return { wheel, requested: wanted.requested };
}

function directUrlItem(
  wanted: WantedPackage,
  found: { readonly sha256?: string; readonly commit?: string },
): Pick<InstallItem, "directUrl"> {
  const { source, requestedRevision } = wanted;
  if (source === undefined) return {};
  const { sha256, commit } = found;
  // A lock file has the commit in the place of the branch or tag that was asked for.
  const asked =
    source.kind === "git" && requestedRevision !== undefined
      ? { ...source, revision: requestedRevision }
      : source;
  return {
    directUrl: directUrlOf(asked, {
      ...(commit === undefined ? {} : { commit }),
      ...(sha256 === undefined ? {} : { hashes: { sha256 } }),
    }),
  };
}

/** Sums up what the downloads report. */
class Progress {
  readonly #total: number;
  readonly #report: ((progress: PrepareProgress) => void) | undefined;
  #done = 0;
  readonly #bytes = new Map<WantedPackage, number>();
  #sum = 0;

  constructor(total: number, report: ((progress: PrepareProgress) => void) | undefined) {
    this.#total = total;
    this.#report = report;
  }

  bytes(of: WantedPackage, soFar: number): void {
    this.#sum += soFar - (this.#bytes.get(of) ?? 0);
    this.#bytes.set(of, soFar);
    this.#tell(of);
  }

  finished(of: WantedPackage): void {
    this.#done += 1;
    this.#tell(of);
  }

  #tell(of: WantedPackage): void {
    this.#report?.({
      done: this.#done,
      total: this.#total,
      doneBytes: this.#sum,
      current: of.name,
    });
  }
}
