import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statfsSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { FS_MAGIC } from "../../../ffi/abi/constants.ts";
import { sys } from "../../../ffi/sys.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { writeFileAtomic } from "../../kit/store/atomic.ts";
import { type BootChange, type BootFile, type BootFiles, bootFault } from "./boot-files.ts";

/** What decides how the files of a folder are changed. */
export interface FolderNature {
  /** It is a file system of its own, so there is little to write in all of it. */
  readonly isOwn: boolean;
  readonly isFat: boolean;
}

function natureOf(folder: string): FolderNature {
  return {
    isOwn: statSync(folder).dev !== statSync(dirname(folder)).dev,
    isFat: FS_MAGIC[statfsSync(folder).type] === "vfat",
  };
}

/** The boot partition as a mounted folder. */
export class FolderFiles implements BootFiles {
  readonly shown: string;

  #nature: FolderNature | undefined;

  /**
   * @param folder absolute path of the partition's root
   * @param nature default: as it is; tests take any folder for a FAT
   */
  constructor(folder: string, nature?: FolderNature) {
    this.shown = folder;
    this.#nature = nature;
  }

  list(folder: string): readonly BootFile[] {
    try {
      return readdirSync(this.#at(folder), { withFileTypes: true })
        .map((entry) => ({ name: entry.name, isFolder: entry.isDirectory() }))
        .sort((a, b) => (a.name < b.name ? -1 : 1));
    } catch (error) {
      if (isMissing(error)) return [];
      throw bootFault("list", this.#at(folder), error);
    }
  }

  read(path: string): Uint8Array | undefined {
    try {
      return readFileSync(this.#at(path));
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw bootFault("read", this.#at(path), error);
    }
  }

  write(path: string, content: string | Uint8Array): void {
    this.#makeFolders(dirname(path));
    writeFileAtomic({ path: this.#at(path), content });
  }

  rename(folder: string, from: string, to: string): void {
    this.change([[{ kind: "rename", path: join(folder, from), to: join(folder, to) }]]);
  }

  change(steps: readonly (readonly BootChange[])[]): void {
    const staged = new Map<BootChange, string>();
    try {
      this.#nature ??= this.#attempt("look at", "", () => natureOf(this.shown));
      const { isOwn, isFat } = this.#nature;
      const whole = isOwn ? this.shown : undefined;
      const planned = isFat ? this.#withoutRenames(steps) : steps;
      for (const change of planned.flat()) {
        if (change.kind !== "write") continue;
        const path = this.#stagedPath(change.path);
        staged.set(change, path);
        this.#attempt("write", change.path, () => {
          writeFileSync(path, change.content, { flag: "wx", mode: 0o644 });
        });
      }
      this.#attempt("write", "", () => syncAll(whole, [...staged.values()]));
      for (const step of planned) {
        for (const change of step) this.#do(change, staged.get(change));
        for (const change of step) staged.delete(change);
        const changed = new Set(step.map(({ path }) => dirname(this.#at(path))));
        this.#attempt("write", "", () => syncAll(whole, [...changed]));
      }
    } catch (error) {
      for (const path of staged.values()) rmSync(path, { force: true });
      throw error;
    }
  }

  #do(change: BootChange, staged: string | undefined): void {
    const path = this.#at(change.path);
    this.#attempt(change.kind, change.path, () => {
      if (change.kind === "remove") rmSync(path, { force: true });
      else if (change.kind === "rename") renameSync(path, this.#at(change.to));
      else if (staged !== undefined) renameSync(staged, path);
    });
  }

  /** Where the content of a new file lies until it gets its name; the folder is there. */
  #stagedPath(path: string): string {
    const folder = dirname(path);
    this.#makeFolders(folder);
    const random = Buffer.from(crypto.getRandomValues(new Uint8Array(6))).toString("hex");
    return this.#at(folder, `.${basename(path)}.${random}.tmp`);
  }

  /** A FAT has no rename that survives a power cut: a copy first, and the old name a step later. */
  #withoutRenames(steps: readonly (readonly BootChange[])[]): readonly (readonly BootChange[])[] {
    const planned: BootChange[][] = [];
    let left: BootChange[] = [];
    for (const step of steps) {
      const copied = step.map((change): BootChange => {
        if (change.kind !== "rename") return change;
        const { path, to } = change;
        const read = (): string => readFileSync(this.#at(path), "utf8");
        return { kind: "write", path: to, content: this.#attempt("rename", path, read) };
      });
      planned.push([...left, ...copied]);
      left = step.flatMap((change): BootChange[] =>
        change.kind === "rename" ? [{ kind: "remove", path: change.path }] : [],
      );
    }
    return left.length === 0 ? planned : [...planned, left];
  }

  remove(path: string): void {
    this.#attempt("remove", path, () => {
      rmSync(this.#at(path), { force: true });
      this.#syncFolder(dirname(path));
    });
  }

  removeFolder(path: string): void {
    this.#attempt("remove", path, () => {
      rmSync(this.#at(path), { force: true, recursive: true });
      this.#syncFolder(dirname(path));
    });
  }

  freeBytes(): number {
    return this.#attempt("look at", "", () => {
      const status = statfsSync(this.shown);
      return status.bavail * status.bsize;
    });
  }

  sync(): void {
    this.#attempt("write", "", () => syncWhole(this.shown));
  }

  /** Makes what is missing, and has each new name on the disk before the next one is made. */
  #makeFolders(folder: string): void {
    if (folder === "." || folder === "") return;
    this.#attempt("make", folder, () => {
      const first = mkdirSync(this.#at(folder), { recursive: true });
      if (first === undefined) return;
      for (let path = this.#at(folder); path.length >= first.length; path = dirname(path)) {
        syncPath(dirname(path));
      }
    });
  }

  #syncFolder(folder: string): void {
    syncPath(this.#at(folder));
  }

  #at(...parts: string[]): string {
    return join(this.shown, ...parts);
  }

  #attempt<T>(action: string, path: string, call: () => T): T {
    try {
      return call();
    } catch (error) {
      if (error instanceof Fault) throw error;
      throw bootFault(action, this.#at(path), error);
    }
  }
}

/**
 * Has these files and folders on the disk, once for all of them where that is possible.
 *
 * @param whole a file system that may be written as a whole
 */
function syncAll(whole: string | undefined, paths: readonly string[]): void {
  if (paths.length === 0) return;
  if (whole !== undefined) syncWhole(whole);
  else for (const path of paths) syncPath(path);
}

function syncWhole(folder: string): void {
  const fd = openSync(folder, "r");
  const result = sys.syncfs(fd);
  closeSync(fd);
  if (result < 0) throw new Fault({ code: "E_IO", message: `Cannot write to "${folder}"` });
}

function syncPath(folder: string): void {
  let fd: number;
  try {
    fd = openSync(folder, "r");
  } catch (error) {
    if (isMissing(error)) return; // gone with what was removed
    throw error;
  }
  try {
    fsyncSync(fd);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EINVAL") throw error;
  } finally {
    closeSync(fd);
  }
}

function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === "ENOENT" || code === "ENOTDIR";
}
