import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";

const ROOT = resolve(import.meta.dir, "../..");
const TIMEOUT_MS = 60_000;

/** The names that dist/ holds: the executable and its symlinks. */
export type ToolName = "triad" | "blit" | "blit-utils" | "blitd" | "blast" | "rastos";

export interface RunOptions {
  readonly cwd?: string;
  /** Added to the small default environment; undefined takes a variable out. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly stdin?: string | Uint8Array;
  /** After this the child is killed and the call throws. */
  readonly timeoutMs?: number;
  /** Fills `peakRssKiB`, by GNU time between us and the child (see {@link peakUnavailable}). */
  readonly measureMemory?: boolean;
}

export interface RunResult {
  /** Exit code; 128 + signal when a signal ended it, as a shell says it. */
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
  readonly peakRssKiB?: number;
}

let built: Promise<void> | undefined;
let home: string | undefined;

/**
 * The path of a compiled tool, built first when it is missing or older than a source.
 * TRIAD_TEST_BINARY names another executable to test, such as an installed one.
 */
export async function binaryPath(name: ToolName = "triad"): Promise<string> {
  const other = process.env["TRIAD_TEST_BINARY"];
  if (other !== undefined && other !== "") return resolve(other, "..", name);
  built ??= buildIfStale();
  await built;
  return join(ROOT, "dist", name);
}

/** Runs the compiled `blit` to its end. */
export function runBlit(args: readonly string[], options?: RunOptions): Promise<RunResult> {
  return runTool("blit", args, options);
}

/** Runs a compiled tool, called by its name, to its end. */
export async function runTool(
  name: ToolName,
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  return await runCommand([await binaryPath(name), ...args], options);
}

/** Runs any command to its end, in the same small environment. */
export async function runCommand(
  command: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const report = options.measureMemory === true ? peakReport() : undefined;
  const prefix = report === undefined ? [] : ["/usr/bin/time", "-q", "-f", "%M", "-o", report];
  const timeoutMs = options.timeoutMs ?? TIMEOUT_MS;
  const child = Bun.spawn([...prefix, ...command], {
    cwd: options.cwd ?? ROOT,
    env: toolEnvironment(options.env),
    stdin: options.stdin === undefined ? "ignore" : new Blob([options.stdin]),
    stdout: "pipe",
    stderr: "pipe",
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill("SIGKILL");
  }, timeoutMs);
  const [stdout, stderr] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  clearTimeout(timer);
  if (late) {
    const shown = command.map((word) => JSON.stringify(word)).join(" ");
    throw new Error(`Killed after ${timeoutMs} ms: ${shown}\n${stdout}\n${stderr}`);
  }
  const peak = report === undefined ? {} : { peakRssKiB: readPeak(report) };
  return { code: exitCode(child), stdout, stderr, ...peak };
}

/**
 * The environment of a tool under test: PATH, a HOME of its own (so no test reads or writes the
 * user's configuration or telemetry), UTF-8, and nothing that switches Bun's own features on.
 */
export function toolEnvironment(extra: RunOptions["env"] = {}): Record<string, string> {
  home ??= temporaryHome();
  const all: Record<string, string | undefined> = {
    PATH: process.env["PATH"] ?? "/usr/local/bin:/usr/bin:/bin",
    HOME: home,
    LANG: "C.UTF-8",
    ...extra,
  };
  const environment: Record<string, string> = {};
  for (const [key, value] of Object.entries(all)) {
    if (value !== undefined) environment[key] = value;
  }
  return environment;
}

/** Why `measureMemory` cannot work here, or undefined. */
export function peakUnavailable(): string | undefined {
  return existsSync("/usr/bin/time") ? undefined : "needs GNU time for peak memory";
}

/**
 * Not Bun's resourceUsage(): a child made by vfork starts with its parent's high-water mark, so
 * that figure is never below the test runner's own. GNU time is small and forks.
 */
function peakReport(): string {
  const reason = peakUnavailable();
  if (reason !== undefined) throw new Error(reason);
  return join(mkdtempSync(join(tmpdir(), "triad-peak-")), "peak");
}

function readPeak(report: string): number {
  const lines = readFileSync(report, "utf8").trim().split("\n");
  rmSync(resolve(report, ".."), { recursive: true, force: true });
  const peak = Number(lines.at(-1));
  if (!Number.isInteger(peak) || peak <= 0) throw new Error(`GNU time wrote ${lines.join("|")}`);
  return peak;
}

function exitCode(child: Bun.Subprocess): number {
  if (child.exitCode !== null) return child.exitCode;
  const signals: Record<string, number> = { SIGINT: 2, SIGKILL: 9, SIGPIPE: 13, SIGTERM: 15 };
  return 128 + (signals[child.signalCode ?? ""] ?? 0);
}

/** bun test runs no exit handlers, so each run sweeps the homes of runs that are over. */
function temporaryHome(): string {
  const prefix = "triad-test-home-";
  for (const name of readdirSync(tmpdir())) {
    if (!name.startsWith(prefix) || existsSync(`/proc/${name.slice(prefix.length)}`)) continue;
    rmSync(join(tmpdir(), name), { recursive: true, force: true });
  }
  const path = join(tmpdir(), `${prefix}${process.pid}`);
  mkdirSync(path, { recursive: true, mode: 0o700 });
  return path;
}

async function buildIfStale(): Promise<void> {
  const binary = join(ROOT, "dist/triad");
  if (existsSync(binary) && statSync(binary).mtimeMs >= newestSourceMs()) return;
  const build = Bun.spawn([process.execPath, "run", "build.ts"], {
    cwd: ROOT,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(build.stdout).text(),
    new Response(build.stderr).text(),
    build.exited,
  ]);
  if (code !== 0) throw new Error(`Cannot build dist/triad\n${stdout}${stderr}`);
}

function newestSourceMs(): number {
  const glob = new Bun.Glob("{bin,ffi,src}/**/*");
  const sources = [...glob.scanSync({ cwd: ROOT }), "build.ts", "package.json", "bun.lock"];
  return Math.max(...sources.map((path) => statSync(join(ROOT, path)).mtimeMs));
}
