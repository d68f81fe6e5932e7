import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { join } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { findProgram } from "./build-user.ts";
import { SYSTEM_FOLDERS } from "./sandbox.ts";

/** Folders that packages write to and that a build sees, below the top. */
const LAYERED = [...SYSTEM_FOLDERS, "etc", "var/lib/pacman"] as const;

/** Folders of a system by their names in it. */
export type FoldersApart = { readonly [Name in (typeof LAYERED)[number]]?: string | undefined };

/**
 * A system to build in: another one, unchanged, with a layer over it into which packages can be
 * installed (overlayfs). It goes with its layer. Needs root.
 */
export class BuildRoot implements Disposable {
  /** The root folder, with the layer. */
  readonly path: string;
  readonly #work: string;

  private constructor(work: string) {
    this.#work = work;
    this.path = join(work, "root");
  }

  /**
   * @param base the system below; may be read-only
   * @param work a folder that is not there yet
   * @param apart where folders of the system lie that are not in their places
   * @throws {Fault} E_IO; E_REFUSED where the path cannot be given to mount(8)
   */
  static create(base: string, work: string, apart: FoldersApart = {}): BuildRoot {
    for (const path of [base, work, ...Object.values(apart)]) {
      if (path === undefined) continue;
      if (!/[,:\\\n]/.test(path)) continue;
      throw new Fault({
        code: "E_REFUSED",
        message: `Cannot lay a layer over "${path}": its name holds what separates layers`,
        hint: "take a folder without commas, colons and backslashes in its name",
      });
    }
    const root = new BuildRoot(work);
    try {
      root.#mountAll(base, apart);
    } catch (error) {
      root[Symbol.dispose]();
      throw error;
    }
    return root;
  }

  #mountAll(base: string, apart: FoldersApart): void {
    mkdirSync(this.path, { recursive: true });
    for (const name of ["proc", "dev", "sys", "tmp", "run", "var/cache", "var/log", "root"]) {
      mkdirSync(join(this.path, name), { recursive: true });
    }
    for (const name of LAYERED) this.#layer(name, apart[name] ?? join(base, name));
  }

  #layer(name: string, lower: string): void {
    const place = join(this.path, name);
    const status = lstatSync(lower, { throwIfNoEntry: false });
    if (status?.isSymbolicLink() === true && !name.includes("/")) {
      symlinkSync(readlinkSync(lower), place);
      return;
    }
    mkdirSync(place, { recursive: true });
    if (status?.isDirectory() !== true) return;
    const flat = name.replaceAll("/", "-");
    const [upper, scratch] = [join(this.#work, "upper", flat), join(this.#work, "scratch", flat)];
    for (const folder of [upper, scratch]) mkdirSync(folder, { recursive: true });
    const options = `lowerdir=${lower},upperdir=${upper},workdir=${scratch}`;
    const mounted = Bun.spawnSync(
      [findProgram("mount"), "-t", "overlay", "-o", options, "overlay", place],
      { stderr: "pipe", env: { LC_ALL: "C" } },
    );
    if (mounted.success) return;
    throw new Fault({
      code: "E_IO",
      message: `Cannot lay a layer over "${lower}": ${mounted.stderr.toString().trim()}`,
    });
  }

  [Symbol.dispose](): void {
    removeWork(this.#work);
  }
}

/** Unmounts what lies below a folder and removes it; also what a run that was killed has left. */
export function removeWork(work: string): void {
  for (const place of mountsBelow(work)) {
    Bun.spawnSync([findProgram("umount"), "-l", place], { stderr: "ignore" });
  }
  // What is still mounted must not be emptied.
  if (mountsBelow(work).length === 0) rmSync(work, { recursive: true, force: true });
}

/** Innermost first. The kernel names them without the links that led there. */
function mountsBelow(path: string): string[] {
  if (!existsSync(path)) return [];
  const folder = realpathSync(path);
  const places = readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => (line.split(" ")[4] ?? "").replace(/\\([0-7]{3})/g, octal))
    .filter((place) => place.startsWith(`${folder}/`));
  return places.reverse();
}

function octal(_: string, digits: string): string {
  return String.fromCharCode(Number.parseInt(digits, 8));
}
