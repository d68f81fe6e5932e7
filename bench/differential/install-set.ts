import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { runTimed } from "../timed-run.ts";
import type { InstallOutcome } from "./outcome.ts";
import { environmentFor, flagsFor, type Stage } from "./resolve-both.ts";
import type { DifferentialSet } from "./sets.ts";

const PINS_FILE = "pins.txt";

/**
 * Installs a set with blast, imports it, asks pip whether it is consistent, and lets pip uninstall
 * what blast installed.
 *
 * @param pins what blast's own answer was
 */
export function installSet(
  stage: Stage,
  set: DifferentialSet,
  pins: readonly string[],
): InstallOutcome {
  const folder = join(stage.scratch, `${set.id}-install`);
  const venv = join(folder, "venv");
  mkdirSync(folder, { recursive: true });
  const { tools, indexUrl } = stage;
  writeFileSync(join(folder, PINS_FILE), `${pins.join("\n")}\n`);
  makeEnvironment(stage, venv);
  const before = new Set(filesUnder(venv));
  const environment = environmentFor(stage);
  const where = ["-q", "--python", venv, "-i", indexUrl];
  const pre = set.pre === true ? ["--pre"] : [];
  const command = ["install", ...where, ...pre, ...flagsFor(folder, set), "-r", "in.txt"];
  const report = join(stage.scratch, "time.txt");
  const argv = [tools.blast, ...command];
  const installed = runTimed({ argv, folder, environment, report });
  const failures: string[] = [];
  if (installed.exitCode === 0) {
    failures.push(...faultsOfInstall(venv, set, pins));
    failures.push(...faultsOfImport(stage, venv, set, folder));
    failures.push(...faultsOfCheck(stage, venv, set, folder));
    failures.push(...leftByPip(stage, venv, set, before));
  } else {
    failures.push(`blast install exits with ${installed.exitCode}: ${installed.stderr.trim()}`);
  }
  rmSync(folder, { recursive: true, force: true });
  rmSync(join(stage.scratch, "cache"), { recursive: true, force: true });
  const { wall, peakMib } = installed;
  return { set, packages: pins.length, wall, peakMib, failures };
}

/** What lies in the environment against what was resolved. */
function faultsOfInstall(venv: string, set: DifferentialSet, pins: readonly string[]): string[] {
  const failures: string[] = [];
  const site = siteFolder(venv);
  const folders = readdirSync(site).filter((name) => name.endsWith(".dist-info"));
  const found = folders.map((name) => {
    const [project = "", version = ""] = name.slice(0, -".dist-info".length).split("-");
    return `${normalized(project)}==${version}`;
  });
  const wanted = pins.map((pin) => (pin.split(";")[0] ?? "").trim());
  for (const pin of missingFrom(found, wanted)) failures.push(`not installed: ${pin}`);
  for (const pin of missingFrom(wanted, found)) failures.push(`not resolved: ${pin}`);
  const requested = folders
    .filter((name) => existsSync(join(site, name, "REQUESTED")))
    .map((name) => normalized(name.split("-")[0] ?? ""));
  const roots = set.lines.map((line) => normalized(/^[\w.-]+/.exec(line)?.[0] ?? ""));
  if (requested.sort().join() !== [...new Set(roots)].sort().join()) {
    failures.push(`REQUESTED is on ${requested.join(", ")}`);
  }
  return failures;
}

function missingFrom(have: readonly string[], wanted: readonly string[]): string[] {
  const set = new Set(have);
  return wanted.filter((item) => !set.has(item));
}

function faultsOfImport(
  stage: Stage,
  venv: string,
  set: DifferentialSet,
  folder: string,
): string[] {
  const failures: string[] = [];
  for (const name of set.imports ?? []) {
    const argv = [join(venv, "bin/python"), "-c", `import ${name}`];
    const words = run(argv, folder, environmentFor(stage));
    if (words !== undefined) failures.push(`import ${name}: ${words}`);
  }
  return failures;
}

/** pip's opinion. */
function faultsOfCheck(stage: Stage, venv: string, set: DifferentialSet, folder: string): string[] {
  // Who overrides what packages ask for wants what pip complains about.
  if (set.overrides !== undefined) return [];
  const words = run([...stage.tools.pip, "--python", venv, "check"], folder, environmentFor(stage));
  return words === undefined ? [] : [`pip check: ${words}`];
}

/**
 * What is still there when pip has uninstalled everything. Folders that several distributions share
 * pip leaves behind after its own installs, too: so the same is done with pip alone, and only what
 * is there in excess counts.
 */
function leftByPip(
  stage: Stage,
  venv: string,
  set: DifferentialSet,
  before: ReadonlySet<string>,
): string[] {
  const left = leftAfterUninstall(stage, venv, before);
  if (typeof left === "string") return [left];
  if (left.length === 0) return [];
  const control = `${venv}-of-pip`;
  const { tools, indexUrl } = stage;
  makeEnvironment(stage, control);
  const fresh = new Set(filesUnder(control));
  const argv = [...tools.pip, "--python", control, "install", "-q", "--no-deps", "-i", indexUrl];
  const folder = join(venv, "..");
  const words = run([...argv, "-r", PINS_FILE], folder, environmentFor(stage));
  if (words !== undefined) return [`pip install: ${words}`];
  // Some write into their own folder when they are imported.
  faultsOfImport(stage, control, set, folder);
  const leftAnyway = leftAfterUninstall(stage, control, fresh);
  if (typeof leftAnyway === "string") return [leftAnyway];
  const excess = missingFrom(leftAnyway, left);
  return excess.length === 0 ? [] : [`left by pip: ${excess.slice(0, 10).join(", ")}`];
}

/** Paths, or what went wrong. */
function leftAfterUninstall(
  stage: Stage,
  venv: string,
  before: ReadonlySet<string>,
): string[] | string {
  const names = readdirSync(siteFolder(venv))
    .filter((name) => name.endsWith(".dist-info"))
    .map((name) => name.split("-")[0] ?? "");
  const argv = [...stage.tools.pip, "--python", venv, "uninstall", "-q", "-y", ...names];
  const words = run(argv, join(venv, ".."), environmentFor(stage));
  if (words !== undefined) return `pip uninstall: ${words}`;
  return filesUnder(venv).filter((path) => !before.has(path) && !/^\.blast(\/|$)/.test(path));
}

function makeEnvironment({ tools }: Stage, venv: string): void {
  run([tools.python, "-m", "venv", "--without-pip", venv], join(venv, ".."));
}

function siteFolder(venv: string): string {
  const lib = join(venv, "lib");
  return join(lib, readdirSync(lib)[0] ?? "", "site-packages");
}

function filesUnder(folder: string): string[] {
  // lib64 is a link to lib.
  return readdirSync(folder, { recursive: true, encoding: "utf8" }).filter(
    (path) => !path.startsWith("lib64/"),
  );
}

function normalized(name: string): string {
  return name.toLowerCase().replace(/[-_.]+/g, "-");
}

/** Undefined: all is well; else the last words. */
function run(
  argv: readonly string[],
  folder: string,
  environment: Record<string, string> = {},
): string | undefined {
  const child = Bun.spawnSync([...argv], {
    cwd: folder,
    env: environment,
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  if (child.exitCode === 0) return undefined;
  const text = `${child.stdout.toString()}${child.stderr.toString()}`.trim();
  return text.split("\n").slice(-12).join(" / ");
}
