import { DT, S } from "../../../ffi/abi/constants.ts";
import { sys } from "../../../ffi/sys.ts";
import { openFolderBelow } from "./backup.ts";
import { forEachName } from "./listing.ts";
import type { Root } from "./roots.ts";
import type { Thread } from "./thread.ts";

/** What there is to do in all: at least so much, until `isFinal`. */
export type Totals = { readonly items: number; readonly bytes: number; readonly isFinal: boolean };

/** Names looked at before the clock is asked again. */
const namesPerLook = 64;

/**
 * Runs ahead of a long transfer and counts, so that a person sees how much is left. It works on the
 * main thread, in small steps, and only while somebody watches.
 */
export class Scout {
  #items = 0;
  #bytes = 0;
  #isFinal = false;
  readonly #walk: Generator<undefined, void>;

  constructor(t: Thread, roots: readonly Root[]) {
    this.#walk = this.#count(t, roots);
  }

  get totals(): Totals {
    return { items: this.#items, bytes: this.#bytes, isFinal: this.#isFinal };
  }

  /** Counts on for about `budgetMs`. */
  step(budgetMs: number): void {
    const end = performance.now() + budgetMs;
    while (!this.#isFinal && performance.now() < end) {
      if (this.#walk.next().done === true) this.#isFinal = true;
    }
  }

  *#count(t: Thread, roots: readonly Root[]): Generator<undefined, void> {
    for (const root of roots) {
      if (root.kind === "entry") this.#look(t, root.sourceFd, root.sourceName);
      else yield* this.#countFolders(t, root.sourceFd);
    }
  }

  *#countFolders(t: Thread, rootFd: number): Generator<undefined, void> {
    const folders = [""];
    for (let path = folders.pop(); path !== undefined; path = folders.pop()) {
      const fd = openFolderBelow(t, rootFd, path, { make: false });
      if (fd < 0) continue;
      try {
        yield* this.#countEntries(t, fd, path, folders);
      } finally {
        sys.close(fd);
      }
    }
  }

  *#countEntries(
    t: Thread,
    fd: number,
    path: string,
    folders: string[],
  ): Generator<undefined, void> {
    const names: string[] = [];
    forEachName(t, fd, (offset, length, type) => {
      const name = t.dirents.text.latin1Slice(offset, offset + length);
      const below = path === "" ? name : `${path}/${name}`;
      const isFolder = type === DT.DIR;
      if (t.filter?.isExcluded(below, isFolder) === true) return;
      if (isFolder) folders.push(below);
      else names.push(name);
    });
    for (const [index, name] of names.entries()) {
      this.#look(t, fd, name);
      if (index % namesPerLook === 0) yield;
    }
    yield;
  }

  #look(t: Thread, fd: number, name: string): void {
    if (t.statAt(fd, t.cName(name), t.other) < 0) return;
    this.#items++;
    if ((t.other.mode & S.IFMT) === S.IFREG) this.#bytes += t.other.sizeBytes;
  }
}

/** A transfer of less than this is over before anybody has read a total. */
const startAfterMs = 1000;
/** How the scout shares the main thread with everything else. */
const stepMs = 6;
const pauseMs = 20;

/** Sends a scout ahead of a transfer, for who wants its totals. Returns the way to call it back. */
export function sendScout(
  t: Thread,
  roots: readonly Root[],
  onTotals: ((totals: Totals) => void) | undefined,
): () => void {
  if (onTotals === undefined) return () => {};
  const scout = new Scout(t, roots);
  let timer: Timer;
  const look = (): void => {
    scout.step(stepMs);
    onTotals(scout.totals);
    if (!scout.totals.isFinal) timer = setTimeout(look, pauseMs);
  };
  timer = setTimeout(look, startAfterMs);
  return () => clearTimeout(timer);
}
