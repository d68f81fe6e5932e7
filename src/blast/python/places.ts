/** Where Pythons are looked for, in the order in which they are preferred. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { basename, delimiter, dirname, join } from "node:path";
import { type Environment, userHome, xdgPaths } from "../../kit/config/paths.ts";
import { ANY_VERSION, type PythonRequest } from "./request.ts";

/** A file that may be a Python. */
export interface Candidate {
  readonly path: string;
  /** The version that the folder's name tells, so that a wrong one need not be asked. */
  readonly versionHint?: string;
}

/** One kind of place. */
export interface Place {
  /** For messages: "PATH", "pyenv". */
  readonly name: string;
  /** The folders that are looked into; those that do not exist too. */
  readonly folders: readonly string[];
  candidates(): Iterable<Candidate>;
}

/** The folder of blast's own Pythons. */
export function ownPythonFolder(environment: Environment): string {
  return join(xdgPaths(environment).data, "blast", "python");
}

const MINOR_MAX = 20;
const MINOR_MIN = 6;
const IS_WINDOWS = process.platform === "win32";
const EXTENSION = IS_WINDOWS ? ".exe" : "";

/** Every place, best first. `folder` is the project's. */
export function pythonPlaces(
  environment: Environment,
  folder: string,
  request: PythonRequest,
): Place[] {
  const names = executableNames(request);
  const home = xdgPaths(environment);
  const user = environment["HOME"] ?? userHome();
  const own = ownPythonFolder(environment);
  const uv = environment["UV_PYTHON_INSTALL_DIR"] ?? join(home.data, "uv", "python");
  const asdf = environment["ASDF_DATA_DIR"] ?? join(user, ".asdf");
  const mise = environment["MISE_DATA_DIR"] ?? join(home.data, "mise");
  const pyenv = pyenvRoots(environment, user).map((root) => join(root, "versions"));
  const version = [asdf, mise].map((root) => join(root, "installs", "python"));
  return [
    ...activePlace(environment),
    versionedPlace("blast's own folder", [own]),
    pathPlace(environment, folder, names),
    versionedPlace("pyenv", pyenv),
    versionedPlace("asdf and mise", version),
    versionedPlace("uv", [uv]),
    condaPlace(environment, user),
    systemPlace(names),
  ];
}

/** The environment that is active now. */
function activePlace(environment: Environment): Place[] {
  const folder = environment["VIRTUAL_ENV"];
  if (folder === undefined || folder === "") return [];
  const candidates = (): Candidate[] => prefixCandidates(folder);
  return [{ name: "VIRTUAL_ENV", folders: [folder], candidates }];
}

/** The pythons of an installation or environment by its root. */
export function prefixCandidates(prefix: string, versionHint?: string): Candidate[] {
  const hint = versionHint === undefined ? {} : { versionHint };
  const paths = IS_WINDOWS
    ? [join(prefix, "python.exe"), join(prefix, "Scripts", "python.exe")]
    : ["python3", "python", "pypy3", "graalpy"].map((name) => join(prefix, "bin", name));
  const found = paths.find((path) => existsSync(path));
  // A free-threaded build may bring no name but its own.
  const special = found ?? specialPython(join(prefix, "bin"));
  return special === undefined ? [] : [{ path: special, ...hint }];
}

function specialPython(folder: string): string | undefined {
  const name = entriesOf(folder).find((entry) => /^python3\.\d+[td]*$/.test(entry));
  return name === undefined ? undefined : join(folder, name);
}

/** Folders with one installation each, named after its version: newest first. */
function versionedPlace(name: string, folders: readonly string[]): Place {
  return {
    name,
    folders,
    *candidates() {
      for (const folder of folders) {
        for (const entry of entriesOf(folder).sort(byVersionDown)) {
          if (entry.startsWith(".")) continue;
          const hint = versionInName(entry);
          yield* prefixCandidates(join(folder, entry), hint);
        }
      }
    },
  };
}

/** `3.12.1`, `cpython-3.12.3-linux-x86_64-gnu`, `pypy3.10-7.3.15`; not `miniconda3-latest`. */
function versionInName(name: string): string | undefined {
  return /^(?:cpython-|pypy-?)?(3\.\d+(?:\.\d+(?:(?:a|b|rc)\d+)?)?)(?![\d.])/.exec(name)?.[1];
}

function byVersionDown(a: string, b: string): number {
  const [first, second] = [versionInName(a), versionInName(b)];
  if (first === undefined || second === undefined) {
    return Number(first === undefined) - Number(second === undefined);
  }
  // Finished ones before those that are not, CPython before others.
  const rank = (name: string, version: string): number =>
    Number(/[a-z]/.test(version)) + 2 * Number(/pypy|graal|\dt\b|freethreaded|debug/.test(name));
  const byRank = rank(a, first) - rank(b, second);
  return byRank !== 0 ? byRank : second.localeCompare(first, "en", { numeric: true });
}

/** The likely names in all folders, before the unlikely ones in any: each costs a system call. */
function pathPlace(environment: Environment, folder: string, names: ExecutableNames): Place {
  const { first, others } = names;
  const folders = (environment["PATH"] ?? "").split(delimiter).filter((entry) => entry !== "");
  return {
    name: "PATH",
    folders,
    *candidates() {
      for (const entry of new Set(folders)) {
        if (isShimFolder(entry)) yield* shimCandidates(entry, { environment, folder, names });
        else yield* namedCandidates(entry, first);
      }
      for (const entry of new Set(folders)) {
        if (!isShimFolder(entry)) yield* namedCandidates(entry, others);
      }
    },
  };
}

function* namedCandidates(folder: string, names: readonly string[]): Iterable<Candidate> {
  if (isMacStub(folder)) return;
  for (const name of names) yield { path: join(folder, name) };
}

/** Without the developer tools, macOS's /usr/bin/python3 opens a window that offers them. */
function isMacStub(folder: string): boolean {
  return (
    process.platform === "darwin" &&
    folder === "/usr/bin" &&
    !existsSync("/Library/Developer/CommandLineTools/usr/bin/python3")
  );
}

function isShimFolder(folder: string): boolean {
  return basename(folder) === "shims";
}

/**
 * What a shim would start, without starting it: a shim is a shell script (444 ms where its Python
 * takes 113), and it may choose another Python in another folder.
 */
function* shimCandidates(
  shims: string,
  look: {
    readonly environment: Environment;
    readonly folder: string;
    readonly names: ExecutableNames;
  },
): Iterable<Candidate> {
  const { environment, folder, names } = look;
  const root = dirname(shims);
  const versions = join(root, "versions");
  if (existsSync(versions)) {
    const chosen = environment["PYENV_VERSION"] ?? readText(join(root, "version")) ?? "";
    for (const name of chosen.split(/[\s:]+/)) {
      if (isPlainName(name)) yield* installed(join(versions, name), names);
    }
    return;
  }
  for (const name of toolVersions(environment, folder)) {
    const prefix = join(root, "installs", "python", name);
    if (isPlainName(name)) yield* installed(prefix, names);
  }
}

/** The Python of an installation; where a program is looked for by its name, that one alone. */
function* installed(prefix: string, names: ExecutableNames): Iterable<Candidate> {
  if (names.isExact) yield* namedCandidates(join(prefix, "bin"), names.first);
  else yield* prefixCandidates(prefix, versionInName(basename(prefix)));
}

function isPlainName(name: string): boolean {
  return name !== "" && name !== "system" && !name.includes("/") && !name.startsWith(".");
}

/** asdf's and mise's choice: the `python` line of the nearest .tool-versions, then the user's. */
function toolVersions(environment: Environment, folder: string): string[] {
  for (const place of [...foldersUp(folder), environment["HOME"] ?? userHome()]) {
    const line = /^python[ \t]+(.+)$/m.exec(readText(join(place, ".tool-versions")) ?? "")?.[1];
    if (line !== undefined) return line.replace(/#.*/, "").trim().split(/\s+/);
  }
  return [];
}

function pyenvRoots(environment: Environment, user: string): string[] {
  const named = environment["PYENV_ROOT"];
  const shims = (environment["PATH"] ?? "")
    .split(delimiter)
    .filter((entry) => isShimFolder(entry) && existsSync(join(dirname(entry), "versions")))
    .map(dirname);
  const roots = [...(named === undefined || named === "" ? [] : [named]), ...shims];
  return [...new Set([...roots, join(user, ".pyenv")])];
}

function condaPlace(environment: Environment, user: string): Place {
  const usual = ["miniconda3", "anaconda3", "miniforge3", "mambaforge", "micromamba"];
  const active = [environment["CONDA_PREFIX"], environment["CONDA_ROOT"]];
  const folders = [
    ...active.flatMap((path) => (path === undefined || path === "" ? [] : [path])),
    ...usual.map((name) => join(user, name)),
    "/opt/conda",
    "/opt/miniconda3",
  ];
  return {
    name: "conda",
    folders: [...new Set(folders)],
    *candidates() {
      for (const folder of new Set(folders)) yield* prefixCandidates(folder);
    },
  };
}

function systemPlace({ first, others }: ExecutableNames): Place {
  if (IS_WINDOWS) return launcherPlace();
  const mac = process.platform === "darwin" ? ["/opt/homebrew/bin"] : [];
  const folders = [...mac, "/usr/bin", "/usr/local/bin", "/bin"];
  return {
    name: "the system's folders",
    folders: [...folders, "/opt"],
    *candidates() {
      for (const folder of folders) yield* namedCandidates(folder, [...first, ...others]);
      for (const folder of macFrameworks()) yield* prefixCandidates(folder);
      for (const entry of entriesOf("/opt")) {
        if (!/py/i.test(entry)) continue;
        yield* prefixCandidates(join("/opt", entry));
        // The images that wheels are built in: /opt/python/cp312-cp312.
        for (const inner of entriesOf(join("/opt", entry)).sort(byNumberDown)) {
          if (inner !== "bin" && inner !== "lib") {
            yield* prefixCandidates(join("/opt", entry, inner), versionInName(inner));
          }
        }
      }
    },
  };
}

function macFrameworks(): string[] {
  if (process.platform !== "darwin") return [];
  const root = "/Library/Frameworks/Python.framework/Versions";
  return entriesOf(root)
    .filter((name) => name !== "Current")
    .sort(byNumberDown)
    .map((name) => join(root, name));
}

function byNumberDown(a: string, b: string): number {
  return b.localeCompare(a, "en", { numeric: true });
}

/** Windows: what `py -0p` lists, ` -V:3.12 *  C:\…\python.exe`. */
function launcherPlace(): Place {
  return {
    name: "the py launcher",
    folders: [],
    *candidates() {
      const launcher = Bun.which("py");
      if (launcher === null) return;
      const listed = Bun.spawnSync([launcher, "-0p"], { stderr: "ignore" });
      for (const line of listed.stdout.toString().split(/\r?\n/)) {
        const path = /\s([A-Za-z]:\\.*\.exe)\s*$/.exec(line)?.[1];
        if (path !== undefined) yield { path };
      }
    },
  };
}

/** Names under which a Python may lie in a folder of programs. */
interface ExecutableNames {
  readonly first: readonly string[];
  readonly others: readonly string[];
  /** One program is asked for by its name: nothing else will do. */
  readonly isExact?: boolean;
}

function executableNames(request: PythonRequest): ExecutableNames {
  if (request.kind === "name") {
    return { first: [request.name + EXTENSION], others: [], isExact: true };
  }
  const { implementation, release, exact, freeThreaded } =
    request.kind === "version" ? request : ANY_VERSION;
  const root =
    implementation === undefined || implementation === "cpython" ? "python" : implementation;
  const wanted = release ?? exact?.release.map(Number);
  const suffix = `${freeThreaded ? "t" : ""}${EXTENSION}`;
  const plain = [`${root}3${EXTENSION}`, `${root}${EXTENSION}`];
  if (wanted?.[1] !== undefined) {
    return { first: [`${root}${wanted[0]}.${wanted[1]}${suffix}`], others: plain };
  }
  const others: string[] = [];
  for (let minor = MINOR_MAX; minor >= MINOR_MIN; minor -= 1) {
    others.push(`${root}3.${minor}${suffix}`);
  }
  return { first: plain, others };
}

/** The folder and those above it, nearest first. */
export function foldersUp(folder: string): string[] {
  const folders = [folder];
  for (let at = folder; dirname(at) !== at; at = dirname(at)) folders.push(dirname(at));
  return folders;
}

function entriesOf(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}
