/**
 * What files say of themselves, kept per project in one file to which lines are added: going back
 * through hundreds of versions reads one file. Every line has its checksum and begins with a line
 * break, so that a line cut off by a crash spoils itself alone.
 *
 *     <checksum> <seconds since 1970, base 36> <key> <METADATA's header, as a JSON string>
 */
import type { CacheFolder } from "./cache-folder.ts";
import { fileNameOf } from "./cache-names.ts";

/** A line that was found. */
export interface KeptMetadata {
  /** The header of a METADATA file, as far as it matters. */
  readonly text: string;
  readonly writtenMs: number;
}

interface Lines {
  readonly text: string;
  /** Offsets of line beginnings by key; the last one counts. */
  readonly starts: Map<string, number>;
}

const LINE = /(\S+) ((\S+) (\S+) ("[^\n]*))/y;

/** The kept metadata of one index. */
export class MetadataCache {
  readonly #cache: CacheFolder;
  readonly #folder: string;
  readonly #append: (path: string, text: string) => void;
  readonly #projects = new Map<string, Lines>();

  /** @param append adds to a file of the cache, at once or soon */
  constructor(cache: CacheFolder, folder: string, append: (path: string, text: string) => void) {
    this.#cache = cache;
    this.#folder = folder;
    this.#append = append;
  }

  get(project: string, key: string): KeptMetadata | undefined {
    const { starts, text } = this.#lines(project);
    const start = starts.get(key);
    if (start === undefined) return undefined;
    LINE.lastIndex = start;
    const match = LINE.exec(text);
    if (match === null) return undefined;
    const [, sum, content = "", seconds = "", , json = ""] = match;
    if (checksum(content) !== sum) return undefined;
    const writtenMs = Number.parseInt(seconds, 36) * 1000;
    return { text: JSON.parse(json) as string, writtenMs };
  }

  add(project: string, key: string, text: string, nowMs: number): void {
    const seconds = Math.floor(nowMs / 1000).toString(36);
    const content = `${seconds} ${key} ${ascii(JSON.stringify(text))}`;
    this.#append(this.#path(project), `\n${checksum(content)} ${content}`);
  }

  #lines(project: string): Lines {
    let lines = this.#projects.get(project);
    if (lines === undefined) {
      const bytes = this.#cache.read(this.#path(project))?.bytes;
      lines = indexLines(bytes === undefined ? "" : bytes.toString("latin1"));
      this.#projects.set(project, lines);
    }
    return lines;
  }

  #path(project: string): string {
    return `${this.#folder}/${fileNameOf(project)}.lines`;
  }
}

function indexLines(text: string): Lines {
  const starts = new Map<string, number>();
  for (let at = text.indexOf("\n"); at !== -1; at = text.indexOf("\n", at + 1)) {
    const keyStart = text.indexOf(" ", text.indexOf(" ", at + 1) + 1) + 1;
    const keyEnd = text.indexOf(" ", keyStart);
    if (keyStart > 1 && keyEnd !== -1) starts.set(text.slice(keyStart, keyEnd), at + 1);
  }
  return { text, starts };
}

function checksum(text: string): string {
  return Bun.hash.xxHash3(text).toString(36);
}

function ascii(json: string): string {
  return json.replace(/[\u007f-\uffff]/g, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
  });
}

const WANTED = new Set([
  "metadata-version",
  "name",
  "version",
  "requires-python",
  "requires-dist",
  "provides-extra",
  "dynamic",
]);

/** The header fields that resolving needs, as they stand: some hundred bytes of many thousand. */
export function reduceMetadata(text: string): string {
  const kept: string[] = [];
  let isWanted = false;
  let start = 0;
  while (start < text.length) {
    const found = text.indexOf("\n", start);
    const end = found === -1 ? text.length : found;
    const line = text.slice(start, text[end - 1] === "\r" ? end - 1 : end);
    start = end + 1;
    if (line === "") break;
    if (line[0] !== " " && line[0] !== "\t") {
      isWanted = WANTED.has(
        line
          .slice(0, Math.max(0, line.indexOf(":")))
          .trim()
          .toLowerCase(),
      );
    }
    if (isWanted) kept.push(line);
  }
  return `${kept.join("\n")}\n`;
}

/** Metadata-Version as a number: 2.2; 0 when there is none. */
export function metadataVersionOf(text: string): number {
  const match = /^metadata-version[ \t]*:[ \t]*(\d+)\.(\d+)/im.exec(text);
  return match === null ? 0 : Number(match[1]) + Number(match[2]) / 100;
}
