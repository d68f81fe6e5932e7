import { O } from "../../../ffi/abi/constants.ts";
import { sys } from "../../../ffi/sys.ts";
import { makeFolderAt, openAt, writeAllTo } from "../../kit/fs/at.ts";
import { systemFault } from "./faults.ts";
import { scratch } from "./scratch.ts";

const FOLDER_MODE = 0o755;
const FOLDER_FLAGS = O.RDONLY | O.DIRECTORY | O.NOFOLLOW;
const FILE_FLAGS = O.WRONLY | O.CREAT | O.EXCL | O.NOFOLLOW;

/** A file's state right after it was written; a later change shows in it. */
export interface WrittenFile {
  /** In bytes. */
  readonly size: number;
  readonly mtimeSec: number;
  readonly mtimeNsec: number;
}

/**
 * Writes files below a folder. Each call names one entry of a folder that is open, and follows no
 * link: that is as strict as openat2(2) with RESOLVE_BENEATH, and the kernel looks up one name
 * instead of a path. Files of one folder should come one after the other.
 */
export class TreeWriter implements Disposable {
  readonly #root: number;
  readonly #label: string;
  /** The folders down to the one at hand. */
  readonly #chain: { readonly name: string; readonly fd: number }[] = [];
  #folder = "";
  readonly #made = new Set<string>([""]);

  /** `root` stays the caller's. */
  constructor(root: number, label: string) {
    this.#root = root;
    this.#label = label;
  }

  /** Every folder that was made, parents first. */
  get folders(): string[] {
    return [...this.#made].filter((path) => path !== "");
  }

  /**
   * Writes a new file. `fill` hands its content to the given function, piece by piece.
   * @throws {Fault} E_IO or E_NO_SPACE, and whatever `fill` throws
   */
  write(
    path: string,
    mode: number,
    fill: (sink: (piece: Uint8Array) => void) => void,
  ): WrittenFile {
    const slash = path.lastIndexOf("/");
    const folder = this.#enter(slash < 0 ? "" : path.slice(0, slash));
    const fd = openAt(folder, path.slice(slash + 1), FILE_FLAGS, mode);
    if (fd < 0) throw this.#failed(path, fd);
    try {
      fill((piece) => this.#append(fd, piece, path));
      return this.#settle(fd, mode, path);
    } finally {
      const closed = sys.close(fd);
      // Network file systems tell of a full disk only now.
      // biome-ignore lint/correctness/noUnsafeFinally: what was thrown before matters less
      if (closed < 0) throw this.#failed(path, closed);
    }
  }

  #append(fd: number, piece: Uint8Array, path: string): void {
    const result = writeAllTo(fd, piece);
    if (result < 0) throw this.#failed(path, result);
  }

  /** Permissions as they should be, whatever the umask; and what the file looks like now. */
  #settle(fd: number, mode: number, path: string): WrittenFile {
    const memory = scratch();
    let result = memory.stat(fd);
    if (result >= 0 && (memory.status.mode & 0o7777) !== mode) result = sys.fchmod(fd, mode);
    if (result < 0) throw this.#failed(path, result);
    const { sizeBytes, mtimeSec, mtimeNsec } = memory.status;
    return { size: sizeBytes, mtimeSec, mtimeNsec };
  }

  /** Descriptor of a folder below the root, which is made if it is new. */
  #enter(path: string): number {
    if (path === this.#folder) return this.#chain.at(-1)?.fd ?? this.#root;
    const parts = path === "" ? [] : path.split("/");
    let kept = 0;
    while (kept < this.#chain.length && this.#chain[kept]?.name === parts[kept]) kept++;
    this.#leave(kept);
    for (const name of parts.slice(kept)) {
      const parent = this.#chain.at(-1)?.fd ?? this.#root;
      const below = this.#folder === "" ? name : `${this.#folder}/${name}`;
      const made = this.#made.has(below) ? 0 : makeFolderAt(parent, name, FOLDER_MODE);
      const fd = made < 0 ? made : openAt(parent, name, FOLDER_FLAGS);
      if (fd < 0) throw this.#failed(below, fd);
      this.#made.add(below);
      this.#chain.push({ name, fd });
      this.#folder = below;
    }
    return this.#chain.at(-1)?.fd ?? this.#root;
  }

  /** Closes all but the first `kept` folders of the chain. */
  #leave(kept: number): void {
    for (const { fd } of this.#chain.splice(kept)) sys.close(fd);
    this.#folder = this.#chain.map(({ name }) => name).join("/");
  }

  #failed(path: string, result: number): Error {
    return systemFault(`unpack "${this.#label}" to`, path, result);
  }

  [Symbol.dispose](): void {
    this.#leave(0);
  }
}
