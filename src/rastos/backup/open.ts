import { Backups } from "./backups.ts";
import { readKey } from "./key-file.ts";
import { localStore } from "./local-store.ts";
import { createSealer } from "./sealer.ts";
import type { BackupConfig, ObjectStore } from "./types.ts";

/** The backups that a backup.toml tells of. @throws {Fault} of the key */
export async function openBackups(config: BackupConfig): Promise<Backups> {
  const key = config.keyPath === undefined ? undefined : readKey(config.keyPath);
  return new Backups({
    store: await openStore(config),
    sealer: createSealer(key, config.compressionLevel),
    config,
    clock: { nowMs: Date.now, sleep: Bun.sleep },
  });
}

async function openStore({ storage }: BackupConfig): Promise<ObjectStore> {
  if (storage.kind === "local") return localStore(storage.path);
  return (await import("./s3-store.ts")).s3Store(storage);
}
