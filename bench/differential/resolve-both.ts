import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Tools } from "../blast/tools.ts";
import { runTimed, type TimedRun } from "../timed-run.ts";
import type { Difference, ResolveOutcome } from "./outcome.ts";
import type { DifferentialSet } from "./sets.ts";

/** Where the runs take place. */
export interface Stage {
  readonly tools: Tools;
  /** Of this run; removed afterwards. */
  readonly scratch: string;
  /** uv's cache, kept: builds of sources are in it. */
  readonly uvCache: string;
  readonly indexUrl: string;
  /** Where the `packaging` library lies. */
  readonly packaging: string;
}

/** Resolves a set with both tools, and compares. */
export function resolveBoth(stage: Stage, set: DifferentialSet): ResolveOutcome {
  const folder = join(stage.scratch, set.id);
  mkdirSync(folder, { recursive: true });
  const flags = flagsFor(folder, set);
  // The first runs record what the index does not have yet, and fill the caches.
  compileWithUv(stage, set, folder, flags);
  const uv = compileWithUv(stage, set, folder, flags);
  compileWithBlast(stage, set, folder, flags);
  const blast = compileWithBlast(stage, set, folder, flags);
  const pins = { uv: pinsIn(uv.stdout), blast: pinsIn(blast.stdout) };
  if (uv.exitCode !== 0 || blast.exitCode !== 0) {
    const flaws = { uv: [], blast: [] };
    return { set, uv, blast, pins, environments: 0, differences: [], flaws };
  }
  return { set, uv, blast, pins, ...judge(stage, set, pins) };
}

/** Variables for a tool: nothing of the user's own configuration counts. */
export function environmentFor(stage: Stage): Record<string, string> {
  const home = join(stage.scratch, "home");
  mkdirSync(home, { recursive: true });
  return {
    HOME: home,
    PATH: "/usr/local/bin:/usr/bin:/bin",
    LC_ALL: "C.UTF-8",
    BLAST_CACHE_DIR: join(stage.scratch, "cache"),
    // An answer that was kept would say nothing about the resolver.
    BLAST_SOLVE_ANEW: "1",
    UV_CACHE_DIR: stage.uvCache,
    UV_PYTHON_DOWNLOADS: "never",
    UV_HTTP_TIMEOUT: "180",
    PIP_CONFIG_FILE: "/dev/null",
  };
}

/** The files of a set, and the flags that name them; the same for both tools. */
export function flagsFor(folder: string, set: DifferentialSet): string[] {
  const write = (name: string, lines: readonly string[] | undefined): string[] => {
    if (lines === undefined) return [];
    writeFileSync(join(folder, name), `${lines.join("\n")}\n`);
    return [`--${name.replace(".txt", "")}`, name];
  };
  write("in.txt", set.lines);
  return [
    ...write("constraint.txt", set.constraints),
    ...write("override.txt", set.overrides),
    ...(set.resolution === undefined ? [] : ["--resolution", set.resolution]),
  ];
}

function targetFlags(set: DifferentialSet): string[] {
  return [
    ...(set.pythonVersion === undefined ? [] : ["--python-version", set.pythonVersion]),
    ...(set.platform === undefined ? [] : ["--python-platform", set.platform]),
    ...(set.universal === true ? ["--universal"] : []),
  ];
}

const PLAIN = ["-q", "--no-header", "--no-annotate"];

function compileWithUv(
  stage: Stage,
  set: DifferentialSet,
  folder: string,
  flags: readonly string[],
): TimedRun {
  const { tools, indexUrl } = stage;
  const start = [tools.uv, "pip", "compile", "--no-config", ...PLAIN];
  const where = ["--python", tools.python, "--default-index", indexUrl, ...targetFlags(set)];
  const pre = set.pre === true ? ["--prerelease", "allow"] : [];
  return runHere(stage, folder, [...start, ...where, ...pre, ...flags, "in.txt"]);
}

function compileWithBlast(
  stage: Stage,
  set: DifferentialSet,
  folder: string,
  flags: readonly string[],
): TimedRun {
  const { tools, indexUrl } = stage;
  const start = [tools.blast, "compile", ...PLAIN];
  const where = ["--python", tools.python, "-i", indexUrl, ...targetFlags(set)];
  const pre = set.pre === true ? ["--pre"] : [];
  return runHere(stage, folder, [...start, ...where, ...pre, ...flags, "in.txt"]);
}

function runHere(stage: Stage, folder: string, argv: readonly string[]): TimedRun {
  return runTimed({
    argv,
    folder,
    environment: environmentFor(stage),
    report: join(stage.scratch, "time.txt"),
    keepsOutput: true,
  });
}

function pinsIn(text: string): string[] {
  return text.split("\n").filter((line) => line.includes("==") && !line.startsWith("#"));
}

interface Verdict {
  readonly flaws: ResolveOutcome["flaws"];
  readonly differences: readonly [string, string | null, string | null, number, string][];
  readonly environments: number;
}

/** Asks closed.py, which knows nothing of either tool. */
function judge(
  stage: Stage,
  set: DifferentialSet,
  answers: ResolveOutcome["pins"],
): Pick<ResolveOutcome, "differences" | "environments" | "flaws"> {
  const question = {
    index: stage.indexUrl,
    requires: set.lines,
    constraints: set.constraints ?? [],
    overrides: set.overrides ?? [],
    lower: set.universal === true ? (set.pythonVersion ?? "3.12") : null,
    markers: { ...pythonMarkers(set.pythonVersion), ...PLATFORM_MARKERS[set.platform ?? "own"] },
    answers,
  };
  const child = Bun.spawnSync([stage.tools.python, join(import.meta.dir, "closed.py")], {
    stdin: Buffer.from(JSON.stringify(question)),
    env: { PYTHONPATH: stage.packaging, LC_ALL: "C.UTF-8", PYTHONDONTWRITEBYTECODE: "1" },
    stderr: "pipe",
  });
  if (child.exitCode !== 0) throw new Error(`${set.id}: ${child.stderr.toString().trim()}`);
  const verdict = JSON.parse(child.stdout.toString()) as Verdict;
  const differences = verdict.differences.map(
    ([name, uv, blast, environments, where]): Difference => ({
      name,
      uv: uv ?? undefined,
      blast: blast ?? undefined,
      environments,
      where,
    }),
  );
  return { differences, flaws: verdict.flaws, environments: verdict.environments };
}

function pythonMarkers(version: string | undefined): Record<string, string> {
  if (version === undefined) return {};
  const full = `${version}.0`;
  return {
    python_version: version,
    python_full_version: full,
    implementation_version: full,
  };
}

const PLATFORM_MARKERS: Readonly<
  Record<"own" | "windows" | "macos", Readonly<Record<string, string>>>
> = {
  own: {},
  windows: {
    os_name: "nt",
    sys_platform: "win32",
    platform_system: "Windows",
    platform_machine: "AMD64",
    platform_release: "",
    platform_version: "",
  },
  macos: {
    os_name: "posix",
    sys_platform: "darwin",
    platform_system: "Darwin",
    platform_machine: "arm64",
    platform_release: "",
    platform_version: "",
  },
};
