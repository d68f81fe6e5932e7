import { readFileSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import type { KernelSource } from "./source.ts";

type Variables = Readonly<Record<string, string | undefined>>;

/** A call of make for a kernel, ready to be started. */
export interface MakeCall {
  readonly command: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
}

/** What all calls of make for one build have in common. */
export interface MakeOptions {
  readonly source: KernelSource;
  /** `O=`. */
  readonly build: string;
  readonly jobs: number;
  /** Path of ccache, if it is used. */
  readonly ccache: string | undefined;
  /** Every command of make is shown (`V=1`). */
  readonly isVerbose: boolean;
  readonly environment: Variables;
}

/** Of a compiler at work on a large file, with some for the linker. */
const JOB_BYTES = 1024 ** 3;

/** Variables of the caller that a kernel build may see; everything else makes builds differ. */
const KEPT = ["PATH", "HOME", "TMPDIR", "CCACHE_DIR", "CCACHE_MAXSIZE", "XDG_CACHE_HOME"] as const;

/**
 * A call of make with these targets. The date and the names that a kernel would take from the
 * machine are fixed, so that the same source and configuration give the same kernel
 * (Documentation/kbuild/reproducible-builds.rst).
 *
 * @param targets targets and `NAME=value` settings
 * @throws {Fault} E_NOT_FOUND without make
 */
export function makeCall(options: MakeOptions, targets: readonly string[]): MakeCall {
  const { source, build, jobs, ccache, isVerbose, environment } = options;
  const search = { PATH: environment["PATH"] ?? "/usr/bin:/bin" };
  const make = Bun.which("make", search);
  if (make === null) throw missingTools(["make"]);
  const compilers = ccache === undefined ? [] : [`CC=${ccache} gcc`, `HOSTCC=${ccache} gcc`];
  return {
    command: [
      make,
      "-C",
      source.folder,
      `O=${build}`,
      `-j${jobs}`,
      `V=${isVerbose ? 1 : 0}`,
      ...compilers,
      ...targets,
    ],
    environment: makeEnvironment(source, environment),
  };
}

function makeEnvironment(source: KernelSource, environment: Variables): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const name of KEPT) {
    const value = environment[name];
    if (value !== undefined) kept[name] = value;
  }
  const seconds = sourceDateSeconds(source, environment);
  return {
    ...kept,
    // depmod lies in sbin, which the PATH of users need not have.
    PATH: `${kept["PATH"] ?? "/usr/bin:/bin"}:/usr/sbin:/sbin`,
    LC_ALL: "C",
    SOURCE_DATE_EPOCH: String(seconds),
    KBUILD_BUILD_TIMESTAMP: `@${seconds}`,
    KBUILD_BUILD_USER: "rastos",
    KBUILD_BUILD_HOST: "rastos",
    KBUILD_BUILD_VERSION: "1",
  };
}

/** SOURCE_DATE_EPOCH where it is set, else the age of the source itself. */
export function sourceDateSeconds(source: KernelSource, environment: Variables): number {
  const given = environment["SOURCE_DATE_EPOCH"] ?? "";
  if (/^\d{1,12}$/.test(given)) return Number(given);
  return Math.floor(statSync(join(source.folder, "Makefile")).mtimeMs / 1000);
}

/** As many jobs as there are processors, and as memory allows at 1 GiB each; at least one. */
export function defaultJobs(): number {
  const available = /^MemAvailable:\s+(\d+) kB$/m.exec(readQuietly("/proc/meminfo"))?.[1];
  const byMemory = Math.floor((Number(available ?? 0) * 1024) / JOB_BYTES);
  const processors = availableParallelism();
  return Math.max(1, available === undefined ? processors : Math.min(processors, byMemory));
}

/** Programs that every kernel build calls, and the package of Arch that brings each. */
const TOOLS: Readonly<Record<string, string>> = {
  make: "make",
  gcc: "gcc",
  ld: "binutils",
  flex: "flex",
  bison: "bison",
  bc: "bc",
  perl: "perl",
};

/** @throws {Fault} E_NOT_FOUND that names all programs that are missing */
export function requireTools(environment: Variables): void {
  const search = { PATH: environment["PATH"] ?? "/usr/bin:/bin" };
  const missing = Object.keys(TOOLS).filter((name) => Bun.which(name, search) === null);
  if (missing.length > 0) throw missingTools(missing);
}

function missingTools(names: readonly string[]): Fault {
  return new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot build a kernel: ${names.join(", ")} not installed`,
    hint: `install ${names.map((name) => TOOLS[name] ?? name).join(", ")}`,
  });
}

function readQuietly(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
