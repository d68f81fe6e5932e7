import type { Base } from "../session/types.ts";
import { compileNamePattern } from "../tree/name-pattern.ts";
import { IssueList } from "./issues.ts";
import { entryAt } from "./list.ts";
import { openFolder } from "./open-place.ts";
import { Slice } from "./pace.ts";
import { TreeWalk } from "./tree-walk.ts";
import type { AdminEntry, EntryKind, FindChunk, FindQuery } from "./types.ts";

/** Entries that are sent together. */
const chunkEntries = 500;

/**
 * Names the entries below a folder that a query fits, in the order of the walk.
 *
 * @throws {Fault} where the folder cannot be opened; E_USAGE for a pattern that is none
 */
export function* find(
  base: Base,
  path: string,
  query: FindQuery,
): Generator<FindChunk | undefined> {
  const finder = new Finder(query);
  using place = openFolder(base, path, "search");
  const walk = new TreeWalk(place.take(), finder);
  const slice = new Slice();
  try {
    while (!finder.isFull && walk.step()) {
      while (finder.entries.length >= chunkEntries) yield finder.take(chunkEntries);
      if (slice.isOver()) yield finder.hasNews ? finder.take(chunkEntries) : undefined;
    }
    while (finder.hasNews || finder.isCutOff) {
      const last = finder.take(chunkEntries);
      const isLast = !finder.hasNews;
      yield isLast ? { ...last, isCutOff: finder.isCutOff } : last;
      if (isLast) return;
    }
  } finally {
    walk.close();
  }
}

class Finder {
  readonly entries: AdminEntry[] = [];
  readonly #issues = new IssueList();
  readonly #query: FindQuery;
  readonly #fitsName: (name: string) => boolean;
  #found = 0;
  isCutOff = false;

  constructor(query: FindQuery) {
    this.#query = query;
    const { namePattern, foldsCase } = query;
    this.#fitsName =
      namePattern === undefined ? () => true : compileNamePattern(namePattern, foldsCase);
  }

  /** Nothing more is wanted. */
  get isFull(): boolean {
    return this.isCutOff;
  }

  get hasNews(): boolean {
    return this.entries.length > 0 || this.#issues.hasPending;
  }

  take(count: number): FindChunk {
    const entries = this.entries.splice(0, count);
    return { entries, issues: this.#issues.take(), isCutOff: false };
  }

  entry(walk: TreeWalk, name: string, kind: EntryKind): boolean {
    const query = this.#query;
    if (this.isCutOff) return false;
    if ((query.kind !== undefined && query.kind !== kind) || !this.#fitsName(name)) return true;
    const entry = entryAt(walk.fd, name, walk.pathOf(name), this.#issues);
    if (entry === undefined || !fits(query, entry)) return true;
    if (this.#found >= query.resultsMax) {
      this.isCutOff = true;
      return false;
    }
    this.#found += 1;
    this.entries.push(entry);
    return true;
  }

  entered(): void {}

  leaving(): boolean {
    return false;
  }

  left(): void {}

  failed(walk: TreeWalk, name: string | undefined, call: string, result: number): void {
    const path = name === undefined ? walk.path() : walk.pathOf(name);
    this.#issues.failed(result, call, path, "search");
  }
}

function fits(query: FindQuery, entry: AdminEntry): boolean {
  const { sizeMinBytes, sizeMaxBytes, mtimeSinceSec, mtimeUntilSec } = query;
  const isSized = sizeMinBytes > 0 || sizeMaxBytes !== undefined;
  // The size of a folder says nothing about what is in it.
  if (isSized && entry.kind === "folder") return false;
  return (
    entry.sizeBytes >= sizeMinBytes &&
    (sizeMaxBytes === undefined || entry.sizeBytes <= sizeMaxBytes) &&
    (mtimeSinceSec === undefined || entry.mtimeSec >= mtimeSinceSec) &&
    (mtimeUntilSec === undefined || entry.mtimeSec <= mtimeUntilSec)
  );
}
