import { ptr } from "bun:ffi";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { cloneAt, copyAt, HERE, linkAt, makeFoldersAt, openFolderAt } from "../../kit/fs/at.ts";
import { must, systemFault } from "./faults.ts";

/** How files come from the store into an environment. */
export type LinkMode = "clone" | "hardlink" | "copy";

/** What is to be done with a file; one byte each. */
export const LINK_FLAG = { skip: 1, executable: 2 } as const;

/**
 * Files that go to the same paths in the environment as in the store. Paths are C strings one after
 * the other, so the calls take them as they lie; the memory may be shared by threads.
 */
export interface LinkList {
  /** The staging folder, absolute. */
  readonly staging: string;
  readonly paths: Uint8Array;
  /** {@link LINK_FLAG}, by the number of the file. */
  readonly flags: Uint8Array;
  readonly units: readonly LinkUnit[];
  /** How many files are to be linked. */
  readonly files: number;
  /** How many units are begun, in all and from either end, and whether one has failed. */
  readonly progress: Int32Array;
}

/** A piece of work: files of one wheel. */
export interface LinkUnit {
  /** The unpacked wheel, absolute. */
  readonly tree: string;
  /** Where its root goes, relative to the staging folder. */
  readonly site: string;
  /** Into `paths`. */
  readonly start: number;
  readonly end: number;
  /** Number of the first file. */
  readonly first: number;
}

/** What one wheel has to link. */
export interface LinkSource {
  readonly tree: string;
  readonly site: string;
  readonly pathBytes: Uint8Array;
  readonly flags: Uint8Array;
}

/** So many files are done at a time: few enough that no thread waits long for the last one. */
const UNIT_FILES = 256;
/** Into `progress`. */
const BEGUN = 0;
const FAILED = 1;
const FROM_START = 2;
const FROM_END = 3;

/** Puts the files of several wheels into one list. */
export function linkList(staging: string, sources: readonly LinkSource[]): LinkList {
  const bytes = sources.reduce((sum, { pathBytes }) => sum + pathBytes.length, 0);
  const files = sources.reduce((sum, { flags }) => sum + flags.length, 0);
  const paths = new Uint8Array(new SharedArrayBuffer(Math.max(1, bytes)));
  const flags = new Uint8Array(new SharedArrayBuffer(Math.max(1, files)));
  const units: LinkUnit[] = [];
  let byte = 0;
  let file = 0;
  for (const source of sources) {
    paths.set(source.pathBytes, byte);
    flags.set(source.flags, file);
    const { tree, site } = source;
    const end = byte + source.pathBytes.length;
    if (byte < end && source.flags.length <= UNIT_FILES) {
      units.push({ tree, site, start: byte, end, first: file });
      byte = end;
      file += source.flags.length;
    }
    while (byte < end) {
      const start = byte;
      const first = file;
      while (byte < end && file - first < UNIT_FILES) {
        byte = paths.indexOf(0, byte) + 1;
        file++;
      }
      units.push({ tree, site, start, end: byte, first });
    }
  }
  const progress = new Int32Array(new SharedArrayBuffer(16));
  let skipped = 0;
  for (let i = 0; i < flags.length; i++) skipped += (flags[i] as number) & LINK_FLAG.skip;
  return { staging, paths, flags, units, files: files - skipped, progress };
}

/**
 * Does units until there are none left; several threads may do so with the same list. Neighbours
 * are of one folder, which the kernel locks: so one thread begins at the start, and others at the
 * end.
 *
 * @returns the link mode that worked
 * @throws {Fault} E_IO, E_NO_SPACE or E_PRIVILEGE; the other threads stop as well then
 */
export function workOnLinks(
  list: LinkList,
  mode: LinkMode,
  side: "start" | "end" = "start",
): LinkMode {
  const { progress } = list;
  let used = mode;
  for (;;) {
    const unit = nextUnit(list, side);
    if (unit === undefined || Atomics.load(progress, FAILED) !== 0) return used;
    try {
      used = linkUnit(list, unit, used);
    } catch (error) {
      Atomics.store(progress, FAILED, 1);
      throw error;
    }
  }
}

function nextUnit({ progress, units }: LinkList, side: "start" | "end"): LinkUnit | undefined {
  // Only so many go ahead as there are units: the two sides never meet in one.
  if (Atomics.add(progress, BEGUN, 1) >= units.length) return undefined;
  if (side === "start") return units[Atomics.add(progress, FROM_START, 1)];
  return units[units.length - 1 - Atomics.add(progress, FROM_END, 1)];
}

/** Does the first unit alone, so that the way that works is known to the others. */
export function tryLinks(list: LinkList, mode: LinkMode): LinkMode {
  const unit = nextUnit(list, "start");
  return unit === undefined ? mode : linkUnit(list, unit, mode);
}

/** Makes the others stop after the unit that they are at. */
export function stopLinks({ progress }: LinkList): void {
  Atomics.store(progress, FAILED, 1);
}

function linkUnit(list: LinkList, unit: LinkUnit, mode: LinkMode): LinkMode {
  const { tree, site, start, end } = unit;
  const staged = `${list.staging}/${site}`;
  const from = must(openFolderAt(HERE, tree), "open", tree);
  const to = openOrMake(staged);
  try {
    const linker = new Linker(from, to, list.paths, mode);
    let { first } = unit;
    for (let byte = start; byte < end; first++) {
      const next = list.paths.indexOf(0, byte) + 1;
      const flag = list.flags[first] as number;
      if ((flag & LINK_FLAG.skip) === 0) linker.bring(byte, next - 1, flag);
      byte = next;
    }
    return linker.mode;
  } finally {
    sys.close(from);
    if (to >= 0) sys.close(to);
  }
}

function openOrMake(folder: string): number {
  const opened = openFolderAt(HERE, folder);
  if (opened !== -errno.ENOENT) return must(opened, "open", folder);
  must(makeFoldersAt(HERE, folder), "make", folder);
  return must(openFolderAt(HERE, folder), "open", folder);
}

/** What says that a file system, or a pair of them, cannot do a thing at all. */
const UNABLE: ReadonlySet<number> = new Set([
  -errno.EXDEV,
  -errno.EOPNOTSUPP,
  -errno.ENOTTY,
  -errno.EINVAL,
  -errno.ENOSYS,
  -errno.EPERM,
  -errno.EACCES,
  -errno.EMLINK,
]);

const SLASH = 0x2f;

/** Tries the given way first, and keeps to what works; makes folders as they come. */
class Linker {
  mode: LinkMode;
  readonly #tree: number;
  readonly #site: number;
  readonly #paths: Uint8Array;
  /** Shared memory stays where it is. */
  readonly #address: number;
  /** The folder that was made last: a range of the bytes. */
  #folderStart = 0;
  #folderLength = 0;

  constructor(tree: number, site: number, paths: Uint8Array, mode: LinkMode) {
    this.#tree = tree;
    this.#site = site;
    this.#paths = paths;
    this.#address = ptr(paths);
    this.mode = mode;
  }

  bring(start: number, end: number, flag: number): void {
    this.#enter(start, end);
    let linked = 0;
    if (this.mode === "hardlink") {
      const address = this.#address + start;
      linked = sys.linkat(this.#tree, address, this.#site, address, 0);
      if (linked === 0) return;
    }
    this.#fall(linked, this.#text(start, end), flag);
  }

  /** Makes the folder of a path, unless the path before was of the same. */
  #enter(start: number, end: number): void {
    const paths = this.#paths;
    let slash = end - 1;
    while (slash > start && paths[slash] !== SLASH) slash--;
    const length = slash - start;
    if (length <= 0 || this.#isLastFolder(start, length)) return;
    this.#folderStart = start;
    this.#folderLength = length;
    // Nobody else works on these bytes.
    paths[slash] = 0;
    const made = sys.mkdirat(this.#site, this.#address + start, 0o777);
    paths[slash] = SLASH;
    if (made === 0 || made === -errno.EEXIST) return;
    const folder = this.#text(start, slash);
    must(made === -errno.ENOENT ? makeFoldersAt(this.#site, folder) : made, "make", folder);
  }

  #isLastFolder(start: number, length: number): boolean {
    if (length !== this.#folderLength) return false;
    const paths = this.#paths;
    const last = this.#folderStart;
    for (let i = length - 1; i >= 0; i--) if (paths[start + i] !== paths[last + i]) return false;
    return true;
  }

  #text(start: number, end: number): string {
    return Buffer.from(this.#paths.subarray(start, end)).toString();
  }

  /** The other ways, from the present one on; `result` is what it said, if it was tried. */
  #fall(result: number, path: string, flag: number): void {
    const permissions = (flag & LINK_FLAG.executable) === 0 ? 0o666 : 0o777;
    let last = result;
    for (;;) {
      if (last < 0) {
        if (!UNABLE.has(last) || this.mode === "copy") throw systemFault("write", path, last);
        // A file with too many names already says nothing of the next one.
        if (last === -errno.EMLINK) {
          must(copyAt(this.#tree, path, this.#site, path, permissions), "write", path);
          return;
        }
        this.mode = this.mode === "clone" ? "hardlink" : "copy";
      }
      last = bringOne(this.mode, this.#tree, path, this.#site, path, permissions);
      if (last >= 0) return;
    }
  }
}

/** One file, in one way; -errno where that does not work. */
export function bringOne(
  mode: LinkMode,
  tree: number,
  source: string,
  folder: number,
  target: string,
  permissions: number,
): number {
  if (mode === "clone") return cloneAt(tree, source, folder, target, permissions);
  if (mode === "copy") return copyAt(tree, source, folder, target, permissions);
  return linkAt(tree, source, folder, target);
}
