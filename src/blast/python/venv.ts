/** Makes environments as `python -m venv --without-pip` does (PEP 405), without starting Python. */
import {
  closeSync,
  existsSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";
import { writeFileAtomic } from "../../kit/store/atomic.ts";
import { versionInfo } from "../../kit/version.ts";
import { activateScripts } from "./activate-scripts.ts";
import { basePythonOf, type Interpreter } from "./probe.ts";
import { copyWindowsLaunchers } from "./venv-windows.ts";

/** How an environment is made. */
export interface VenvOptions {
  /** What the prompt shows; by default the name of the folder above `.venv`. */
  readonly prompt?: string | undefined;
  /** Sees the packages of its base Python as well. */
  readonly systemSitePackages?: boolean;
  /** Takes the place of an environment that is there; never of anything else. */
  readonly clear?: boolean;
  /** The Python that the project's files ask for now, as written: kept, to know when it changes. */
  readonly wish?: string | undefined;
}

const MARK = "CACHEDIR.TAG";
const TAG = `Signature: 8a477f597d28d172789f06886806bc55
# This folder is a Python environment made by blast; it can be made again.
# For information about cache directory tags see https://bford.info/cachedir/
`;
const IS_WINDOWS = process.platform === "win32";

/**
 * Makes an environment. pyvenv.cfg is written last: without it nobody takes the folder for an
 * environment, and the next call finishes what a crash has left.
 *
 * @throws {Fault} E_REFUSED when something else is in the way, or the path cannot work; E_IO
 */
export function createVenv(folder: string, interpreter: Interpreter, options: VenvOptions): void {
  const root = resolve(folder);
  checkPath(root);
  try {
    if (!makeFolder(root)) takeOver(root, options.clear === true);
    fill(root, interpreter, options);
  } catch (error) {
    if (error instanceof Fault) throw error;
    const code = (error as NodeJS.ErrnoException).code;
    throw new Fault({
      code: code === "ENOSPC" || code === "EDQUOT" ? "E_NO_SPACE" : "E_IO",
      message: `Cannot make the environment "${root}": ${reasonOf(error)}`,
      cause: error,
    });
  }
}

/** Neither PATH nor pyvenv.cfg nor a `#!` line could hold such a path. */
function checkPath(root: string): void {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
  const bad = (IS_WINDOWS ? /[;\u0000-\u001f]/ : /[:\u0000-\u001f\u007f]/).exec(root)?.[0];
  if (bad === undefined) return;
  throw new Fault({
    code: "E_REFUSED",
    message: `Cannot make the environment "${root}": ${JSON.stringify(bad)} in its path`,
    hint: "PATH separates folders by it, or shells cannot tell it: choose another folder",
  });
}

/** False when it was there already. */
function makeFolder(path: string): boolean {
  try {
    mkdirSync(path);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === "EEXIST") return false;
    if (code !== "ENOENT") throw error;
    mkdirSync(dirname(path), { recursive: true });
    mkdirSync(path);
    return true;
  }
}

/**
 * Refuses what {@link createVenv} with `clear` would refuse, and changes nothing.
 *
 * @throws {Fault} E_REFUSED
 */
export function checkVenvFolder(folder: string): void {
  const root = resolve(folder);
  checkPath(root);
  if (existsSync(root)) entriesToClear(root, true);
}

/** Clears an environment, goes on with an unfinished one, refuses everything else. */
function takeOver(root: string, clear: boolean): void {
  const entries = entriesToClear(root, clear);
  if (entries.length === 0) return;
  // From here on it is no environment; the mark goes last, so that an unfinished one is known.
  unlinkSync(join(root, "pyvenv.cfg"));
  writeFileSync(join(root, MARK), TAG);
  for (const entry of entries) {
    if (entry !== MARK && entry !== "pyvenv.cfg") {
      rmSync(join(root, entry), { recursive: true, force: true });
    }
  }
}

/** What has to go first: nothing in an empty folder, or one that was left unfinished. */
function entriesToClear(root: string, clear: boolean): readonly string[] {
  if (!statSync(root).isDirectory()) {
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot make the environment "${root}": a file is in the way`,
      hint: "remove it, or choose another folder",
    });
  }
  const entries = readdirSync(root);
  if (entries.length === 0) return [];
  const isVenv = entries.includes("pyvenv.cfg");
  if (!isVenv && isUnfinished(root, entries)) return [];
  if (!isVenv || !clear) {
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot make the environment "${root}": ${
        isVenv ? "there is one already" : "the folder is no environment, and not empty"
      }`,
      hint: isVenv ? "remove it first" : "choose another folder, or empty this one",
    });
  }
  return entries;
}

/** Made by us, and given up before pyvenv.cfg was written. */
function isUnfinished(root: string, entries: readonly string[]): boolean {
  if (!entries.includes(MARK)) return false;
  const text = readFileSync(join(root, MARK), "utf8");
  return TAG.startsWith(text) || text === TAG;
}

function fill(root: string, interpreter: Interpreter, options: VenvOptions): void {
  const { venvPaths } = interpreter;
  const scripts = join(root, venvPaths.scripts);
  const prompt = options.prompt ?? defaultPrompt(root);
  write(join(root, MARK), TAG);
  write(join(root, ".gitignore"), "*\n");
  make(scripts);
  for (const packages of new Set([venvPaths.purelib, venvPaths.platlib])) {
    // `lib64/…` of Fedora leads to `lib/…`.
    if (!(needsLib64(interpreter) && packages.startsWith("lib64/"))) makeDeep(root, packages);
  }
  if (needsLib64(interpreter)) link("lib", join(root, "lib64"));
  if (IS_WINDOWS) copyWindowsLaunchers(scripts, interpreter);
  else linkPython(scripts, interpreter);
  const facts = { folder: root, prompt, scripts: venvPaths.scripts };
  for (const [name, text] of activateScripts(facts)) write(join(scripts, name), text);
  if (!IS_WINDOWS) link("Activate.ps1", join(scripts, "activate.ps1"));
  write(join(root, "pyvenv.cfg"), venvConfig(interpreter, { ...options, prompt }));
}

function defaultPrompt(root: string): string {
  const name = basename(root);
  return name.startsWith(".") ? basename(dirname(root)) || name : name;
}

function linkPython(scripts: string, interpreter: Interpreter): void {
  const { implementation, version, path, isFreeThreaded } = interpreter;
  link(path, join(scripts, "python"));
  const [major, minor] = version.split(".");
  const names = [`python${major}`, `python${major}.${minor}`];
  if (isFreeThreaded) names.push(`python${major}.${minor}t`);
  if (implementation !== "cpython") {
    names.push(implementation, `${implementation}${major}`, `${implementation}${major}.${minor}`);
  }
  for (const name of names) link("python", join(scripts, name));
}

function needsLib64(interpreter: Interpreter): boolean {
  return process.platform === "linux" && interpreter.pointerBits === 64;
}

function venvConfig(
  interpreter: Interpreter,
  options: VenvOptions & { readonly prompt: string },
): string {
  const lines = [
    `home = ${dirname(interpreter.path)}`,
    `implementation = ${interpreter.markers.platform_python_implementation}`,
    `version_info = ${interpreter.version}`,
    `include-system-site-packages = ${options.systemSitePackages === true}`,
    `prompt = ${oneLine(options.prompt)}`,
    `blast = ${versionInfo().version}`,
    ...(options.wish === undefined ? [] : [`blast-python = ${oneLine(options.wish)}`]),
  ];
  return `${lines.join("\n")}\n`;
}

function oneLine(text: string): string {
  return text.replace(/[\r\n]+/g, " ");
}

/** Writes a new file; one that a crash has left is written again. */
function write(path: string, text: string): void {
  const fd = openSync(path, "w", 0o644);
  try {
    const bytes = Buffer.from(text);
    let done = 0;
    while (done < bytes.length) done += writeSync(fd, bytes, done);
  } finally {
    closeSync(fd);
  }
}

function make(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

function makeDeep(root: string, relative: string): void {
  let path = root;
  for (const part of relative.split(/[/\\]/)) {
    path = join(path, part);
    make(path);
  }
}

function link(target: string, path: string): void {
  try {
    symlinkSync(target, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    // On a file system that folds case, Activate.ps1 is activate.ps1.
    if (!lstatSync(path).isSymbolicLink() || readlinkSync(path) === target) return;
    unlinkSync(path);
    symlinkSync(target, path);
  }
}

/**
 * Gives an environment another name: in pyvenv.cfg, and in the activate scripts if they are ours.
 *
 * @throws {Fault} E_IO
 */
export function renameVenv(folder: string, interpreter: Interpreter, name: string): void {
  const config = join(folder, "pyvenv.cfg");
  const prompt = name.replace(/[\r\n]+/g, " ");
  const lines = readFileSync(config, "utf8").trimEnd().split(/\r?\n/);
  const isOurs = lines.some((line) => /^blast\s*=/.test(line));
  const kept = lines.filter((line) => !/^prompt\s*=/.test(line));
  writeFileAtomic({ path: config, content: `${[...kept, `prompt = ${prompt}`].join("\n")}\n` });
  if (!isOurs) return;
  const { scripts } = interpreter.venvPaths;
  for (const [file, text] of activateScripts({ folder: resolve(folder), prompt, scripts })) {
    writeFileAtomic({ path: join(folder, scripts, file), content: text });
  }
}

/** The path of the base Python of an environment, if it is still there. */
export function basePathOf(venv: string): string | undefined {
  const python = IS_WINDOWS ? join(venv, "Scripts", "python.exe") : join(venv, "bin", "python");
  return basePythonOf(venv, python);
}
