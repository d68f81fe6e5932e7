import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import {
  cloneAt,
  copyAt,
  HERE,
  linkAt,
  makeFolderAt,
  openFolderAt,
  setModeAt,
  writeNewFileAt,
} from "../../kit/fs/at.ts";
import { must, systemFault } from "./faults.ts";
import type { Layout } from "./layout.ts";

/** How files come from the store into an environment. */
export type LinkMode = "clone" | "hardlink" | "copy";

/** One distribution to be staged: plain data, so that a worker can be told. */
export interface StageJob {
  /** For messages. */
  readonly name: string;
  /** The unpacked wheel, absolute. */
  readonly tree: string;
  /** Where the wheel's root goes, relative to the staging folder. */
  readonly site: string;
  /** Relative to the staging folder, parents first. */
  readonly folders: readonly string[];
  /** Of the same path in the tree and below `site`. */
  readonly plain: readonly string[];
  /** Those of `plain` that may be executed. */
  readonly executables: readonly string[];
  readonly moved: readonly {
    readonly source: string;
    readonly target: string;
    readonly executable: boolean;
    readonly needsMode: boolean;
  }[];
  readonly written: readonly {
    readonly target: string;
    readonly content: string | Uint8Array;
    readonly executable: boolean;
  }[];
}

/** What a layout means for the staging folder. */
export function stageJob(layout: Layout, skips: ReadonlySet<string> | undefined): StageJob {
  const { item, site, folders, plain, moved, written } = layout;
  const isWanted = (target: string): boolean => skips === undefined || !skips.has(target);
  const wanted = skips === undefined ? plain : plain.filter((f) => isWanted(`${site}/${f.path}`));
  return {
    name: item.wheel.name,
    tree: item.wheel.folder,
    site,
    folders,
    plain: wanted.map(({ path }) => path),
    executables: wanted.filter(({ executable }) => executable).map(({ path }) => path),
    moved: moved.filter(({ target }) => isWanted(target)),
    written: written.filter(({ target }) => isWanted(target)),
  };
}

/**
 * Brings a distribution's files into the staging folder.
 *
 * @returns the link mode that worked, for the next one
 * @throws {Fault} E_IO, E_NO_SPACE or E_PRIVILEGE; what was staged by then is left there
 */
export function stage(job: StageJob, staging: string, mode: LinkMode): LinkMode {
  const root = must(openFolderAt(HERE, staging), "open", staging);
  try {
    for (const folder of job.folders) {
      const made = makeFolderAt(root, folder);
      if (made !== -errno.EEXIST) must(made, "make", folder);
    }
    const used = stageLinks(job, root, mode);
    for (const { target, content, executable } of job.written) {
      const written = writeNewFileAt(root, target, content, { mode: modeOf(executable) });
      must(written, "write", target);
    }
    return used;
  } finally {
    sys.close(root);
  }
}

function stageLinks(job: StageJob, root: number, mode: LinkMode): LinkMode {
  const tree = must(openFolderAt(HERE, job.tree), "open", job.tree);
  const site = openFolderAt(root, job.site);
  try {
    if (job.plain.length > 0) must(site, "open", job.site);
    const linker = new Linker(tree, mode);
    const executables = new Set(job.executables);
    for (const path of job.plain) {
      linker.bring(path, site, path, executables.size > 0 && executables.has(path));
    }
    for (const { source, target, executable, needsMode } of job.moved) {
      if (needsMode) bringExecutable(tree, source, root, target);
      else linker.bring(source, root, target, executable);
    }
    return linker.mode;
  } finally {
    sys.close(tree);
    if (site >= 0) sys.close(site);
  }
}

/** The store's own file must not get permissions that its wheel did not give it: a copy. */
function bringExecutable(tree: number, source: string, root: number, target: string): void {
  must(copyAt(tree, source, root, target, modeOf(true)), "write", target);
  must(setModeAt(root, target, modeOf(true) & ~currentUmask()), "change the mode of", target);
}

function currentUmask(): number {
  const mask = sys.umask(0o077);
  sys.umask(mask);
  return mask;
}

function modeOf(executable: boolean): number {
  return executable ? 0o777 : 0o666;
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

/** Tries the given way first, and keeps to what works. */
class Linker {
  readonly #tree: number;
  mode: LinkMode;

  constructor(tree: number, mode: LinkMode) {
    this.#tree = tree;
    this.mode = mode;
  }

  bring(source: string, folder: number, target: string, executable: boolean): void {
    for (;;) {
      const result = this.#attempt(source, folder, target, executable);
      if (result >= 0) return;
      if (this.mode === "copy" || !UNABLE.has(result)) throw systemFault("write", target, result);
      // A file with too many names already says nothing of the next one.
      if (result === -errno.EMLINK) {
        must(copyAt(this.#tree, source, folder, target, modeOf(executable)), "write", target);
        return;
      }
      this.mode = this.mode === "clone" ? "hardlink" : "copy";
    }
  }

  #attempt(source: string, folder: number, target: string, executable: boolean): number {
    switch (this.mode) {
      case "clone":
        return cloneAt(this.#tree, source, folder, target, modeOf(executable));
      case "hardlink":
        return linkAt(this.#tree, source, folder, target);
      case "copy":
        return copyAt(this.#tree, source, folder, target, modeOf(executable));
    }
  }
}
