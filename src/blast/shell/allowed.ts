/**
 * The folders that cd may activate: those in which the user has run `blast start`. A plain file
 * with a folder on each line, which the shells read themselves; where the environment is not
 * `.venv`, its path follows behind a tab.
 */
import { mkdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { type Environment, xdgPaths } from "../../kit/config/paths.ts";
import { writeFileAtomic } from "../../kit/store/atomic.ts";

/** Oldest first; more would be felt at each cd. */
const FOLDERS_MAX = 1000;
const ATTEMPTS_MAX = 5;

/** `$XDG_DATA_HOME/blast/allowed`. */
export function allowedPath(environment: Environment): string {
  return join(xdgPaths(environment).data, "blast", "allowed");
}

/** The lines of the file; one that belongs to somebody else does not count. */
export function readAllowed(environment: Environment): string[] {
  const path = allowedPath(environment);
  try {
    const owner = process.getuid?.();
    if (owner !== undefined && statSync(path).uid !== owner) return [];
    return readFileSync(path, "utf8")
      .split("\n")
      .filter((line) => line !== "");
  } catch {
    return [];
  }
}

/**
 * Lets cd activate a folder's environment from now on, in all shells.
 *
 * @param folders the folder by all of its names: as the shell calls it, and without links
 * @returns false when a name holds what the file cannot
 * @throws {Fault} E_IO, E_NO_SPACE
 */
export function allowFolders(
  environment: Environment,
  folders: readonly string[],
  venv: string,
): boolean {
  const lines = [...new Set(folders)].map((folder) =>
    venv === join(folder, ".venv") ? folder : `${folder}\t${venv}`,
  );
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
  const isPlain = [...folders, venv].every((path) => !/[\u0000-\u001f\u007f]/.test(path));
  if (!isPlain) return false;
  const isNamed = (line: string): boolean => folders.includes(line.split("\t")[0] ?? "");
  change(environment, lines, (line) => !isNamed(line) || lines.includes(line));
  return true;
}

/** Takes a folder out of the list. @throws {Fault} E_IO, E_NO_SPACE */
export function disallowFolder(environment: Environment, folder: string): void {
  change(environment, [], (line) => line.split("\t")[0] !== folder);
}

/** Another blast may write at the same moment: what was added must be there afterwards. */
function change(
  environment: Environment,
  added: readonly string[],
  keep: (line: string) => boolean,
): void {
  const path = allowedPath(environment);
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
    const before = readAllowed(environment);
    const kept = before.filter(keep);
    const missing = added.filter((line) => !kept.includes(line));
    if (missing.length === 0 && kept.length === before.length) return;
    const lines = [...kept, ...missing].slice(-FOLDERS_MAX);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileAtomic({ path, content: `${lines.join("\n")}\n`, mode: 0o600 });
  }
}
