import { Fault } from "../../kit/fault/fault.ts";
import type { Sealer } from "./sealer.ts";
import type { BackupManifest, ObjectStore } from "./types.ts";

/** Folder of what backups are made of, and of what says how. */
export const CHUNKS = "chunks/";
const BACKUPS = "backups/";

/** Name of the object with a piece. */
export function chunkObject(name: string): string {
  return `${CHUNKS}${name.slice(0, 2)}/${name}`;
}

/** Name of the object that describes a backup. */
export function manifestObject(id: string): string {
  return `${BACKUPS}${id}`;
}

/** `20261121-201500-3f9c`: in the order of time, and never given out twice. */
export function newBackupId(nowMs: number): string {
  const digits = new Date(nowMs).toISOString().replace(/\D/g, "");
  const random = Buffer.from(crypto.getRandomValues(new Uint8Array(2))).toString("hex");
  return `${digits.slice(0, 8)}-${digits.slice(8, 14)}-${random}`;
}

/** A description that is there and cannot be used. */
export interface DamagedBackup {
  readonly id: string;
  readonly fault: Fault;
}

/**
 * All backups of a store, the oldest first.
 *
 * @param onDamaged is told of those that are damaged, which then do not keep from the others; where
 *   none can be read the key is wrong
 * @throws {Fault}
 */
export async function readManifests(
  store: ObjectStore,
  sealer: Sealer,
  onDamaged?: (damaged: DamagedBackup) => void,
): Promise<readonly BackupManifest[]> {
  const found: BackupManifest[] = [];
  const damaged: DamagedBackup[] = [];
  for (const { name } of await store.list(BACKUPS)) {
    try {
      const content = sealer.open(name, await store.get(name));
      found.push(parseManifest(name, Buffer.from(content).toString("utf8")));
    } catch (error) {
      const isDamaged = error instanceof Fault && error.code === "E_INTEGRITY";
      if (!isDamaged || onDamaged === undefined) throw error;
      damaged.push({ id: name.slice(BACKUPS.length), fault: error });
    }
  }
  const [first] = damaged;
  if (first !== undefined && found.length === 0) throw first.fault;
  for (const one of damaged) onDamaged?.(one);
  return found.sort((a, b) => a.createdMs - b.createdMs || (a.id < b.id ? -1 : 1));
}

/** Writes the description: from then on the backup is there. */
export async function writeManifest(
  store: ObjectStore,
  sealer: Sealer,
  manifest: BackupManifest,
): Promise<void> {
  const name = manifestObject(manifest.id);
  await store.put(name, sealer.seal(name, Buffer.from(JSON.stringify(manifest))));
}

function parseManifest(name: string, text: string): BackupManifest {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw broken(name);
  }
  if (!isManifest(value) || manifestObject(value.id) !== name) throw broken(name);
  return value;
}

function isManifest(value: unknown): value is BackupManifest {
  if (typeof value !== "object" || value === null) return false;
  const it = value as Record<string, unknown>;
  const keys = it["keys"] as Record<string, unknown> | null | undefined;
  const chunks = it["chunks"];
  return (
    it["format"] === 1 &&
    typeof it["id"] === "string" &&
    typeof it["snapshot"] === "number" &&
    (it["parent"] === undefined || typeof it["parent"] === "string") &&
    ["root", "etc", "var"].every((part) => typeof keys?.[part] === "string") &&
    typeof it["description"] === "string" &&
    typeof it["createdMs"] === "number" &&
    typeof it["bytes"] === "number" &&
    Array.isArray(chunks) &&
    chunks.every(isChunk)
  );
}

function isChunk(value: unknown): boolean {
  const it = value as { name?: unknown; bytes?: unknown } | null;
  return /^[0-9a-f]{64}$/.test(String(it?.name)) && typeof it?.bytes === "number";
}

function broken(name: string): Fault {
  return new Fault({
    code: "E_INTEGRITY",
    message: `Cannot use the object "${name}" of the backups: it describes no backup`,
    hint: "was it made by a later version of rastos?",
  });
}
