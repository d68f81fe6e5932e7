import { lstatSync, readdirSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { readVenvConfig } from "../python/venv-config.ts";
import { type InstalledDistribution, scanSite } from "./installed.ts";

/** Where the parts of a distribution go (sysconfig's scheme); absolute. */
export interface SchemePaths {
  readonly purelib: string;
  readonly platlib: string;
  readonly scripts: string;
  /** Each distribution gets a folder of its own in it. */
  readonly headers: string;
  readonly data: string;
}

/** What is needed of an interpreter to install beside it, where there is no pyvenv.cfg. */
export interface PrefixInterpreter {
  /** What scripts name in their first line. */
  readonly path: string;
  readonly scheme: SchemePaths;
}

/** Folders of an environment, relative to its root, as its base Python names them. */
export type VenvFolders = Pick<SchemePaths, "purelib" | "platlib" | "scripts">;

/** pyvenv.cfg: its keys in lower case. */
type VenvConfig = ReadonlyMap<string, string>;

/** A place where distributions are installed. Opening one writes nothing and starts no process. */
export interface Environment {
  readonly kind: "venv" | "prefix";
  /** Absolute; everything of the environment lies below it. */
  readonly root: string;
  readonly paths: SchemePaths;
  /** The folders of `paths`, relative to the root: no "." and no "..". */
  readonly relative: SchemePaths;
  /** What scripts name in their first line; absolute, not resolved. */
  readonly python: string;
  /** Of a venv. */
  readonly config: VenvConfig | undefined;
  /** What is installed, as the folder says at this moment; by name. */
  installed(): InstalledDistribution[];
}

/**
 * Opens a virtual environment (PEP 405), or with `interpreter` the prefix that it installs into.
 * Cheap: pyvenv.cfg and one folder are read, no interpreter is started.
 *
 * @throws {Fault} E_NOT_FOUND where the folder is no environment; E_REFUSED where its parts lie
 *   apart
 */
export function openEnvironment(folder: string, interpreter?: PrefixInterpreter): Environment {
  const root = resolve(folder);
  const config = readVenvConfig(root);
  if (config === undefined) {
    if (interpreter !== undefined) return openPrefix(interpreter);
    throw new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot open the environment "${folder}": it has no pyvenv.cfg`,
      hint: "make one with: blast start",
      details: { path: root },
    });
  }
  const isWindows = process.platform === "win32";
  const folders = isWindows ? windowsScheme() : posixScheme(root, config);
  const python = isWindows ? join(root, "Scripts", "python.exe") : join(root, "bin", "python");
  return make({ kind: "venv", root, folders, python, config });
}

/** A virtual environment that is not made yet: nothing is installed, whatever lies there now. */
export function plannedEnvironment(folder: string, folders: VenvFolders): Environment {
  const root = resolve(folder);
  const { purelib, platlib, scripts } = folders;
  const headers = join("include", "site", basename(dirname(purelib)));
  const python = join(root, scripts, process.platform === "win32" ? "python.exe" : "python");
  const scheme = { purelib, platlib, scripts, headers, data: "" };
  const made = make({ kind: "venv", root, folders: scheme, python, config: undefined });
  return { ...made, installed: () => [] };
}

function openPrefix(interpreter: PrefixInterpreter): Environment {
  const { scheme, path } = interpreter;
  const root = resolve(scheme.data);
  const folders = {
    purelib: relative(root, scheme.purelib),
    platlib: relative(root, scheme.platlib),
    scripts: relative(root, scheme.scripts),
    headers: relative(root, scheme.headers),
    data: "",
  };
  for (const [name, folder] of Object.entries(folders)) {
    if (!folder.startsWith("..") && !folder.startsWith("/")) continue;
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot install beside "${path}": its folder for ${name} lies outside of "${root}"`,
      hint: "make an environment of its own with: blast start",
    });
  }
  return make({ kind: "prefix", root, folders, python: path, config: undefined });
}

function make(parts: {
  readonly kind: Environment["kind"];
  readonly root: string;
  readonly folders: SchemePaths;
  readonly python: string;
  readonly config: VenvConfig | undefined;
}): Environment {
  const { kind, root, folders, python, config } = parts;
  const paths = {
    purelib: join(root, folders.purelib),
    platlib: join(root, folders.platlib),
    scripts: join(root, folders.scripts),
    headers: join(root, folders.headers),
    data: root,
  };
  const installed = (): InstalledDistribution[] => {
    const found = scanSite(paths.purelib);
    if (paths.platlib !== paths.purelib) found.push(...scanSite(paths.platlib));
    return found.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  };
  return { kind, root, paths, relative: folders, python, config, installed };
}

function windowsScheme(): SchemePaths {
  const site = join("Lib", "site-packages");
  return {
    purelib: site,
    platlib: site,
    scripts: "Scripts",
    headers: join("Include", "site"),
    data: "",
  };
}

/** The scheme that Python's venv module calls "venv" on POSIX, from what lies in the folder. */
function posixScheme(root: string, config: VenvConfig): SchemePaths {
  const purelib = libraryFolder(root, "lib", config);
  const name = purelib.split("/")[1] ?? "";
  // Fedora's and SUSE's Pythons have a lib64; in their environments it is a link to lib.
  const hasLib64 = lstatSync(join(root, "lib64"), { throwIfNoEntry: false })?.isDirectory();
  const platlib = hasLib64 === true ? libraryFolder(root, "lib64", config) : purelib;
  return { purelib, platlib, scripts: "bin", headers: `include/site/${name}`, data: "" };
}

/** `lib/python3.12/site-packages`: of several, the one of the version in pyvenv.cfg. */
function libraryFolder(root: string, lib: string, config: VenvConfig): string {
  const version = config.get("version_info") ?? config.get("version") ?? "";
  const expected = /^\d+\.\d+/.exec(version)?.[0];
  const implementation = /pypy/i.test(config.get("implementation") ?? "") ? "pypy" : "python";
  let names: string[] = [];
  try {
    names = readdirSync(join(root, lib)).filter((name) => /^(python|pypy)\d+\.\d+t?$/.test(name));
  } catch {
    // Without any, the version says what it would be.
  }
  const fitting = names.filter((name) => expected !== undefined && name.includes(expected));
  const name = fitting[0] ?? names[0] ?? (expected && `${implementation}${expected}`);
  if (name === undefined) {
    throw new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot open the environment "${root}": it has no lib/python… folder`,
      hint: "make it anew with: blast start",
      details: { path: root },
    });
  }
  return `${lib}/${name}/site-packages`;
}

/** Part of a path relative to the environment's root, or undefined where it lies outside of it. */
export function insideRoot(environment: Environment, path: string): string | undefined {
  const inside = relative(environment.root, path);
  const isOutside = inside === "" || inside === ".." || inside.startsWith("../");
  return isOutside || inside.startsWith("/") ? undefined : inside;
}

/**
 * Folders that are never removed or moved: those of modules and scripts, and all above them. A
 * folder for headers is made when one is installed, and goes with it.
 */
export function anchorFolders(environment: Environment): ReadonlySet<string> {
  const anchors = new Set<string>([""]);
  const { purelib, platlib, scripts } = environment.relative;
  for (const folder of [purelib, platlib, scripts]) {
    for (let path = folder; path !== "" && path !== "."; path = dirname(path)) anchors.add(path);
  }
  return anchors;
}
