import type { PackageName } from "../pep/name.ts";
import type { Version } from "../pep/version.ts";
import type { DirectUrl } from "../project/direct-url.ts";

/** A file of an unpacked wheel. */
export interface WheelFile {
  /** Relative, parts separated by "/". */
  readonly path: string;
  readonly size: number;
  /** As in RECORD: urlsafe base64 without padding. */
  readonly sha256: string;
  readonly executable: boolean;
}

/** What installing needs of an unpacked wheel; the wheel store's StoredWheel is one. */
export interface WheelSource {
  /** Of the archive, in hexadecimal: its key in the store. */
  readonly sha256: string;
  /** Absolute path of the unpacked tree. */
  readonly folder: string;
  readonly name: PackageName;
  readonly version: Version;
  /** `foo-1.0.dist-info`. */
  readonly distInfo: string;
  /** `foo-1.0.data`, if the wheel has one. */
  readonly dataFolder?: string | undefined;
  readonly rootIsPurelib: boolean;
  readonly files: readonly WheelFile[];
  /** The paths of `files` as C strings, one after the other. */
  readonly pathBytes: Uint8Array;
}

/** A distribution to install. */
export interface InstallItem {
  readonly wheel: WheelSource;
  /** Somebody asked for it by name, and not another package. */
  readonly requested: boolean;
  /** Where it came from, if not from an index by name; an editable one says so in it. */
  readonly directUrl?: DirectUrl | undefined;
}
