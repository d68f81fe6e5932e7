import type { RetentionRules } from "../snapshot/retention.ts";

/** Where backups are kept. */
export type StorageConfig =
  | { readonly kind: "local"; readonly path: string }
  | {
      readonly kind: "s3";
      readonly bucket: string;
      readonly region: string;
      /** Of a compatible server; undefined: that of AWS. */
      readonly endpoint: string | undefined;
      /** Undefined: of the environment, AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY. */
      readonly accessKeyId: string | undefined;
      readonly secretAccessKey: string | undefined;
      /** Before every name, such as "machines/one/". */
      readonly prefix: string;
    };

/** What backup.toml says, whichever of its shapes it has. */
export interface BackupConfig {
  readonly storage: StorageConfig;
  /** File with the key; undefined: backups are not encrypted. */
  readonly keyPath: string | undefined;
  readonly retention: RetentionRules;
  /** Pieces that are written at once. */
  readonly uploads: number;
  /** Of the stream in one object, bytes. */
  readonly chunkBytes: number;
  /** Of zstd; undefined: not compressed. */
  readonly compressionLevel: number | undefined;
  /** Bytes per second over all uploads; undefined: no limit. */
  readonly bytesPerSecond: number | undefined;
}

/** One piece of a stream: an object that is named by its content. */
export interface ChunkRef {
  /** SHA-256 of the content, keyed where backups are encrypted; hexadecimal. */
  readonly name: string;
  /** Bytes of the content. */
  readonly bytes: number;
}

/** One backup: a snapshot as it was sent. */
export interface BackupManifest {
  readonly format: 1;
  readonly id: string;
  /** Number that the snapshot had. */
  readonly snapshot: number;
  /** Backup that holds what this one builds upon; undefined: it is whole by itself. */
  readonly parent: string | undefined;
  /** What the snapshot is known by on every machine. */
  readonly keys: { readonly root: string; readonly etc: string; readonly var: string };
  readonly description: string;
  /** Milliseconds since 1970. */
  readonly createdMs: number;
  /** Bytes of the stream. */
  readonly bytes: number;
  readonly chunks: readonly ChunkRef[];
}

/** A place for objects: whole, or not there. */
export interface ObjectStore {
  /** For messages. */
  readonly name: string;
  put(name: string, bytes: Uint8Array): Promise<void>;
  /** @throws {Fault} E_NOT_FOUND, E_IO, E_NETWORK */
  get(name: string): Promise<Uint8Array>;
  list(prefix: string): Promise<readonly StoredObject[]>;
  remove(name: string): Promise<void>;
}

/** An object that is there. */
export interface StoredObject {
  readonly name: string;
  readonly bytes: number;
  /** When it was written, milliseconds since 1970. */
  readonly writtenMs: number;
}
