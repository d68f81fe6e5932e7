import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Debian packages as they are: downloaded by apt-get, unpacked by dpkg into a folder of the user's
 * cache, not installed. It takes no rights, and nothing of it touches the system.
 */

const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "triad-lab");
const path = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;

/** The folder of everything that the lab keeps between runs. */
export function labCache(...parts: readonly string[]): string {
  return join(cache, ...parts);
}

/**
 * Runs a tool to its end and returns what it has printed.
 *
 * @throws Error with the tool's own words
 */
export function output(
  command: readonly string[],
  options: { readonly cwd?: string } = {},
): string {
  const env = { ...process.env, PATH: path };
  const result = Bun.spawnSync([...command], { ...options, env, stdout: "pipe", stderr: "pipe" });
  if (result.success) return result.stdout.toString();
  throw new Error(`${command.join(" ")}: ${result.stderr.toString().trim()}`);
}

/**
 * The folder with a package's files, fetched when it is not there yet.
 *
 * @param name such as `ovmf`, or `linux-image-amd64`, which stands for the newest kernel
 * @throws Error when it cannot be fetched
 */
export function unpackedPackage(name: string): string {
  const folder = labCache("packages", name);
  if (existsSync(folder)) return folder;
  mkdirSync(labCache("packages"), { recursive: true });
  const temporary = mkdtempSync(labCache(".fetch-"));
  try {
    output(["apt-get", "download", realName(name)], { cwd: temporary });
    for (const file of readdirSync(temporary))
      output(["dpkg", "-x", file, "root"], { cwd: temporary });
    publish(join(temporary, "root"), folder);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
  return folder;
}

/** Two runs may fetch the same: the first one wins. */
export function publish(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    if (!existsSync(to)) throw error;
    rmSync(from, { recursive: true });
  }
}

/** A kernel's package depends on the one of a version. Without lists apt knows neither. */
function realName(name: string): string {
  const known = (): string => output(["apt-cache", "depends", name]);
  let text = "";
  try {
    text = known();
  } catch {
    if (process.getuid?.() !== 0 || (process.env["TRIAD_NO_APT"] ?? "") !== "") throw noLists();
    output(["apt-get", "update", "-q"]);
    text = known();
  }
  return /Depends: (linux-image-[0-9]\S+)/.exec(text)?.[1] ?? name;
}

function noLists(): Error {
  return new Error("apt-get has no lists of packages: run apt-get update");
}
