import { existsSync, readdirSync, readFileSync, realpathSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { binaryPath, type RunOptions, type RunResult, runCommand } from "./binary.ts";
import { secondFilesystem } from "./second-filesystem.ts";
import { startTestIndex, type TestIndex } from "./test-index.ts";
import { createWorkspace, type Workspace } from "./workspace.ts";

/** A user of blast with an index, a home and a project of his own. */
export interface BlastWorld extends AsyncDisposable {
  readonly work: Workspace;
  readonly index: TestIndex;
  /** The working folder; empty at first. */
  readonly project: string;
  readonly venv: string;
  readonly cache: string;
  /** Of every run of blast. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs blast in the project's folder. */
  blast(args: readonly string[], options?: RunOptions): Promise<RunResult>;
  /** The same, in words; fails if blast does. */
  ok(...args: string[]): Promise<RunResult>;
  /** The same; fails unless blast ends with 1, or another code that is given first. */
  fails(...args: (string | number)[]): Promise<RunResult>;
  /** Writes a file of the project; lines that are indented alike are moved to the left. */
  write(path: string, text: string): string;
  read(path: string): string;
  has(path: string): boolean;
  /** What is installed, by normalised name; from the names of the dist-info folders. */
  installed(venv?: string): Record<string, string>;
  /** Runs the environment's Python; what it prints. */
  python(code: string, venv?: string): string;
  /** Names that are marked as asked for (PEP 376). */
  requested(): string[];
  /** What an independent look at the RECORDs finds wrong. */
  flaws(venv?: string): string[];
  /** A file of an installed package's dist-info folder; undefined if it is not there. */
  info(name: string, file: string): string | undefined;
  /** The folder of modules. */
  site(venv?: string): string;
}

/**
 * Makes the user.
 *
 * @param parent where to make all of it; by default in memory, where there is such a file system
 */
export async function blastWorld(parent?: string): Promise<BlastWorld> {
  const work = createWorkspace(parent ?? secondFilesystem());
  const index = startTestIndex();
  const project = work.folder("project");
  const program = await binaryPath("blast");
  const env = {
    HOME: work.folder("home"),
    PATH: `${dirname(basePython())}:/usr/bin:/bin`,
    PIP_INDEX_URL: index.url,
    PIP_CONFIG_FILE: "/dev/null",
    BLAST_CACHE_DIR: work.at("cache"),
  };
  const world: BlastWorld = {
    work,
    index,
    project,
    venv: join(project, ".venv"),
    cache: env.BLAST_CACHE_DIR,
    env,
    blast: (args, options = {}) =>
      runCommand([program, ...args], {
        cwd: project,
        ...options,
        env: { ...env, ...options.env },
      }),
    ok: (...args) => ended(world, args, 0),
    fails: (...args) =>
      typeof args[0] === "number"
        ? ended(world, args.slice(1).map(String), args[0])
        : ended(world, args.map(String), 1),
    write: (path, text) => work.write(`project/${path}`, outdented(text)),
    read: (path) => readFileSync(join(project, path), "utf8"),
    has: (path) => existsSync(join(project, path)),
    installed: (venv) => installedIn(world.site(venv)),
    python(code, venv = world.venv) {
      const run = Bun.spawnSync([join(venv, "bin/python"), "-c", code], {
        cwd: work.path,
        env: { PATH: env.PATH },
      });
      if (!run.success) throw new Error(run.stderr.toString());
      return run.stdout.toString().trim();
    },
    requested: () =>
      Object.keys(world.installed()).filter((name) => world.info(name, "REQUESTED") !== undefined),
    flaws: (venv = world.venv) => flawsOf(world.site(venv), join(venv, "bin")),
    info(name, file) {
      const site = world.site();
      const folder = readdirSync(site).find((one) =>
        one.startsWith(`${name.replaceAll("-", "_")}-`),
      );
      const path = join(site, folder ?? "", file);
      return folder !== undefined && existsSync(path) ? readFileSync(path, "utf8") : undefined;
    },
    site: (venv = world.venv) => siteOf(venv),
    async [Symbol.asyncDispose]() {
      await index[Symbol.asyncDispose]();
      work[Symbol.dispose]();
    },
  };
  return world;
}

async function ended(world: BlastWorld, args: readonly string[], code: number): Promise<RunResult> {
  const result = await world.blast(args);
  if (result.code === code) return result;
  const { stdout, stderr } = result;
  throw new Error(`blast ${args.join(" ")} ended with ${result.code}\n${stdout}\n${stderr}`);
}

let base: string | undefined;

/** The interpreter that environments are made from; no shim of a version manager. */
export function basePython(): string {
  if (base !== undefined) return base;
  const code = "import sys; print(sys.executable)";
  const run = Bun.spawnSync([Bun.which("python3") ?? "python3", "-c", code]);
  if (!run.success) throw new Error(`python3: ${run.stderr.toString()}`);
  base = join(realpathSync(dirname(run.stdout.toString().trim())), "python3");
  return base;
}

const CHECK = resolve(import.meta.dir, "record-check.py");

function flawsOf(site: string, scripts: string): string[] {
  const run = Bun.spawnSync([basePython(), "-I", "-S", CHECK, site, scripts]);
  if (!run.success) throw new Error(run.stderr.toString());
  return run.stdout
    .toString()
    .split("\n")
    .filter((line) => line !== "");
}

function siteOf(venv: string): string {
  const [name] = readdirSync(join(venv, "lib")).filter((one) => one.startsWith("python"));
  return join(venv, "lib", name ?? "", "site-packages");
}

function installedIn(site: string): Record<string, string> {
  const found: Record<string, string> = {};
  for (const folder of readdirSync(site).sort()) {
    const [, name, version] = /^(.+)-([^-]+)\.dist-info$/.exec(folder) ?? [];
    if (name === undefined || version === undefined) continue;
    found[name.replaceAll("_", "-").toLowerCase()] = version;
  }
  return found;
}

/** Text of a test's source without the indentation that it has there. */
function outdented(text: string): string {
  const lines = text.replace(/^\n/, "").split("\n");
  const indents = lines.filter((line) => line.trim() !== "").map((line) => line.search(/\S/));
  const indent = Math.min(...indents);
  const moved = lines.map((line) => line.slice(Math.min(indent, line.length)));
  return `${moved.join("\n").trimEnd()}\n`;
}
