import { mkdirSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { dirname, join, relative, sep } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";
import { writeFileAtomic } from "../../kit/store/atomic.ts";
import type { ObjectStore, StoredObject } from "./types.ts";

/** Objects as files of a folder, for their owner alone. */
export function localStore(folder: string): ObjectStore {
  const pathOf = (name: string): string => join(folder, name);
  return {
    name: folder,
    put: async (name, content) => {
      const path = pathOf(name);
      try {
        mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      } catch (error) {
        throw storeFault(`make "${dirname(path)}"`, error);
      }
      writeFileAtomic({ path, content, mode: 0o600 });
    },
    get: async (name) => {
      try {
        return readFileSync(pathOf(name));
      } catch (error) {
        throw storeFault(`read "${pathOf(name)}"`, error);
      }
    },
    list: async (prefix) => listBelow(folder, prefix),
    remove: async (name) => {
      try {
        rmSync(pathOf(name), { force: true });
      } catch (error) {
        throw storeFault(`remove "${pathOf(name)}"`, error);
      }
    },
  };
}

function listBelow(folder: string, prefix: string): StoredObject[] {
  let entries: string[];
  try {
    entries = readdirSync(join(folder, prefix), { recursive: true, encoding: "utf8" });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw storeFault(`read "${join(folder, prefix)}"`, error);
  }
  const found: StoredObject[] = [];
  for (const entry of entries) {
    const path = join(folder, prefix, entry);
    const status = statSync(path, { throwIfNoEntry: false });
    // A name with a dot before it is being written.
    if (status?.isFile() !== true || path.split(sep).at(-1)?.startsWith(".") === true) continue;
    const name = relative(folder, path).split(sep).join("/");
    found.push({ name, bytes: status.size, writtenMs: status.mtimeMs });
  }
  return found;
}

function storeFault(what: string, error: unknown): Fault {
  const { code } = error as NodeJS.ErrnoException;
  const message = `Cannot ${what}: ${reasonOf(error)}`;
  if (code === "ENOENT") return new Fault({ code: "E_NOT_FOUND", message });
  return new Fault({ code: code === "ENOSPC" ? "E_NO_SPACE" : "E_IO", message });
}
