/**
 * What interpreters have answered, in one small file. An entry holds as long as the file that the
 * path leads to is the same: size, modification time, inode, device and place.
 */
import {
  mkdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { type Environment, xdgPaths } from "../../kit/config/paths.ts";

/** Changes whenever the probe's script or the meaning of its answer does. */
const FORMAT = "blast.pythons/1";
const ENTRIES_MAX = 200;

/** What tells that a file is still the one that was asked. */
export interface FileIdentity {
  /** Free of symbolic links. */
  readonly realPath: string;
  readonly key: string;
}

/** Where the answers are kept: `$XDG_CACHE_HOME/blast/pythons`. */
export function probeCachePath(environment: Environment): string {
  return join(xdgPaths(environment).cache, "blast", "pythons");
}

/** Undefined where there is no such file, or nothing that could be run. */
export function fileIdentity(path: string): FileIdentity | undefined {
  try {
    const status = statSync(path, { bigint: true, throwIfNoEntry: false });
    // The Windows store puts empty files with the names of Python into PATH.
    if (status === undefined || !status.isFile() || status.size === 0n) return undefined;
    if (process.platform !== "win32" && (status.mode & 0o111n) === 0n) return undefined;
    const { size, mtimeNs, ino, dev } = status;
    return { realPath: realpathSync.native(path), key: `${size}:${mtimeNs}:${ino}:${dev}` };
  } catch {
    return undefined;
  }
}

/** The file of answers; read when first asked, written by {@link ProbeCache.save}. */
export class ProbeCache {
  readonly #path: string;
  #lines: Map<string, string> | undefined;
  readonly #changed = new Map<string, string>();

  constructor(path: string) {
    this.#path = path;
  }

  /** The answer for a path, if the file there is still the one that gave it. */
  get(path: string, identity: FileIdentity): unknown {
    const prefix = linePrefix(path, identity);
    const line = this.#changed.get(path) ?? this.#read().get(path);
    if (line?.startsWith(prefix) !== true) return undefined;
    try {
      return (JSON.parse(line) as unknown[])[3];
    } catch {
      return undefined;
    }
  }

  /** Keeps an answer. */
  put(path: string, identity: FileIdentity, answer: unknown): void {
    this.#changed.set(path, `${linePrefix(path, identity)}${JSON.stringify(answer)}]`);
  }

  /** Writes what is new. A cache that cannot be written costs time and nothing else. */
  save(): void {
    if (this.#changed.size === 0) return;
    // Read again: another blast may have added to it. Newest last, so that the oldest go first.
    this.#lines = undefined;
    const lines = new Map(this.#read());
    for (const [path, line] of this.#changed) {
      lines.delete(path);
      lines.set(path, line);
    }
    this.#changed.clear();
    const kept = [...lines.values()].slice(-ENTRIES_MAX);
    const temporary = `${this.#path}.${process.pid}.tmp`;
    try {
      mkdirSync(dirname(this.#path), { recursive: true });
      writeFileSync(temporary, `${[FORMAT, ...kept].join("\n")}\n`, { mode: 0o600 });
      renameSync(temporary, this.#path);
    } catch {
      // A read-only home: the next run asks again.
    }
    this.#lines = lines;
  }

  /** Lines by path; a line is parsed only when its path is asked for. */
  #read(): Map<string, string> {
    this.#lines ??= readLines(this.#path);
    return this.#lines;
  }
}

function readLines(path: string): Map<string, string> {
  const lines = new Map<string, string>();
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return lines;
  }
  const [format, ...rest] = text.split("\n");
  if (format !== FORMAT) return lines;
  for (const line of rest) {
    const end = line.indexOf('",');
    if (!line.startsWith('["') || end === -1) continue;
    // A path with a quote in it ends too early here, and so is asked again each time it is new.
    lines.set(unquoted(line.slice(1, end + 1)), line);
  }
  return lines;
}

function unquoted(text: string): string {
  if (!text.includes("\\")) return text.slice(1, -1);
  try {
    return String(JSON.parse(text));
  } catch {
    return text;
  }
}

function linePrefix(path: string, identity: FileIdentity): string {
  const head = JSON.stringify([path, identity.key, identity.realPath]);
  return `${head.slice(0, -1)},`;
}
