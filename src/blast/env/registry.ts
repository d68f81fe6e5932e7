/**
 * The user's environments, kept centrally: one small file for each, so that blasts that run at the
 * same time never wait for each other, and none can lose what another has written.
 */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type Environment, xdgPaths } from "../../kit/config/paths.ts";

/** What is kept of an environment. */
export interface EnvironmentRecord {
  /** Its folder; absolute. */
  readonly path: string;
  readonly name: string;
  /** The project's folder. */
  readonly project: string;
  readonly python: { readonly version: string; readonly path: string };
}

/** An environment that blast has made or started at some time. */
export interface RegisteredEnvironment extends EnvironmentRecord {
  /** RFC 3339: when it was first recorded. */
  readonly created: string;
  /** RFC 3339. */
  readonly lastUsed: string;
  /** `gone`: the folder is no environment any more; `broken`: its Python is missing. */
  readonly state: "ready" | "gone" | "broken";
}

/** `$XDG_DATA_HOME/blast/environments`. */
export function registryFolder(environment: Environment): string {
  return join(xdgPaths(environment).data, "blast", "environments");
}

/**
 * Records that an environment is used now. The list is a convenience: a home that cannot be
 * written to is no failure.
 */
export function recordEnvironment(environment: Environment, record: EnvironmentRecord): void {
  const file = fileFor(environment, record.path);
  const { path, name, project, python } = record;
  try {
    const before = readRecord(file);
    const created = before?.path === path ? before.created : new Date().toISOString();
    const text = `${JSON.stringify({ path, name, project, python, created })}\n`;
    if (before !== undefined && JSON.stringify(before) === text.trimEnd()) {
      const now = Date.now() / 1000;
      utimesSync(file, now, now);
      return;
    }
    mkdirSync(registryFolder(environment), { recursive: true, mode: 0o700 });
    // Without fsync: after a power cut the entry may be missing, and comes back with the next use.
    const temporary = `${file}.${process.pid}.tmp`;
    writeFileSync(temporary, text, { mode: 0o600 });
    renameSync(temporary, file);
  } catch {
    // See above.
  }
}

/** All of them, the last used first. */
export function listEnvironments(environment: Environment): RegisteredEnvironment[] {
  const folder = registryFolder(environment);
  const listed: RegisteredEnvironment[] = [];
  for (const entry of entriesOf(folder)) {
    const file = join(folder, entry);
    const record = entry.endsWith(".json") ? readRecord(file) : undefined;
    if (record === undefined) continue;
    const lastUsed = statSync(file).mtime.toISOString();
    listed.push({ ...record, lastUsed, state: stateOf(record.path) });
  }
  return listed.sort((a, b) => (a.lastUsed < b.lastUsed ? 1 : -1));
}

/** The project that an environment was made for; undefined where blast does not know it. */
export function projectOfEnvironment(environment: Environment, path: string): string | undefined {
  const record = readRecord(fileFor(environment, path));
  return record?.path === path ? record.project : undefined;
}

/** Takes an environment off the list. @returns false when it was not on it */
export function forgetEnvironment(environment: Environment, path: string): boolean {
  try {
    unlinkSync(fileFor(environment, path));
    return true;
  } catch {
    return false;
  }
}

function stateOf(path: string): RegisteredEnvironment["state"] {
  if (!existsSync(join(path, "pyvenv.cfg"))) return "gone";
  // existsSync follows the link to the base.
  const pythons = [join(path, "bin", "python"), join(path, "Scripts", "python.exe")];
  return pythons.some((python) => existsSync(python)) ? "ready" : "broken";
}

function fileFor(environment: Environment, path: string): string {
  const digest = new Bun.CryptoHasher("sha256").update(path).digest("hex").slice(0, 32);
  return join(registryFolder(environment), `${digest}.json`);
}

type StoredRecord = EnvironmentRecord & { readonly created: string };

function readRecord(file: string): StoredRecord | undefined {
  try {
    const value: unknown = JSON.parse(readFileSync(file, "utf8"));
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is StoredRecord {
  if (typeof value !== "object" || value === null) return false;
  const { path, name, project, python, created } = value as Partial<StoredRecord>;
  const texts = [path, name, project, python?.version, python?.path, created];
  return texts.every((text) => typeof text === "string");
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
