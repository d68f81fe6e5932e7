/** Wheels that were built, by what they were built of: a second install builds nothing. */
import { mkdirSync, readFileSync, renameSync, statSync, utimesSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { removeTree } from "../../kit/fs/remove-tree.ts";

/** A wheel that was built. */
export interface BuiltWheel {
  readonly path: string;
  /** In hexadecimal. */
  readonly sha256: string;
}

interface Note {
  readonly filename: string;
  readonly sha256: string;
  readonly sizeBytes: number;
}

const NOTE = "note.json";

/** The cache of one folder. It is only a cache: what cannot be written is built again. */
export class BuiltWheels {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** @param key what the wheel depends on */
  find(key: string): BuiltWheel | undefined {
    const folder = this.#place(key);
    try {
      const note = JSON.parse(readFileSync(join(folder, NOTE), "utf8")) as Note;
      const path = join(folder, basename(note.filename));
      if (statSync(path).size !== note.sizeBytes) return undefined;
      const now = Date.now() / 1000;
      utimesSync(folder, now, now);
      return { path, sha256: note.sha256 };
    } catch {
      return undefined;
    }
  }

  /** Takes a wheel over, if that is possible. @returns the wheel where it is from now on */
  async keep(key: string, path: string): Promise<BuiltWheel> {
    const sha256 = await digestOfFile(path);
    const target = this.#place(key);
    const temporary = `${target}.${crypto.randomUUID()}.tmp`;
    const filename = basename(path);
    try {
      const note: Note = { filename, sha256, sizeBytes: statSync(path).size };
      mkdirSync(temporary, { recursive: true });
      writeFileSync(join(temporary, NOTE), JSON.stringify(note));
      // Within one file system: the folder of builds is beside this one.
      renameSync(path, join(temporary, filename));
      path = join(temporary, filename);
      removeTree(target);
      renameSync(temporary, target);
      return { path: join(target, filename), sha256 };
    } catch {
      // Another process was faster, or the cache cannot be written: this one serves as well.
      return { path, sha256 };
    }
  }

  #place(key: string): string {
    return join(this.#folder, new Bun.CryptoHasher("sha256").update(key).digest("hex"));
  }
}

/** SHA-256 of a file, in hexadecimal. */
export async function digestOfFile(path: string): Promise<string> {
  const hasher = new Bun.CryptoHasher("sha256");
  for await (const chunk of Bun.file(path).stream()) hasher.update(chunk);
  return hasher.digest("hex");
}
