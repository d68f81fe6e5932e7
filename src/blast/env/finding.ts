import type { PackageName } from "../pep/name.ts";

/** What `blast check` finds wrong. */
export type FindingKind =
  /** A file of RECORD is not there. */
  | "missing"
  /** A file is not what RECORD, or the store, says. */
  | "changed"
  /** A file in site-packages belongs to no package. */
  | "foreign"
  /** Two packages own a file, and differ in what it should be. */
  | "doubly-owned"
  /** RECORD lists something outside of the environment. */
  | "outside"
  /** A dist-info without RECORD, METADATA, or a readable name. */
  | "broken-record"
  /** Two distributions of one name. */
  | "duplicate"
  /** A script names an interpreter that is not there, or another environment's. */
  | "broken-script"
  /** A requirement of a package is not installed. */
  | "unmet"
  /** A requirement of a package is installed in a version that does not fit. */
  | "conflict"
  /** The base Python was removed. */
  | "interpreter-gone"
  /** The base Python is another one than the environment was made for. */
  | "interpreter-changed"
  /** An earlier command was cut short, and its changes are to be taken back. */
  | "interrupted";

/** One thing that is wrong. */
export interface Finding {
  readonly kind: FindingKind;
  /** A sentence without full stop, values in quotes. */
  readonly message: string;
  /** Relative to the environment's root. */
  readonly path?: string;
  /** Whom it concerns; two where two own a file. */
  readonly packages: readonly PackageName[];
}
