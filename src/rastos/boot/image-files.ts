import { closeSync, fsyncSync, openSync } from "node:fs";
import { dirname, join } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import {
  type BootChange,
  type BootFile,
  type BootFiles,
  bootFault,
  changeOneByOne,
} from "./boot-files.ts";

/** Which FAT file system in which image. */
export interface FatImage {
  readonly path: string;
  /** Bytes before the file system begins. */
  readonly offset: number;
}

/**
 * The boot partition as a FAT file system inside an image (or a disk), read and written by mtools:
 * without mount, and without root where the image is the user's.
 *
 * A FAT file system has no transactions. A new file gets a name of its own and takes the old one's
 * place by a rename, but a power cut within that rename can lose both: what writes here keeps a
 * journal and does it again.
 */
export class ImageFiles implements BootFiles {
  readonly shown: string;
  readonly #drive: string;
  readonly #path: string;

  constructor(image: FatImage) {
    if (image.path.includes("@@")) {
      throw new Fault({
        code: "E_REFUSED",
        message: `Cannot use the image "${image.path}": mtools takes "@@" for an offset`,
        hint: "give the file another name",
      });
    }
    this.shown = image.path;
    this.#path = image.path;
    this.#drive = `${image.path}@@${image.offset}`;
  }

  list(folder: string): readonly BootFile[] {
    const result = this.#run("mdir", ["-b", `::/${folder}`]);
    if (!result.ok) {
      if (result.isMissing) return [];
      throw this.#fault("list", folder, result.text);
    }
    return result.text
      .split("\n")
      .filter((line) => line.startsWith("::/"))
      .map((line) => ({ name: basenameOf(line), isFolder: line.endsWith("/") }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  read(path: string): Uint8Array | undefined {
    const result = this.#run("mtype", [`::/${path}`]);
    if (result.ok) return result.bytes;
    if (result.isMissing) return undefined;
    throw this.#fault("read", path, result.text);
  }

  write(path: string, content: string | Uint8Array): void {
    this.#makeFolders(dirname(path));
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    // mmove(1) turns a short name with an extension into capitals: those are replaced in place.
    const isShort = /(^|\/)[^./]{1,8}\.[^./]{1,3}$/.test(path);
    const written = isShort ? path : `${path}.tmp`;
    const copied = this.#run("mcopy", ["-o", "-", `::/${written}`], bytes);
    if (!copied.ok) {
      this.remove(written);
      throw this.#fault("write", path, copied.text);
    }
    if (written !== path) this.#move(written, path);
    else this.sync();
  }

  rename(folder: string, from: string, to: string): void {
    const content = this.read(join(folder, from));
    if (content === undefined) throw this.#fault("rename", join(folder, from), "it is not there");
    this.write(join(folder, to), content);
    this.remove(join(folder, from));
  }

  remove(path: string): void {
    const result = this.#run("mdel", [`::/${path}`]);
    if (!result.ok && !result.isMissing) throw this.#fault("remove", path, result.text);
    this.sync();
  }

  change(steps: readonly (readonly BootChange[])[]): void {
    changeOneByOne(this, steps);
  }

  removeFolder(path: string): void {
    const result = this.#run("mdeltree", [`::/${path}`]);
    if (!result.ok && !result.isMissing) throw this.#fault("remove", path, result.text);
    this.sync();
  }

  freeBytes(): number {
    const result = this.#run("mdir", ["::/"]);
    const found = /([\d ]+) bytes free/.exec(result.text)?.[1]?.replaceAll(" ", "");
    if (!result.ok || found === undefined) throw this.#fault("look at", "", result.text);
    return Number(found);
  }

  sync(): void {
    let fd: number;
    try {
      fd = openSync(this.#path, "r+");
    } catch (error) {
      throw bootFault("write", this.#path, error);
    }
    try {
      fsyncSync(fd);
    } catch (error) {
      throw bootFault("write", this.#path, error);
    } finally {
      closeSync(fd);
    }
  }

  #move(from: string, to: string): void {
    // "-D o" replaces a file that has the name already, instead of asking.
    const result = this.#run("mmove", ["-D", "o", `::/${from}`, `::/${to}`]);
    if (!result.ok) throw this.#fault("rename", from, result.text);
    this.sync();
  }

  #makeFolders(folder: string): void {
    if (folder === "." || folder === "" || folder === "/") return;
    const above = dirname(folder);
    if (this.list(above === "." ? "" : above).some((one) => `${join(above, one.name)}` === folder))
      return;
    this.#makeFolders(above);
    const result = this.#run("mmd", ["-D", "s", `::/${folder}`]);
    if (!result.ok) throw this.#fault("make", folder, result.text);
  }

  #run(program: string, args: readonly string[], input?: Uint8Array): MtoolsResult {
    const path = Bun.which(program);
    if (path === null) {
      throw new Fault({
        code: "E_NOT_FOUND",
        message: `Cannot work on the image "${this.#path}": ${program} is not installed`,
        hint: "install the package mtools",
      });
    }
    const child = Bun.spawnSync([path, "-i", this.#drive, ...args], {
      env: { PATH: process.env["PATH"], LC_ALL: "C.UTF-8", MTOOLS_SKIP_CHECK: "1" },
      stdin: input === undefined ? "ignore" : input,
      stdout: "pipe",
      stderr: "pipe",
    });
    const problem = child.stderr.toString().trim();
    return {
      ok: child.success,
      bytes: child.stdout,
      text: child.success ? child.stdout.toString() : problem,
      isMissing: /not found|No such file|does not exist/i.test(problem),
    };
  }

  #fault(action: string, path: string, problem: string): Fault {
    const isFull = /disk full|no free|not enough space|no space/i.test(problem);
    const where = path === "" ? "" : `"${path}" in `;
    return new Fault({
      code: isFull ? "E_NO_SPACE" : "E_IO",
      message: `Cannot ${action} ${where}the image "${this.#path}"`,
      cause: problem === "" ? undefined : new Error(problem),
    });
  }
}

interface MtoolsResult {
  readonly ok: boolean;
  readonly bytes: Uint8Array;
  /** What was printed; of a failure the complaint. */
  readonly text: string;
  readonly isMissing: boolean;
}

function basenameOf(line: string): string {
  const parts = line.replace(/\/$/, "").split("/");
  return parts[parts.length - 1] ?? "";
}
