import type { Base } from "../session/types.ts";
import { IssueList } from "./issues.ts";
import { diskBytesOf, look } from "./look.ts";
import { openPlace } from "./open-place.ts";
import { Slice } from "./pace.ts";
import { TreeWalk } from "./tree-walk.ts";
import type { EntryKind, Usage, UsageChunk } from "./types.ts";

const chunkUsages = 500;
/** Files of several names that are told apart; more of them count with each of their names. */
const linkedFilesMax = 1_000_000;

/**
 * How much space a place takes, and each folder below it down to `depth` levels; what is deeper
 * comes first and the place itself last, with the path "".
 *
 * @throws {Fault} where the place cannot be opened
 */
export function* diskUsage(
  base: Base,
  path: string,
  depth: number,
): Generator<UsageChunk | undefined> {
  using place = openPlace(base, path, "measure");
  const meter = new Meter(depth);
  if (place.entry.kind !== "folder") {
    look().statFd(place.fd);
    yield { usages: [meter.single()], issues: [] };
    return;
  }
  const walk = new TreeWalk(place.take(), meter);
  const slice = new Slice();
  meter.entered(walk);
  try {
    while (walk.step()) {
      if (meter.usages.length >= chunkUsages) yield meter.take();
      else if (slice.isOver()) yield undefined;
    }
    yield meter.take();
  } finally {
    walk.close();
  }
}

type Sum = { bytes: number; diskBytes: number; files: number; folders: number };

class Meter {
  usages: Usage[] = [];
  readonly #issues = new IssueList();
  readonly #depth: number;
  /** One sum for each folder from the start down to the one at hand. */
  readonly #sums: Sum[] = [];
  readonly #seen = new Set<string>();

  constructor(depth: number) {
    this.#depth = depth;
  }

  take(): UsageChunk {
    const { usages } = this;
    this.usages = [];
    return { usages, issues: this.#issues.take() };
  }

  /** Of what is no folder: the status at hand. */
  single(): Usage {
    const { status } = look();
    const bytes = status.sizeBytes;
    return { path: "", bytes, diskBytes: diskBytesOf(status), files: 1, folders: 0 };
  }

  entry(walk: TreeWalk, name: string, kind: EntryKind): boolean {
    // A folder is counted when it is entered: then it is one for certain.
    if (kind === "folder") return true;
    const memory = look();
    const result = memory.statName(walk.fd, name);
    if (result < 0) {
      this.#issues.failed(result, "statx", walk.pathOf(name), "measure");
      return false;
    }
    const sum = this.#sums.at(-1);
    const { status } = memory;
    if (sum === undefined || !this.#isFirst()) return false;
    sum.files += 1;
    sum.bytes += status.sizeBytes;
    sum.diskBytes += diskBytesOf(status);
    return true;
  }

  /** Whether the file at hand is met for the first time. */
  #isFirst(): boolean {
    const { status } = look();
    if (status.nlink < 2) return true;
    const identity = `${status.dev}:${status.inoHigh}:${status.inoLow}`;
    if (this.#seen.has(identity)) return false;
    if (this.#seen.size < linkedFilesMax) this.#seen.add(identity);
    return true;
  }

  entered(walk: TreeWalk): void {
    const memory = look();
    const known = memory.statFd(walk.fd) === 0;
    const diskBytes = known ? diskBytesOf(memory.status) : 0;
    this.#sums.push({ bytes: 0, diskBytes, files: 0, folders: 1 });
  }

  leaving(walk: TreeWalk): boolean {
    const sum = this.#sums.pop();
    if (sum === undefined) return false;
    if (walk.depth <= this.#depth) this.usages.push({ path: walk.path(), ...sum });
    const above = this.#sums.at(-1);
    if (above !== undefined) {
      above.bytes += sum.bytes;
      above.diskBytes += sum.diskBytes;
      above.files += sum.files;
      above.folders += sum.folders;
    }
    return false;
  }

  left(): void {}

  failed(walk: TreeWalk, name: string | undefined, call: string, result: number): void {
    const path = name === undefined ? walk.path() : walk.pathOf(name);
    this.#issues.failed(result, call, path, "measure");
  }
}
