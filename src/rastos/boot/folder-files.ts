import {
  closeSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statfsSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { sys } from "../../../ffi/sys.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { writeFileAtomic } from "../../kit/store/atomic.ts";
import { type BootFile, type BootFiles, bootFault } from "./boot-files.ts";

/** The boot partition as a mounted folder. */
export class FolderFiles implements BootFiles {
  readonly shown: string;

  /** @param folder absolute path of the partition's root */
  constructor(folder: string) {
    this.shown = folder;
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
    this.#attempt("rename", join(folder, from), () => {
      const content = readFileSync(this.#at(folder, from));
      writeFileAtomic({ path: this.#at(folder, to), content });
      rmSync(this.#at(folder, from));
      this.#syncFolder(folder);
    });
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
    this.#attempt("write", "", () => {
      const fd = openSync(this.shown, "r");
      const result = sys.syncfs(fd);
      closeSync(fd);
      if (result < 0) {
        throw new Fault({ code: "E_IO", message: `Cannot write to "${this.shown}"` });
      }
    });
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
