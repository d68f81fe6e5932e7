/** `.python-version`, which pyenv and uv read as well. */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { foldersUp } from "./places.ts";

/** The file's usual name, and the one that holds several versions. */
export const PIN_FILES = [".python-version", ".python-versions"] as const;

/** A version that a file asks for. */
export interface Pin {
  readonly version: string;
  /** The file. */
  readonly path: string;
}

/** The first version of the nearest file, from the folder upwards. */
export function findPin(folder: string): Pin | undefined {
  for (const place of foldersUp(folder)) {
    for (const name of PIN_FILES) {
      const path = join(place, name);
      const version = existsSync(path) ? firstVersion(path) : undefined;
      if (version !== undefined) return { version, path };
    }
  }
  return undefined;
}

function firstVersion(path: string): string | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
  return text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((line) => line.replace(/#.*/, "").trim())
    .find((line) => line !== "");
}
