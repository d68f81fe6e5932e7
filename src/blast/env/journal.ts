import type { PackageName } from "../pep/name.ts";

/**
 * The journal of a transaction: written, and on the disk, before anything of the environment is
 * touched; afterwards the record of what was done.
 */

/** From where to where, relative to the environment's root. */
export type Move = readonly [from: string, to: string];

/** A distribution as the history knows it. */
export interface JournalPackage {
  readonly name: PackageName;
  readonly version: string;
  readonly distInfo: string;
  readonly requested: boolean;
  /** Key in the wheel store; absent where another installer put it there. */
  readonly sha256?: string;
  /** direct_url.json, word for word. */
  readonly directUrl?: string;
}

/** A file outside of the environment that says what is wanted, such as pyproject.toml. */
export interface ManifestChange {
  /** Absolute. */
  readonly path: string;
  /** Null: the file was not there, or is to be removed. */
  readonly before: string | null;
  readonly after: string | null;
}

/** What one transaction does. */
export interface Journal {
  readonly format: 1;
  readonly number: number;
  /** Milliseconds since 1970. */
  readonly timeMs: number;
  /** The boot of the machine: what was written in an earlier one has reached the disk, or never. */
  readonly boot: string;
  /** As the user typed it, for messages. */
  readonly command: string;
  readonly removed: readonly JournalPackage[];
  readonly installed: readonly JournalPackage[];
  /** Old files out of the way, in this order. */
  readonly asides: readonly Move[];
  /** New files into their places, in this order, after the others. */
  readonly places: readonly Move[];
  readonly manifests: readonly ManifestChange[];
  /** Packages that were there already and are asked for now, or not any more. */
  readonly marked?: readonly {
    readonly name: PackageName;
    readonly distInfo: string;
    /** Of the dist-info folder, relative to the environment's root. */
    readonly path: string;
    readonly requested: boolean;
  }[];
  /** The number of the transaction that this one took back. */
  readonly undoes?: number;
  /** All that blast has installed, as of the end of this transaction. */
  readonly packages: readonly JournalPackage[];
}

/** The text of a journal. */
export function formatJournal(journal: Journal): string {
  return `${JSON.stringify(journal)}\n`;
}

/** Whether a journal was written to its end, whatever its format. */
export function isWholeJournal(text: string): boolean {
  // The line break is the last byte that is written.
  return text.endsWith("\n");
}

/** Reads a journal; undefined where it is cut off, or of a format that is not known. */
export function parseJournal(text: string): Journal | undefined {
  if (!isWholeJournal(text)) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const journal = value as Partial<Journal> | null;
  if (journal === null || typeof journal !== "object" || journal.format !== 1) return undefined;
  const lists = [
    journal.removed,
    journal.installed,
    journal.asides,
    journal.places,
    journal.manifests,
    journal.packages,
  ];
  if (!lists.every(Array.isArray) || typeof journal.number !== "number") return undefined;
  const moves = [...(journal.asides ?? []), ...(journal.places ?? [])];
  const marked = journal.marked ?? [];
  if (!Array.isArray(marked) || !marked.every(({ path }) => isInside(path))) return undefined;
  return moves.every(isMove) ? (journal as Journal) : undefined;
}

/** Inside of the environment on either side: one that was tampered with moves nothing else. */
function isMove(move: unknown): boolean {
  return Array.isArray(move) && move.length === 2 && move.every(isInside);
}

function isInside(path: unknown): boolean {
  if (typeof path !== "string" || path === "" || path.startsWith("/")) return false;
  return !path.split("/").includes("..");
}
