import type { PackageName } from "../pep/name.ts";
import type { Version } from "../pep/version.ts";

/** A file of an unpacked wheel. */
export interface StoredFile {
  /** Below the wheel's folder, with `/`. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** As RECORD writes it: urlsafe base64 without padding. */
  readonly sha256: string;
  readonly executable: boolean;
}

/** A wheel of the store, unpacked and verified. What is asked for is read when it is asked for. */
export interface StoredWheel {
  /** Of the archive, in hexadecimal. */
  readonly sha256: string;
  /** Absolute path of the folder that holds its files. */
  readonly folder: string;
  readonly name: PackageName;
  readonly version: Version;
  /** "foo-1.0.dist-info" */
  readonly distInfo: string;
  /** "foo-1.0.data", where it has one. */
  readonly dataFolder?: string;
  readonly rootIsPurelib: boolean;
  /** As WHEEL lists them. */
  readonly tags: readonly string[];
  /** Things worth telling, such as a newer format. */
  readonly warnings: readonly string[];
  /** How many `files` there are: told without looking at them. */
  readonly fileCount: number;
  /** Every file, with the wheel's own RECORD, grouped by folder. */
  readonly files: readonly StoredFile[];
  /** Parents first. */
  readonly folders: readonly string[];
  /**
   * The paths of all files in UTF-8, in the order of `files`, each with a NUL behind it: ready to
   * be handed to system calls as they lie.
   */
  readonly pathBytes: Uint8Array;
  /** Of all files. */
  readonly totalBytes: number;
  /**
   * The METADATA as it was in the archive.
   * @throws {Fault} E_IO, or E_INTEGRITY where the file has been changed in the store
   */
  metadataText(): string;
}
