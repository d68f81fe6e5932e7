#!/usr/bin/env bun
/**
 * Builds the one executable.
 *
 *   bun run build.ts                 dist/triad for this machine, with the symlinks beside it
 *   bun run build.ts --all           dist/<platform>/triad for every platform, each with .sha256
 *   bun run build.ts linux-x64-musl  the named platforms only
 *
 * Bun's own binaries for other platforms come from the npm registry (packages @oven/bun-*)
 * through the ordinary npm client, which checks their integrity; they are kept in .tools/.
 */
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { basename, join } from "node:path";
import packageJson from "./package.json" with { type: "json" };

const ROOT = import.meta.dir;
const DIST = join(ROOT, "dist");
const MIB = 1024 * 1024;

/** The names that the executable answers to through a symlink. */
const LINK_NAMES = ["blast", "blit", "blit-utils", "blitd", "rastos"] as const;

/** Our platform names (as in bin/install.sh) and the npm package that holds Bun for each. */
const PLATFORMS: Readonly<Record<string, string>> = {
  "linux-x64": "@oven/bun-linux-x64",
  "linux-x64-musl": "@oven/bun-linux-x64-musl",
  "linux-arm64": "@oven/bun-linux-aarch64",
  "linux-arm64-musl": "@oven/bun-linux-aarch64-musl",
  "darwin-x64": "@oven/bun-darwin-x64",
  "darwin-arm64": "@oven/bun-darwin-aarch64",
  "windows-x64": "@oven/bun-windows-x64",
};

process.exitCode = await main(process.argv.slice(2));

async function main(args: string[]): Promise<number> {
  const unknown = args.filter((arg) => arg !== "--all" && !(arg in PLATFORMS));
  if (unknown.length > 0) {
    console.error(`error: Cannot build ${JSON.stringify(unknown[0])}: no such platform or flag`);
    console.error(`hint: the platforms are ${Object.keys(PLATFORMS).join(", ")}, and --all`);
    return 2;
  }
  const platforms = args.includes("--all") ? Object.keys(PLATFORMS) : args;
  if (platforms.length === 0) return (await attempt("this machine", buildHere)) ? 0 : 1;
  let failures = 0;
  for (const platform of platforms) {
    if (!(await attempt(platform, () => buildPlatform(platform)))) failures++;
  }
  // dist/ as it stands is a TRIAD_BASE: the installer lies beside the platforms.
  mkdirSync(DIST, { recursive: true });
  copyFileSync(join(ROOT, "bin/install.sh"), join(DIST, "install.sh"));
  if (failures > 0) console.error(`error: ${failures} of ${platforms.length} platforms failed`);
  return failures > 0 ? 1 : 0;
}

/** One failing target must not stop the others; the exit code still tells. */
async function attempt(label: string, build: () => Promise<string>): Promise<boolean> {
  const startedMs = performance.now();
  try {
    const path = await build();
    const seconds = ((performance.now() - startedMs) / 1000).toFixed(1);
    const size = (statSync(path).size / MIB).toFixed(1);
    console.log(`${label}: ${path.slice(ROOT.length + 1)}  ${size} MiB  in ${seconds} s`);
    return true;
  } catch (error) {
    console.error(`error: Cannot build for ${label}`);
    console.error(error instanceof Error ? error.message : String(error));
    if (error instanceof AggregateError) for (const cause of error.errors) console.error(cause);
    return false;
  }
}

async function buildHere(): Promise<string> {
  const path = await compile(DIST, undefined);
  for (const name of LINK_NAMES) replaceSymlink(basename(path), join(DIST, name));
  return path;
}

async function buildPlatform(platform: string): Promise<string> {
  const path = await compile(join(DIST, platform), {
    target: `bun-${platform}` as Bun.Build.CompileTarget,
    executablePath: await bunFor(platform),
  });
  const digest = new Bun.CryptoHasher("sha256").update(await Bun.file(path).bytes()).digest("hex");
  await Bun.write(`${path}.sha256`, `${digest}  ${basename(path)}\n`);
  return path;
}

interface ForeignBun {
  /** Which format of executable to write. */
  readonly target: Bun.Build.CompileTarget;
  readonly executablePath: string;
}

/** Compiles into a folder of its own and renames, so that a reader never meets half a binary. */
async function compile(folder: string, foreign: ForeignBun | undefined): Promise<string> {
  const name = folder.includes("windows") ? "triad.exe" : "triad";
  mkdirSync(folder, { recursive: true });
  const scratch = mkdtempSync(join(folder, ".build-"));
  try {
    const outfile = join(scratch, name);
    await Bun.build({
      entrypoints: [join(ROOT, "bin/triad.ts"), ...workerEntries()],
      // Workers are looked up relative to src/: see src/workers.ts.
      root: join(ROOT, "src"),
      target: "bun",
      format: "esm",
      bytecode: true,
      // In one chunk the node: imports of every lazy module would be loaded at the start: splitting
      // halves the time of `blit --version` (bench/startup.ts).
      splitting: true,
      sourcemap: "linked",
      // Identifiers stay: stack traces of users keep their function names.
      minify: { syntax: true, whitespace: true, identifiers: false },
      define: {
        TRIAD_VERSION: JSON.stringify(packageJson.version),
        TRIAD_COMMIT: JSON.stringify(commit()),
      },
      compile: {
        outfile,
        ...foreign,
        // A bunfig.toml or .env in the caller's folder must never run code in our binary.
        autoloadBunfig: false,
        autoloadDotenv: false,
        autoloadTsconfig: false,
        autoloadPackageJson: false,
      },
    });
    chmodSync(outfile, 0o755);
    const target = join(folder, name);
    renameSync(outfile, target);
    return target;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function workerEntries(): string[] {
  const glob = new Bun.Glob("src/**/*.worker.ts");
  return [...glob.scanSync({ cwd: ROOT, absolute: true })].sort();
}

function commit(): string {
  if (!existsSync(join(ROOT, ".git"))) return "unknown";
  const git = Bun.spawnSync(["git", "-C", ROOT, "rev-parse", "--short=12", "HEAD"], {
    stderr: "ignore",
  });
  return git.success ? git.stdout.toString().trim() : "unknown";
}

function replaceSymlink(target: string, path: string): void {
  const temporary = `${path}.${process.pid}~`;
  symlinkSync(target, temporary);
  renameSync(temporary, path);
}

/**
 * The path of Bun's binary for a platform, fetched once.
 *
 * @throws Error when npm is absent or the registry has no such package
 */
async function bunFor(platform: string): Promise<string> {
  const packageName = PLATFORMS[platform] ?? "";
  const folder = join(ROOT, ".tools", `bun-${Bun.version}`, platform);
  const binary = join(folder, "package/bin", platform.startsWith("windows") ? "bun.exe" : "bun");
  if (existsSync(binary)) return binary;
  mkdirSync(join(folder, ".."), { recursive: true });
  const scratch = mkdtempSync(`${folder}.`);
  try {
    await unpack(await npmPack(`${packageName}@${Bun.version}`, scratch), scratch);
    rmSync(folder, { recursive: true, force: true });
    renameSync(scratch, folder);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  if (!existsSync(binary)) throw new Error(`${packageName} holds no ${basename(binary)}`);
  return binary;
}

/** Downloads a package; npm compares it with the integrity in the registry's own record. */
async function npmPack(spec: string, folder: string): Promise<string> {
  const npm = Bun.which("npm");
  if (npm === null) {
    throw new Error(`Cannot fetch "${spec}": no npm in PATH\nhint: install Node.js with npm`);
  }
  const child = Bun.spawn([npm, "pack", spec, "--pack-destination", folder, "--json"], {
    cwd: folder,
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr, code] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
    child.exited,
  ]);
  if (code !== 0) throw new Error(`Cannot fetch "${spec}": npm exited with ${code}\n${stderr}`);
  const filename: unknown = JSON.parse(stdout)?.[0]?.filename;
  if (typeof filename !== "string") throw new Error(`npm pack "${spec}" names no file: ${stdout}`);
  return join(folder, filename);
}

async function unpack(archive: string, folder: string): Promise<void> {
  const child = Bun.spawn(["tar", "-xzf", archive, "-C", folder], { stderr: "pipe" });
  const [stderr, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  if (code !== 0) throw new Error(`Cannot unpack "${basename(archive)}": ${stderr}`);
  rmSync(archive);
}
