import { existsSync } from "node:fs";
import type { z } from "zod";
import { loadConfig } from "../../kit/config/load.ts";
import { readTomlFile, type TomlFile } from "../../kit/config/toml.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { backupSchema, cloudSchema, providerSchema } from "./schema.ts";
import type { BackupConfig, StorageConfig } from "./types.ts";

/** Where backup.toml is looked for: the original's two places, then ours. */
export const CONFIG_PATHS = [
  "/etc/rast/backup.toml",
  "/etc/rast/backup/config.toml",
  "/etc/rastos/backup.toml",
] as const;

/** Settings, and what a person should know about them. */
export interface ReadBackupConfig {
  readonly path: string;
  readonly config: BackupConfig;
  readonly notes: readonly string[];
}

/**
 * Reads backup.toml in any of the shapes that the original and its documents have.
 *
 * @param path undefined: the first of CONFIG_PATHS that is there
 * @throws {Fault} E_NOT_FOUND; E_CONFIG with file and line of everything that is wrong
 */
export async function readBackupConfig(path: string | undefined): Promise<ReadBackupConfig> {
  const found = path ?? CONFIG_PATHS.find((each) => existsSync(each));
  const read = found === undefined ? undefined : await readTomlFile(found);
  if (found === undefined || read === undefined) {
    throw new Fault({
      code: "E_NOT_FOUND",
      message:
        path === undefined
          ? `Cannot find a backup.toml: looked for ${CONFIG_PATHS.join(", ")}`
          : `Cannot read "${path}": no such file`,
      hint: "rastos backup init --path /mnt/backups writes one",
    });
  }
  const { config, notes } = await configOf(found, read);
  return { path: found, config, notes };
}

async function configOf(
  path: string,
  read: TomlFile,
): Promise<Pick<ReadBackupConfig, "config" | "notes">> {
  const files = [{ name: "system", path, read }] as const;
  if ("backup" in read.values) {
    const { values } = await loadConfig({ schema: providerSchema, files });
    return { config: ofProvider(values, path), notes: notesOfProvider(values) };
  }
  if ("s3" in read.values) {
    const { values } = await loadConfig({ schema: cloudSchema, files });
    return { config: ofCloud(values), notes: [] };
  }
  const { values } = await loadConfig({ schema: backupSchema, files });
  return { config: ofOriginal(values), notes: [] };
}

const usual = {
  uploads: 4,
  chunkBytes: 8 * 1024 * 1024,
  compressionLevel: 3,
  bytesPerSecond: undefined,
} as const;

const usualKeyPath = "/etc/rast/backup.key";

function ofOriginal(values: z.output<typeof backupSchema>): BackupConfig {
  const { encryption, retention, performance } = values;
  return {
    storage: storageOf(values.storage),
    keyPath: encryption.enabled ? encryption.key_path : undefined,
    retention: {
      last: retention.keep_last,
      daily: retention.keep_daily,
      weekly: retention.keep_weekly,
      monthly: retention.keep_monthly,
      yearly: retention.keep_yearly,
    },
    uploads: performance.max_parallel_uploads,
    chunkBytes: performance.chunk_size,
    compressionLevel: performance.compression ? performance.compression_level : undefined,
    bytesPerSecond: performance.max_bandwidth,
  };
}

function storageOf(storage: z.output<typeof backupSchema>["storage"]): StorageConfig {
  return storage.type === "Local" ? { kind: "local", path: storage.path } : bucketOf(storage);
}

function bucketOf(storage: z.output<typeof cloudSchema>["s3"]): StorageConfig {
  const { bucket, region, endpoint, prefix } = storage;
  const [accessKeyId, secretAccessKey] = [storage.access_key_id, storage.secret_access_key];
  return { kind: "s3", bucket, region, endpoint, accessKeyId, secretAccessKey, prefix };
}

function ofCloud(values: z.output<typeof cloudSchema>): BackupConfig {
  const { s3, encryption, retention } = values;
  const keyPath = encryption.enabled ? encryption.key_path : undefined;
  return { ...usual, storage: bucketOf(s3), keyPath, retention: shortRules(retention) };
}

function shortRules(retention: z.output<typeof cloudSchema>["retention"]) {
  const { keep_last: last, ...rest } = retention;
  return { last, ...rest };
}

function ofProvider(values: z.output<typeof providerSchema>, path: string): BackupConfig {
  const { backup } = values;
  const keyPath = backup.encryption === true ? (backup.key_path ?? usualKeyPath) : undefined;
  const common = { ...usual, keyPath, retention: shortRules(backup.retention) };
  if (backup.provider === "local") {
    return { ...common, storage: { kind: "local", path: backup.path ?? "/var/lib/rast/backups" } };
  }
  const { bucket } = backup;
  if (bucket !== undefined) return { ...common, storage: bucketOf({ ...backup, bucket }) };
  throw new Fault({
    code: "E_CONFIG",
    message: `Cannot use "${path}": backup.bucket is missing, which "${backup.provider}" needs`,
  });
}

function notesOfProvider({ backup }: z.output<typeof providerSchema>): string[] {
  return backup.schedule === undefined
    ? []
    : ["backup.schedule is not used: let a timer run `rastos backup create`"];
}
