import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { output } from "./cache.ts";

/**
 * What must hold of a rastOS system at every moment, whatever was going on when the power went:
 * asked of the files alone, by nothing of rastos.
 */

/** A boot entry, as a boot loader reads it. */
export interface LoaderEntry {
  /** Name of its file. */
  readonly file: string;
  /** `rastos-N-K`. */
  readonly name: string;
  readonly triesLeft: number | undefined;
  readonly triesDone: number;
  readonly values: Readonly<Record<string, string>>;
}

/** A system to look at. */
export interface SystemFolders {
  /** The mounted top level of its btrfs. */
  readonly top: string;
  /** The files of its ESP, mounted or copied out. */
  readonly esp: string;
}

/** Copies the files of an ESP out of an image. */
export function copyEsp(image: string, offset: number, to: string): string {
  mkdirSync(to, { recursive: true });
  output(["mcopy", "-s", "-n", "-m", "-i", `${image}@@${offset}`, "::*", to]);
  return to;
}

/**
 * Copies out of an image what a boot loader reads: entries, and what they lead to. A file that was
 * being written when the power went is none of it, and may lead nowhere.
 */
export function copyBootFiles(image: string, offset: number, to: string): string {
  const drive = `${image}@@${offset}`;
  mkdirSync(to, { recursive: true });
  mkdirSync(join(to, "loader/entries"), { recursive: true });
  const listed = output(["mdir", "-b", "-i", drive, "::loader/entries"]);
  for (const path of listed.split("\n").filter((line) => line.endsWith(".conf"))) {
    copyWhole(drive, path, join(to, "loader/entries"));
  }
  for (const { values } of loaderEntries(to)) {
    for (const path of [values["linux"], values["initrd"]]) {
      if (path === undefined) continue;
      mkdirSync(dirname(join(to, path)), { recursive: true });
      output(["mcopy", "-n", "-i", drive, `::${path}`, join(to, path)]);
    }
  }
  return to;
}

/** A name can be on the disk before the clusters that it counts on: nobody can read such a file. */
function copyWhole(drive: string, path: string, to: string): void {
  try {
    output(["mcopy", "-n", "-i", drive, path, to]);
  } catch (error) {
    if (!String(error).includes("Fat problem")) throw error;
  }
}

/** The boot entries of an ESP, by file name; a loader leaves out those without a kernel. */
export function loaderEntries(esp: string): readonly LoaderEntry[] {
  const folder = join(esp, "loader/entries");
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .flatMap((file) => {
      const found = /^(rastos-\d+-\d+)(?:\+(\d+)(?:-(\d+))?)?\.conf$/.exec(file);
      if (found === null) return [];
      const [, name = "", left, done] = found;
      const lines = readFileSync(join(folder, file), "utf8").split("\n");
      const pairs = lines.map((line) => line.trim().split(/\s+(.*)/s));
      const values = Object.fromEntries(pairs.map(([key = "", value = ""]) => [key, value]));
      // FAT renames in several writes: a cut between them leaves an empty file.
      if (values["linux"] === undefined) return [];
      const triesLeft = left === undefined ? undefined : Number(left);
      return [{ file, name, triesLeft, triesDone: Number(done ?? 0), values }];
    });
}

/** What is wrong with a system: sentences; none when all is well. */
export function problemsOf(system: SystemFolders): readonly string[] {
  const entries = loaderEntries(system.esp);
  const usable = entries.filter(({ triesLeft }) => triesLeft !== 0);
  return [
    ...(usable.length === 0 ? ["no boot entry is left"] : []),
    ...entries.flatMap((entry) => entryProblems(system, entry)),
    ...stateProblems(system.top),
  ];
}

/** A loader may take any entry that it sees: each must lead to a whole system. */
function entryProblems({ top, esp }: SystemFolders, entry: LoaderEntry): string[] {
  const problems: string[] = [];
  const claim = (holds: boolean, text: string): void => {
    if (!holds) problems.push(`${entry.file}: ${text}`);
  };
  for (const key of ["linux", "initrd"]) {
    const path = join(esp, entry.values[key] ?? "missing");
    claim(existsSync(path) && statSync(path).size > 0, `its ${key} "${path}" is missing or empty`);
  }
  const options = entry.values["options"] ?? "";
  const subvolume = /rootflags=\S*subvol=\/?([^\s,]+)/.exec(options)?.[1];
  claim(subvolume !== undefined, `no subvol= in "${options}"`);
  if (subvolume === undefined) return problems;
  claim(isSubvolume(join(top, subvolume)), `its root "${subvolume}" is no subvolume`);
  for (const name of ["etc", "var"]) {
    const path = join(top, subvolume, name);
    claim(isSubvolume(path), `its ${name} is no subvolume`);
    claim(existsSync(path) && readdirSync(path).length > 0, `its ${name} is empty`);
  }
  const kernel = join(esp, entry.values["linux"] ?? "missing");
  const kernels = kernelsOf(join(top, subvolume));
  const isOwn = existsSync(kernel) && kernels.some((own) => isEqual(own, kernel));
  claim(isOwn, "its kernel is none of its system's");
  return problems;
}

function stateProblems(top: string): string[] {
  const path = join(top, ".snapshots/state/state.json");
  let state: { snapshots: { id: number }[]; deployments: { subvolume: string; entry: string }[] };
  try {
    state = JSON.parse(readFileSync(path, "utf8"));
  } catch (error) {
    return [`state.json: ${String(error)}`];
  }
  const parts = { rootfs: "snapshot", etc: "etc", var: "var" };
  const missing = state.snapshots.flatMap(({ id }) =>
    Object.entries(parts)
      .map(([folder, name]) => `.snapshots/${folder}/${name}-${id}`)
      .filter((subvolume) => !isSubvolume(join(top, subvolume))),
  );
  const lost = state.deployments.filter(({ subvolume }) => !isSubvolume(join(top, subvolume)));
  return [
    ...missing.map((subvolume) => `state.json names "${subvolume}", which is no subvolume`),
    ...lost.map(({ subvolume }) => `state.json names "${subvolume}", which is no subvolume`),
  ];
}

/** The root of a subvolume has this inode (BTRFS_FIRST_FREE_OBJECTID). */
function isSubvolume(path: string): boolean {
  return existsSync(path) && statSync(path).ino === 256;
}

function kernelsOf(root: string): readonly string[] {
  const modules = join(root, "usr/lib/modules");
  if (!existsSync(modules)) return [];
  return readdirSync(modules).map((version) => join(modules, version, "vmlinuz"));
}

function isEqual(a: string, b: string): boolean {
  if (!existsSync(a) || statSync(a).size !== statSync(b).size) return false;
  return readFileSync(a).equals(readFileSync(b));
}
