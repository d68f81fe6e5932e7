import { AT, O } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { Fd } from "../../../ffi/fd.ts";
import { sys } from "../../../ffi/sys.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { displayPath } from "../engine/path.ts";
import { openBeneath } from "../session/open-beneath.ts";
import type { Base } from "../session/types.ts";
import { IssueList, placeFault } from "./issues.ts";
import { kindOfMode, look } from "./look.ts";
import { pathWithin } from "./open-place.ts";
import { Slice } from "./pace.ts";
import { refuseTarget } from "./purge-guards.ts";
import { TreeWalk } from "./tree-walk.ts";
import type { EntryKind, PurgeChunk, PurgeQuery } from "./types.ts";

/** One of the paths to remove. */
type Target = {
  /** As asked for. */
  readonly path: string;
  /** The folder that holds it. */
  readonly folder: Fd;
  readonly name: string;
  readonly kind: EntryKind;
  readonly bytes: number;
};

/**
 * Removes entries, with all below them where `isRecursive` says so. Everything that can be refused
 * is refused before the first removal. No symbolic link is followed behind the path's last slash,
 * and nothing on another mount than the path's folder is touched.
 *
 * @throws {Fault} E_NOT_FOUND; E_REFUSED: the root, a mount point, a folder without `isRecursive`,
 *   what leads out of the base; E_CONFIRM: there is more than was agreed to
 */
export function* purge(base: Base, query: PurgeQuery): Generator<PurgeChunk | undefined> {
  using targets = new Targets(base, query);
  const issues = new IssueList();
  const count = new Sums();
  for (const target of targets.list) {
    yield* steps(target, new Counter(count, issues), count, issues);
  }
  const { isDryRun, agreedEntries } = query;
  if (isDryRun) {
    yield { ...count.figures, issues: issues.take(), isDone: true };
    return;
  }
  if (agreedEntries !== undefined && count.entries > agreedEntries) {
    throw new Fault({
      code: "E_CONFIRM",
      message:
        `Cannot remove: there are ${count.entries} entries by now, ` +
        `and ${agreedEntries} were agreed to`,
      hint: "nothing was removed; ask again",
    });
  }
  // What could not be looked at is told when it cannot be removed.
  const problems = new IssueList();
  const removed = new Sums();
  for (const target of targets.list) {
    yield* steps(target, new Remover(removed, problems), removed, problems);
  }
  yield { ...removed.figures, issues: problems.take(), isDone: true };
}

class Sums {
  entries = 0;
  bytes = 0;

  get figures(): { entries: number; bytes: number } {
    return { entries: this.entries, bytes: this.bytes };
  }
}

/** Resolved paths, whose folders stay open until the end: nothing is resolved twice. */
class Targets {
  readonly list: Target[] = [];
  /** By their paths: most entries of one removal lie in the same one. */
  readonly #folders = new Map<string, Fd>();

  constructor(base: Base, query: PurgeQuery) {
    try {
      for (const path of query.paths) this.#add(base, path, query.isRecursive);
    } catch (error) {
      this[Symbol.dispose]();
      throw error;
    }
  }

  #add(base: Base, path: string, isRecursive: boolean): void {
    const within = pathWithin(base, path);
    const trimmed = within.replace(/\/+$/, "");
    const slash = trimmed.lastIndexOf("/");
    const name = trimmed.slice(slash + 1);
    if (name === "" || name === "." || name === "..") throw refused(path, "it names no entry");
    const above = slash < 0 ? "." : within.slice(0, slash + 1);
    const folder = this.#folderAt(base, above, path);
    this.list.push({ path, folder, name, ...this.#lookAt(path, folder, name, isRecursive) });
  }

  #folderAt(base: Base, above: string, path: string): Fd {
    const known = this.#folders.get(above);
    if (known !== undefined) return known;
    const folder = new Fd(openBeneath(base, above, O.PATH | O.DIRECTORY | O.CLOEXEC));
    if (!folder.isOpen) throw placeFault(folder.number, "remove", path);
    this.#folders.set(above, folder);
    return folder;
  }

  #lookAt(path: string, folder: Fd, name: string, isRecursive: boolean) {
    const memory = look();
    const looked = memory.statFd(folder.number);
    if (looked < 0) throw placeFault(looked, "remove", path);
    const mount = memory.status.mntId;
    const result = memory.statName(folder.number, name);
    if (result < 0) throw placeFault(result, "remove", path);
    const { status } = memory;
    const kind = kindOfMode(status.mode);
    if (status.mntId !== mount) throw refused(path, "another file system is mounted there");
    if (kind === "symlink" && path.endsWith("/")) {
      throw refused(path, "it is a symbolic link", "without the slash the link itself is removed");
    }
    if (kind === "folder") {
      const recursive = "--recursive removes a folder with all that is in it";
      if (!isRecursive) throw refused(path, "it is a folder", recursive);
      refuseTarget(path, folder.number, name);
    }
    return { kind, bytes: kind === "file" ? status.sizeBytes : 0 };
  }

  [Symbol.dispose](): void {
    for (const folder of this.#folders.values()) folder.close();
    this.#folders.clear();
  }
}

function refused(path: string, why: string, hint?: string): Fault {
  const message = `Cannot remove "${displayPath(path === "" ? "." : path)}": ${why}`;
  return new Fault({ code: "E_REFUSED", message, hint });
}

/** Goes through one target, telling how far it is now and then. */
function* steps(
  target: Target,
  worker: Counter | Remover,
  sums: Sums,
  issues: IssueList,
): Generator<PurgeChunk | undefined> {
  if (target.kind !== "folder") {
    worker.single(target);
    return;
  }
  const fd = look().openFolder(target.folder.number, target.name);
  if (fd < 0) {
    issues.failed(fd, "openat", target.path, "remove");
    return;
  }
  const walk = new TreeWalk(fd, worker.on(target, fd));
  const slice = new Slice();
  try {
    while (walk.step()) {
      if (!slice.isOver()) continue;
      if (worker.tells) yield { ...sums.figures, issues: issues.take(), isDone: false };
      yield undefined;
    }
  } finally {
    walk.close();
  }
  worker.finish(target);
}

/** What counting and removing have in common: staying on one mount, and naming what fails. */
class Sweep {
  protected readonly sums: Sums;
  protected readonly issues: IssueList;
  #target = "";
  #mount = 0;

  constructor(sums: Sums, issues: IssueList) {
    this.sums = sums;
    this.issues = issues;
  }

  on(target: Target, fd: number): this {
    this.#target = target.path.replace(/\/+$/, "");
    this.#mount = look().statFd(fd) === 0 ? look().status.mntId : -1;
    return this;
  }

  /** Whether the entry that was just looked at lies on the target's mount; reports it if not. */
  protected isOnMount(walk: TreeWalk, name: string): boolean {
    if (look().status.mntId === this.#mount) return true;
    this.issues.add({
      kind: "skipped",
      path: this.pathOf(walk, name),
      code: "EXDEV",
      call: undefined,
      message: `Not removed: another file system is mounted on "${displayPath(name)}"`,
    });
    return false;
  }

  protected pathOf(walk: TreeWalk, name: string | undefined): string {
    const below = name === undefined ? walk.path() : walk.pathOf(name);
    return below === "" ? this.#target : `${this.#target}/${below}`;
  }

  /** Looks at an entry; reports where that fails or it is another mount's. */
  protected canTouch(walk: TreeWalk, name: string): boolean {
    const result = look().statName(walk.fd, name);
    if (result === 0) return this.isOnMount(walk, name);
    this.failed(walk, name, "statx", result);
    return false;
  }

  entered(): void {}

  failed(walk: TreeWalk, name: string | undefined, call: string, result: number): void {
    this.issues.failed(result, call, this.pathOf(walk, name), "remove");
  }
}

class Counter extends Sweep {
  readonly tells = false;

  single(target: Target): void {
    this.sums.entries += 1;
    this.sums.bytes += target.bytes;
  }

  entry(walk: TreeWalk, name: string, kind: EntryKind): boolean {
    if (!this.canTouch(walk, name)) return false;
    this.sums.entries += 1;
    if (kind === "file") this.sums.bytes += look().status.sizeBytes;
    return true;
  }

  leaving(): boolean {
    return false;
  }

  left(): void {}

  /** The folder itself. */
  finish(target: Target): void {
    this.single(target);
  }
}

class Remover extends Sweep {
  readonly tells = true;
  /** Entries that went since the folder at hand was read from its beginning, by depth. */
  readonly #gone: number[] = [];

  single(target: Target): void {
    this.#remove(target.folder.number, target.name, 0, target.bytes, () => target.path);
  }

  entry(walk: TreeWalk, name: string, kind: EntryKind): boolean {
    if (!this.canTouch(walk, name)) return false;
    if (kind === "folder") return true;
    const bytes = kind === "file" ? look().status.sizeBytes : 0;
    this.#goneAt(
      walk.depth,
      this.#remove(walk.fd, name, 0, bytes, () => this.pathOf(walk, name)),
    );
    return false;
  }

  /** Some file systems leave out entries while others go: what has lost any is read once more. */
  leaving(walk: TreeWalk): boolean {
    const gone = this.#gone[walk.depth] ?? 0;
    this.#gone[walk.depth] = 0;
    return gone > 0;
  }

  left(walk: TreeWalk, name: string): void {
    const flags = AT.REMOVEDIR;
    this.#goneAt(
      walk.depth,
      this.#remove(walk.fd, name, flags, 0, () => this.pathOf(walk, name)),
    );
  }

  finish(target: Target): void {
    this.#remove(target.folder.number, target.name, AT.REMOVEDIR, 0, () => target.path);
  }

  #goneAt(depth: number, isGone: boolean): void {
    if (isGone) this.#gone[depth] = (this.#gone[depth] ?? 0) + 1;
  }

  #remove(fd: number, name: string, flags: number, bytes: number, path: () => string): boolean {
    const result = sys.unlinkat(fd, look().name(name), flags);
    if (result === 0) {
      this.sums.entries += 1;
      this.sums.bytes += bytes;
      return true;
    }
    // Somebody else was faster: it is gone, which is what was asked for.
    if (result !== -errno.ENOENT) this.issues.failed(result, "unlinkat", path(), "remove");
    return false;
  }
}
