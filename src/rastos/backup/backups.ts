import { Fault } from "../../kit/fault/fault.ts";
import { commonParent, keysOf, keysOfAll } from "../snapshot/part-keys.ts";
import { receiveSnapshot } from "../snapshot/receive.ts";
import { sendSnapshot } from "../snapshot/send.ts";
import type { SnapshotTree } from "../snapshot/tree.ts";
import type { Snapshot, SystemState } from "../snapshot/types.ts";
import { chainOf, holdsKeys, neededBy } from "./chain.ts";
import { cut } from "./cut.ts";
import {
  CHUNKS,
  chunkObject,
  type DamagedBackup,
  manifestObject,
  newBackupId,
  readManifests,
  writeManifest,
} from "./manifest.ts";
import type { Sealer } from "./sealer.ts";
import type { BackupConfig, BackupManifest, ChunkRef, ObjectStore } from "./types.ts";
import { type UploadLimits, Uploads } from "./uploads.ts";

/** What a store of backups is used with. */
export interface BackupsOptions {
  readonly store: ObjectStore;
  readonly sealer: Sealer;
  readonly config: Pick<BackupConfig, "chunkBytes" | "uploads" | "bytesPerSecond">;
  readonly clock: Pick<UploadLimits, "nowMs" | "sleep">;
}

/** A problem that a look through the backups has found. */
export interface BackupProblem {
  readonly backup: string;
  readonly message: string;
}

/** An object that nobody names is left alone for so long: it may be of a backup being made. */
const GRACE_MS = 24 * 3600 * 1000;

/** The backups of one store. */
export class Backups {
  readonly #options: BackupsOptions;

  constructor(options: BackupsOptions) {
    this.#options = options;
  }

  /**
   * All of them, the oldest first.
   *
   * @param onDamaged is told of descriptions that are damaged, in the place of a fault
   */
  list(onDamaged?: (damaged: DamagedBackup) => void): Promise<readonly BackupManifest[]> {
    return readManifests(this.#options.store, this.#options.sealer, onDamaged);
  }

  /**
   * Keeps a snapshot. It counts when all of it is written; what was written of one that failed is
   * swept by a later {@link sweep}.
   *
   * @param request.isIncremental builds upon the nearest backup of a snapshot that is here too
   * @throws {Fault} E_REFUSED where it is kept already; E_IO where others have removed meanwhile
   *   what it builds upon
   */
  async create(request: {
    readonly top: string;
    readonly state: SystemState;
    readonly snapshot: Snapshot;
    readonly isIncremental: boolean;
    readonly description: string;
    readonly onProgress?: (bytes: number) => void;
  }): Promise<BackupManifest> {
    const { top, state, snapshot } = request;
    const existing = await this.list();
    const keys = keysOf(top, snapshot.id);
    const same = existing.find((backup) => holdsKeys(backup, keys));
    if (same !== undefined && (request.isIncremental || same.parent === undefined)) {
      throw new Fault({
        code: "E_REFUSED",
        message: `Cannot back up snapshot ${snapshot.id}: backup ${same.id} holds it already`,
      });
    }
    const base = request.isIncremental ? baseFor(top, state, snapshot.id, existing) : undefined;
    const { chunks, bytes, reused } = await this.#write(
      sendSnapshot({ top, snapshot, parent: base?.snapshot }),
      await this.#lasting(existing),
      request.onProgress,
    );
    const { store, sealer, clock } = this.#options;
    const createdMs = clock.nowMs();
    const manifest: BackupManifest = {
      format: 1,
      id: newBackupId(createdMs),
      snapshot: snapshot.id,
      parent: base?.backup.id,
      keys,
      description: request.description === "" ? snapshot.description : request.description,
      createdMs,
      bytes,
      chunks,
    };
    await writeManifest(store, sealer, manifest);
    await this.#requireThere(manifest, reused);
    return manifest;
  }

  /** Pieces that need not be written again: a sweep leaves them alone while this goes on. */
  async #lasting(backups: readonly BackupManifest[]): Promise<ReadonlySet<string>> {
    const { store, clock } = this.#options;
    const used = new Set(backups.flatMap(({ chunks }) => chunks.map(({ name }) => name)));
    const objects = new Set([...used].map(chunkObject));
    const pieces = (await store.list(CHUNKS)).filter(({ name, writtenMs }) => {
      return objects.has(name) || clock.nowMs() - writtenMs < GRACE_MS / 2;
    });
    return new Set(pieces.map(({ name }) => name));
  }

  /**
   * Looks once more, now that others see what is needed: a backup may have been removed while this
   * one was built upon it, and its pieces with it.
   */
  async #requireThere(manifest: BackupManifest, reused: ReadonlySet<string>): Promise<void> {
    const { store } = this.#options;
    const { id, parent, snapshot } = manifest;
    const needed = [...reused, ...(parent === undefined ? [] : [manifestObject(parent)])];
    if (needed.length === 0) return;
    const there = new Set((await store.list("")).map(({ name }) => name));
    if (needed.every((name) => there.has(name))) return;
    await store.remove(manifestObject(id));
    throw new Fault({
      code: "E_IO",
      message: `Cannot back up snapshot ${snapshot}: what it builds upon was removed meanwhile`,
      hint: "run it again, and `rastos backup remove` and `prune` at another time",
    });
  }

  /** @param lasting objects that are there and stay */
  async #write(
    stream: AsyncIterable<Uint8Array>,
    lasting: ReadonlySet<string>,
    onProgress: ((bytes: number) => void) | undefined,
  ): Promise<{ chunks: readonly ChunkRef[]; bytes: number; reused: ReadonlySet<string> }> {
    const { store, sealer, config, clock } = this.#options;
    const written = new Set<string>();
    const reused = new Set<string>();
    const uploads = new Uploads(store, {
      atOnce: config.uploads,
      bytesPerSecond: config.bytesPerSecond,
      ...clock,
    });
    const chunks: ChunkRef[] = [];
    let bytes = 0;
    for await (const content of cut(stream, config.chunkBytes)) {
      const name = sealer.nameOf(content);
      chunks.push({ name, bytes: content.length });
      bytes += content.length;
      const object = chunkObject(name);
      if (lasting.has(object)) reused.add(object);
      else if (!written.has(object)) await uploads.put(object, sealer.seal(object, content));
      written.add(object);
      onProgress?.(bytes);
    }
    await uploads.done();
    return { chunks, bytes, reused };
  }

  /**
   * Makes the snapshot of a backup again, and those that it builds upon unless they are here.
   * Returns the new ones, the last is the backup's; none where it is here already.
   *
   * @throws {Fault} E_NOT_FOUND, E_INTEGRITY: nothing of the damaged one stays
   */
  async restore(tree: SnapshotTree, id: string): Promise<readonly Snapshot[]> {
    // One that is damaged is no reason to be without the others.
    const backups = await this.list(() => undefined);
    const made: Snapshot[] = [];
    for (const backup of chainOf(backups, id)) {
      const here = keysOfAll(tree.root, tree.state);
      if (here.some(({ keys }) => holdsKeys(backup, keys))) continue;
      made.push(await receiveSnapshot(tree, this.#read(backup)));
    }
    return made;
  }

  async *#read(backup: BackupManifest): AsyncGenerator<Uint8Array> {
    for (const chunk of backup.chunks) yield await this.#chunk(chunk);
  }

  /** @throws {Fault} E_INTEGRITY for anything else than what was kept */
  async #chunk({ name, bytes }: ChunkRef): Promise<Uint8Array> {
    const { store, sealer } = this.#options;
    const object = chunkObject(name);
    const content = sealer.open(object, await store.get(object));
    if (content.length === bytes && sealer.nameOf(content) === name) return content;
    throw new Fault({
      code: "E_INTEGRITY",
      message: `Cannot use the object "${object}" of the backups: it is not what was kept`,
      hint: "rastos backup verify says which backups are whole",
    });
  }

  /**
   * Reads every piece of a backup and of those that it builds upon, or of all of them.
   * Returns what is wrong; nothing is changed.
   */
  async verify(id: string | undefined): Promise<readonly BackupProblem[]> {
    const problems: BackupProblem[] = [];
    const backups = await this.list(({ id: damaged, fault }) => {
      if (id === undefined) problems.push({ backup: damaged, message: fault.message });
    });
    const wanted = id === undefined ? backups : chainOf(backups, id);
    const checked = new Map<string, string | undefined>();
    for (const backup of wanted) {
      const { parent } = backup;
      if (parent !== undefined && !backups.some((each) => each.id === parent)) {
        problems.push({ backup: backup.id, message: `backup ${parent}, which it needs, is gone` });
      }
      for (const chunk of backup.chunks) {
        if (!checked.has(chunk.name)) checked.set(chunk.name, await this.#problemOf(chunk));
        const message = checked.get(chunk.name);
        if (message !== undefined) problems.push({ backup: backup.id, message });
      }
    }
    return problems;
  }

  async #problemOf(chunk: ChunkRef): Promise<string | undefined> {
    try {
      await this.#chunk(chunk);
      return undefined;
    } catch (error) {
      if (error instanceof Fault && ["E_INTEGRITY", "E_NOT_FOUND"].includes(error.code)) {
        return error.message;
      }
      throw error;
    }
  }

  /** Removes backups. @throws {Fault} E_REFUSED where others build upon them, unless forced */
  async remove(ids: readonly string[], options: { readonly isForced: boolean }): Promise<void> {
    const { store } = this.#options;
    const backups = await this.list();
    for (const id of ids) {
      chainOf(backups, id);
      const needed = neededBy(backups, id).filter((each) => !ids.includes(each.id));
      if (needed.length === 0 || options.isForced) continue;
      throw new Fault({
        code: "E_REFUSED",
        message: `Cannot remove backup ${id}: ${needed.map((each) => each.id).join(", ")} needs it`,
        hint: "--force removes it all the same; the others cannot be restored then",
      });
    }
    for (const id of ids) await store.remove(manifestObject(id));
    await this.sweep();
  }

  /** Removes pieces that no backup has, but for those of the last day. Returns their bytes. */
  async sweep(): Promise<number> {
    const { store, clock } = this.#options;
    // First what there is, then who needs it: a backup that is made meanwhile keeps its own.
    const pieces = await store.list(CHUNKS);
    const used = new Set<string>();
    for (const backup of await this.list()) {
      for (const { name } of backup.chunks) used.add(chunkObject(name));
    }
    let bytes = 0;
    for (const piece of pieces) {
      if (used.has(piece.name) || clock.nowMs() - piece.writtenMs < GRACE_MS) continue;
      await store.remove(piece.name);
      bytes += piece.bytes;
    }
    return bytes;
  }

  /** What is stored, in bytes, and how many backups there are. */
  async usage(): Promise<{ readonly backups: number; readonly objects: number; bytes: number }> {
    const objects = await this.#options.store.list("");
    const backups = objects.filter(({ name }) => name.startsWith("backups/")).length;
    const bytes = objects.reduce((sum, object) => sum + object.bytes, 0);
    return { backups, objects: objects.length, bytes };
  }
}

/** The nearest snapshot that is here and in a backup, as for another machine that has it. */
function baseFor(
  top: string,
  state: SystemState,
  id: number,
  backups: readonly BackupManifest[],
): { readonly snapshot: number; readonly backup: BackupManifest } | undefined {
  const own = keysOfAll(top, state);
  const theirs = backups.map(({ keys }, index) => ({ id: index, keys }));
  const snapshot = commonParent({ state, own, theirs, id });
  const keys = own.find((each) => each.id === snapshot)?.keys;
  const backup = keys && backups.findLast((each) => holdsKeys(each, keys));
  return snapshot === undefined || backup === undefined ? undefined : { snapshot, backup };
}
