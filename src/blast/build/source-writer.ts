/** Writes the members of a source archive below a folder, and nowhere else. */
import {
  closeSync,
  constants,
  linkSync,
  lstatSync,
  mkdirSync,
  openSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { linkProblem } from "../../kit/archive/link-problem.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";
import { nameProblem } from "../wheel/zip-name.ts";

/** More than any source holds that is published; a bomb holds more. */
export interface SourceLimits {
  readonly members: number;
  readonly totalBytes: number;
}

const LIMITS: SourceLimits = { members: 400_000, totalBytes: 16 * 1024 ** 3 };

/** A file on its way. */
export interface OpenMember {
  write(bytes: Uint8Array): void;
  close(): void;
}

/** What an archive says of a file besides its content. */
export interface MemberFacts {
  readonly executable: boolean;
  /** Seconds since 1970: builds compare the times of their files. */
  readonly modifiedSeconds?: number | undefined;
}

/**
 * Nothing is written outside of the folder, over a folder, or through a symbolic link: every folder
 * above a member was made here, links lead to places inside, and only by leading "..".
 */
export class SourceWriter {
  readonly #root: string;
  readonly #label: string;
  readonly #limits: SourceLimits;
  readonly #folders = new Set<string>([""]);
  #members = 0;
  #bytes = 0;

  /**
   * @param root an empty folder
   * @param label the archive's name, for messages
   */
  constructor(root: string, label: string, limits: SourceLimits = LIMITS) {
    this.#root = root;
    this.#label = label;
    this.#limits = limits;
  }

  /** @throws {Fault} E_INTEGRITY for a path that is refused, E_NO_SPACE, E_IO */
  folder(name: string): void {
    this.#told(name, () => this.#makeFolder(this.#path(name)));
  }

  /** @throws as {@link folder} */
  file(name: string, facts: MemberFacts): OpenMember {
    return this.#told(name, () => {
      const path = this.#freePath(name);
      const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL;
      const fd = openSync(path, flags, facts.executable ? 0o755 : 0o644);
      return {
        write: (bytes) => this.#told(name, () => this.#write(fd, bytes, name)),
        close: () => {
          closeSync(fd);
          const { modifiedSeconds } = facts;
          if (modifiedSeconds === undefined || modifiedSeconds <= 0) return;
          this.#told(name, () => utimesSync(path, modifiedSeconds, modifiedSeconds));
        },
      };
    });
  }

  /** A symbolic link. @throws as {@link folder} */
  link(name: string, target: string): void {
    this.#told(name, () => {
      // The topmost folder is the source itself: what lies beside it is none of it.
      const above = this.#path(name).split("/").slice(1, -1);
      const problem = linkProblem(above, target);
      if (problem !== undefined) throw this.refusal(name, `it is ${problem}`);
      symlinkSync(target, this.#freePath(name));
    });
  }

  /** Another name for a file that was written before. @throws as {@link folder} */
  sameFile(name: string, target: string): void {
    this.#told(name, () => {
      const from = this.#path(target);
      const above = from.split("/").slice(0, -1).join("/");
      const status = lstatSync(join(this.#root, from), { throwIfNoEntry: false });
      if (!this.#folders.has(above) || status?.isFile() !== true) {
        throw this.refusal(name, "it is a link to what is no file of the archive");
      }
      linkSync(join(this.#root, from), this.#freePath(name));
    });
  }

  refusal(name: string, problem: string): Fault {
    return new Fault({
      code: "E_INTEGRITY",
      message: `Cannot unpack "${this.#label}": "${name}": ${problem}`,
      hint: "do not trust where this archive comes from",
      details: { archive: this.#label, member: name },
    });
  }

  #path(name: string): string {
    // "./a" and "a//b" are usual in archives that people pack by hand.
    const plain = name.replace(/\/\.?(?=\/|$)/g, "").replace(/^(?:\.\/+)+/, "");
    if (plain === "." || plain === "") return "";
    const problem = nameProblem(plain);
    if (problem !== undefined) throw this.refusal(name, problem);
    return plain;
  }

  /** The absolute path of a name that nothing has; what a member before left there is removed. */
  #freePath(name: string): string {
    const path = this.#path(name);
    if (path === "") throw this.refusal(name, "it has no name");
    this.#makeFolder(path.split("/").slice(0, -1).join("/"));
    this.#members += 1;
    if (this.#members > this.#limits.members) throw this.refusal(name, "there are too many files");
    const absolute = join(this.#root, path);
    const status = lstatSync(absolute, { throwIfNoEntry: false });
    if (status?.isDirectory() === true) throw this.refusal(name, "a folder has its name");
    if (status !== undefined) unlinkSync(absolute);
    return absolute;
  }

  #makeFolder(path: string): void {
    if (this.#folders.has(path)) return;
    const slash = path.lastIndexOf("/");
    this.#makeFolder(slash === -1 ? "" : path.slice(0, slash));
    const absolute = join(this.#root, path);
    const status = lstatSync(absolute, { throwIfNoEntry: false });
    if (status === undefined) {
      this.#members += 1;
      if (this.#members > this.#limits.members) {
        throw this.refusal(path, "there are too many files");
      }
      mkdirSync(absolute);
    } else if (!status.isDirectory()) {
      throw this.refusal(path, "it is a folder, and a file or link as well");
    }
    this.#folders.add(path);
  }

  #write(fd: number, bytes: Uint8Array, name: string): void {
    this.#bytes += bytes.length;
    if (this.#bytes > this.#limits.totalBytes) {
      throw this.refusal(name, `unpacked, it is larger than ${this.#limits.totalBytes} bytes`);
    }
    for (let done = 0; done < bytes.length; ) {
      done += writeSync(fd, bytes, done, bytes.length - done);
    }
  }

  #told<T>(name: string, action: () => T): T {
    try {
      return action();
    } catch (error) {
      if (error instanceof Fault) throw error;
      const { code } = error as NodeJS.ErrnoException;
      throw new Fault({
        code: code === "ENOSPC" || code === "EDQUOT" ? "E_NO_SPACE" : "E_IO",
        message: `Cannot unpack "${name}" of "${this.#label}": ${reasonOf(error)}`,
        cause: error,
      });
    }
  }
}
