import { readdirSync, readFileSync, statSync, utimesSync } from "node:fs";
import { basename, join } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { type PackageName, parsePackageName } from "../pep/name.ts";
import { parseVersion, type Version } from "../pep/version.ts";
import { ports } from "../ports.ts";
import { integrityFault, nodeFault } from "./faults.ts";
import type { Manifest } from "./manifest.ts";
import type { UnpackPool, UnpackWorkerFactory } from "./pool.ts";
import { FORMAT_FOLDER, readManifest, TREE, wheelPath } from "./store-layout.ts";
import { type StoreLock, takeStoreLock } from "./store-lock.ts";
import type { StoredFile, StoredWheel } from "./stored-wheel.ts";
import type { UnpackJob } from "./unpack.ts";
import type { Deviation } from "./verify.ts";

/** Days are long enough between two notes of a wheel's use: each is a write. */
const TOUCH_INTERVAL_MS = 24 * 3600 * 1000;

export interface StoreOptions {
  /** Starts threads to unpack in; by default what applets.ts has plugged into `ports`. */
  readonly createWorker?: UnpackWorkerFactory | undefined;
  /** Threads at most; by default as many as there are processors, up to 8. */
  readonly workers?: number | undefined;
  /** Milliseconds since 1970. */
  readonly nowMs?: () => number;
}

/** What is known of a wheel that is to be added. */
export interface AddOptions {
  /** What the archive has to hash to, in hexadecimal; without it, whatever it does. */
  readonly sha256?: string | undefined;
  readonly expected: {
    readonly name: PackageName;
    /** Absent for a wheel that was named by its place. */
    readonly version?: Version | undefined;
  };
  /** The METADATA that the index offers on its own (PEP 658): it must decide the same. */
  readonly metadataText?: string | undefined;
  /** The wheel's name, where the archive's own is another. */
  readonly filename?: string | undefined;
  /** Unpacks also what is there already: `verify` has found it changed. */
  readonly replace?: boolean;
}

/** One wheel of the store, for `blast clean`. */
export interface StoreEntry {
  readonly sha256: string;
  /** Undefined: what is there is damaged. */
  readonly name: string | undefined;
  readonly version: string | undefined;
  /** As much as it takes of the disk, links from environments not counted. */
  readonly diskBytes: number;
  readonly lastUsedMs: number;
}

/**
 * Opens a store of unpacked wheels in a cache folder. Nothing is read or made until it is needed.
 *
 * @example
 * const store = openStore(cacheFolder);
 * const wheel = store.get(sha256) ?? (await store.add(path, { sha256, expected: { name } }));
 */
export function openStore(folder: string, options: StoreOptions = {}): WheelStore {
  return new WheelStore(folder, options);
}

/**
 * Unpacked wheels by the SHA-256 of their archives, verified when they are added. Several processes
 * may use one store: a wheel is there as a whole or not at all.
 */
export class WheelStore {
  /** The folder of the store's format. */
  readonly folder: string;
  readonly #options: StoreOptions;
  readonly #nowMs: () => number;
  #pool: Promise<UnpackPool> | undefined;

  constructor(folder: string, options: StoreOptions) {
    this.folder = join(folder, FORMAT_FOLDER);
    this.#options = options;
    this.#nowMs = options.nowMs ?? Date.now;
  }

  /**
   * The wheel of that hash, if it is there as a whole: one small file is read. Notes the use, at
   * most once a day.
   */
  get(sha256: string): StoredWheel | undefined {
    const path = wheelPath(this.folder, sha256);
    const manifest = readManifest(path);
    if (manifest === undefined) return undefined;
    touch(path, this.#nowMs());
    return new Unpacked(sha256, join(path, TREE), manifest);
  }

  /**
   * Verifies a wheel and unpacks it, unless it is there already.
   * @throws {Fault} E_INTEGRITY, E_NO_SPACE, E_IO; the store is as it was then
   */
  async add(archivePath: string, options: AddOptions): Promise<StoredWheel> {
    const { sha256: hash, replace = false } = options;
    const known = hash === undefined || replace ? undefined : this.get(hash);
    if (known !== undefined) return checked(known, basename(archivePath), options);
    this.#pool ??= this.#openPool();
    const pool = await this.#pool;
    const job = jobOf(archivePath, options);
    const sha256 = await pool.unpack(this.folder, job, sizeOf(archivePath));
    const added = this.get(sha256);
    if (added === undefined) {
      const path = wheelPath(this.folder, sha256);
      throw new Fault({
        code: "E_IO",
        message: `Cannot read "${path}": it was there a moment ago`,
        hint: "another program may be emptying the cache; run the command again",
        details: { path },
      });
    }
    return added;
  }

  /**
   * Adds several wheels at once, large ones first; in the order of `jobs`.
   * @throws {Fault} the first failure, when all have come to their end
   */
  async addMany(
    jobs: readonly ({ readonly archivePath: string } & AddOptions)[],
  ): Promise<StoredWheel[]> {
    const settled = await Promise.allSettled(
      jobs.map(({ archivePath, ...options }) => this.add(archivePath, options)),
    );
    return settled.map((result) => {
      if (result.status === "rejected") throw result.reason;
      return result.value;
    });
  }

  /** Starts the threads before there is work for them: a download hides the time that it takes. */
  async warm(): Promise<void> {
    this.#pool ??= this.#openPool();
    (await this.#pool).warm();
  }

  async #openPool(): Promise<UnpackPool> {
    const [{ UnpackPool }, { sweepStaging }] = await Promise.all([
      import("./pool.ts"),
      import("./staging.ts"),
    ]);
    sweepStaging(this.folder, this.#nowMs());
    const { createWorker = ports.createUnpackWorker, workers } = this.#options;
    return new UnpackPool(createWorker, workers);
  }

  /**
   * Compares a wheel with what was unpacked: by size and time of its files, or by their content.
   * Environments share files with the store by hard links, and people edit what they installed.
   * @throws {Fault} E_IO
   */
  async verify(wheel: StoredWheel, options: { readonly full: boolean }): Promise<Deviation[]> {
    const known = wheel instanceof Unpacked ? wheel.manifest : undefined;
    const manifest = known ?? readManifest(wheelPath(this.folder, wheel.sha256));
    if (manifest === undefined) {
      return wheel.files.map(({ path }) => ({ path, kind: "missing" as const }));
    }
    const { compareTree } = await import("./verify.ts");
    return compareTree(wheel.folder, manifest, options);
  }

  /**
   * Keeps other processes from removing wheels while one that uses some is at work.
   * @throws {Fault} E_LOCKED where a clean-up does not end
   */
  hold(): Promise<StoreLock> {
    return takeStoreLock(this.folder, "shared");
  }

  /**
   * Keeps every other process from using the store, such as to remove all of it.
   * @throws {Fault} E_LOCKED where another process uses it, E_IO
   */
  holdAlone(): Promise<StoreLock> {
    return takeStoreLock(this.folder, "alone");
  }

  /**
   * Removes a wheel. Environments that have its files by links or as copies keep them.
   * @throws {Fault} E_LOCKED where another process uses the store, E_IO
   */
  async remove(sha256: string): Promise<void> {
    using _lock = await takeStoreLock(this.folder, "alone");
    const { discard } = await import("./staging.ts");
    discard(this.folder, wheelPath(this.folder, sha256));
  }

  /**
   * Removes damaged wheels, leftovers, and those that were not used for the longest time, until the
   * others fit. Returns what was removed.
   * @throws {Fault} E_LOCKED where another process uses the store, E_IO
   */
  async trim(limits: { readonly diskBytesMax: number }): Promise<StoreEntry[]> {
    using _lock = await takeStoreLock(this.folder, "alone");
    const { discard, sweepStaging } = await import("./staging.ts");
    sweepStaging(this.folder, this.#nowMs());
    const removed = this.surplus(limits);
    for (const { sha256 } of removed) discard(this.folder, wheelPath(this.folder, sha256));
    return removed;
  }

  /** What {@link trim} would remove now; nothing is changed. */
  surplus(limits: { readonly diskBytesMax: number }): StoreEntry[] {
    const entries = this.entries().sort((left, right) => left.lastUsedMs - right.lastUsedMs);
    let left = entries.reduce((total, entry) => total + entry.diskBytes, 0);
    return entries.filter((entry) => {
      if (entry.name !== undefined && left <= limits.diskBytesMax) return false;
      left -= entry.diskBytes;
      return true;
    });
  }

  /** Every wheel that is there, with damaged ones. */
  entries(): StoreEntry[] {
    const entries: StoreEntry[] = [];
    for (const start of namesIn(this.folder)) {
      if (!/^[0-9a-f]{2}$/.test(start)) continue;
      for (const sha256 of namesIn(join(this.folder, start))) {
        if (!/^[0-9a-f]{64}$/.test(sha256) || !sha256.startsWith(start)) continue;
        const path = wheelPath(this.folder, sha256);
        const head = readManifest(path)?.head;
        const { name, version, diskBytes = 0 } = head ?? {};
        entries.push({ sha256, name, version, diskBytes, lastUsedMs: lastUseOf(path) });
      }
    }
    return entries;
  }

  /** Ends the threads. What they are at is not finished, and swept later. */
  async close(): Promise<void> {
    (await this.#pool)?.close();
    this.#pool = undefined;
  }
}

/** A wheel by its manifest; columns are read once, when they are asked for. */
class Unpacked implements StoredWheel {
  readonly sha256: string;
  readonly folder: string;
  readonly name: PackageName;
  readonly distInfo: string;
  readonly dataFolder?: string;
  readonly rootIsPurelib: boolean;
  readonly tags: readonly string[];
  readonly warnings: readonly string[];
  readonly totalBytes: number;
  readonly fileCount: number;
  readonly manifest: Manifest;
  #version: Version | undefined;

  constructor(sha256: string, folder: string, manifest: Manifest) {
    const { head } = manifest;
    this.sha256 = sha256;
    this.folder = folder;
    this.name = parsePackageName(head.name);
    this.distInfo = head.distInfo;
    if (head.dataFolder !== undefined) this.dataFolder = head.dataFolder;
    this.rootIsPurelib = head.rootIsPurelib;
    this.tags = head.tags;
    this.warnings = head.warnings;
    this.totalBytes = head.totalBytes;
    this.fileCount = head.files;
    this.manifest = manifest;
  }

  get version(): Version {
    this.#version ??= parseVersion(this.manifest.head.version);
    return this.#version;
  }

  get files(): readonly StoredFile[] {
    return this.manifest.files;
  }

  get folders(): readonly string[] {
    return this.manifest.folders;
  }

  get pathBytes(): Uint8Array {
    return this.manifest.pathBytes;
  }

  metadataText(): string {
    const path = `${this.distInfo}/METADATA`;
    const bytes = readBytes(join(this.folder, path));
    const digest = new Bun.CryptoHasher("sha256").update(bytes).digest("base64url");
    if (digest !== this.files.find((file) => file.path === path)?.sha256) {
      throw integrityFault(`${this.folder}/${path}`, "it has been changed in the store", {
        hint: "blast clean removes what is damaged",
      });
    }
    return bytes.toString("utf8");
  }
}

/** A wheel of the right hash must also be the one that was meant. */
function checked(wheel: StoredWheel, label: string, { expected }: AddOptions): StoredWheel {
  const { name, version } = expected;
  if (wheel.name === name && (version === undefined || wheel.version.key === version.key)) {
    return wheel;
  }
  const wanted = version === undefined ? name : `${name} ${version}`;
  throw integrityFault(
    label,
    `its METADATA says "${wheel.name} ${wheel.version}", but expected was "${wanted}"`,
  );
}

function jobOf(archivePath: string, options: AddOptions): UnpackJob {
  const own = basename(archivePath);
  return {
    archivePath,
    sha256: options.sha256,
    replace: options.replace === true,
    expected: {
      filename: options.filename ?? (own.endsWith(".whl") ? own : undefined),
      name: options.expected.name,
      version: options.expected.version?.toString(),
      metadataText: options.metadataText,
    },
  };
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

function touch(path: string, nowMs: number): void {
  if (nowMs - lastUseOf(path) < TOUCH_INTERVAL_MS) return;
  try {
    utimesSync(path, nowMs / 1000, nowMs / 1000);
  } catch {
    // A store that cannot be written can be used all the same.
  }
}

function lastUseOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    // A store that was never written to has none.
    return [];
  }
}

function readBytes(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw nodeFault("read", path, error);
  }
}
