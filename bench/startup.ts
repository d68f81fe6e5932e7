#!/usr/bin/env bun
/**
 * Cold start and peak memory of light commands against a hello world compiled with the same
 * flags: `bun run bench/startup.ts [--check]`. Rounds alternate between the commands, so that a
 * noisy neighbour hits all of them; each ratio is taken within its round.
 *
 * --check fails when `blit --version` misses its goal, and writes nothing.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { machineLine, quantile, table, writeSection } from "./report.ts";

const ROOT = resolve(import.meta.dir, "..");
const RESULTS = join(import.meta.dir, "RESULTS.md");
const ROUNDS = 7;
const RUNS_PER_ROUND = 25;
const MEMORY_RUNS = 15;
const GOAL = { wall: 1.5, memory: 1.3 };

interface Contender {
  readonly label: string;
  readonly command: readonly string[];
  /** Wall milliseconds of each run. */
  readonly wallMs: number[];
  /** Median wall of each round over hello world's in that round. */
  readonly ratios: number[];
  readonly peakKiB: number[];
}

process.exitCode = await main(process.argv.includes("--check"));

async function main(checkOnly: boolean): Promise<number> {
  for (const tool of ["hyperfine", "/usr/bin/time"]) {
    if (Bun.which(tool) !== null) continue;
    console.error(`error: Cannot measure: ${JSON.stringify(tool)} is not installed`);
    return 1;
  }
  await run([process.execPath, "run", join(ROOT, "build.ts")]);
  const scratch = mkdtempSync(join(tmpdir(), "triad-startup-"));
  try {
    const contenders = await prepare(scratch);
    for (let round = 0; round < ROUNDS; round++) await measureRound(contenders, scratch);
    for (const contender of contenders) await measureMemory(contender, scratch);
    const verdict = judge(contenders);
    const body = render(contenders, verdict);
    console.log(body);
    if (checkOnly) return verdict.met ? 0 : 1;
    writeSection(RESULTS, { id: "start-up", title: "Start-up", body });
    return 0;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function prepare(scratch: string): Promise<Contender[]> {
  const source = join(scratch, "hello.ts");
  const hello = join(scratch, "hello");
  writeFileSync(source, 'console.log("hello");\n');
  await Bun.build({
    entrypoints: [source],
    target: "bun",
    format: "esm",
    bytecode: true,
    sourcemap: "linked",
    minify: { syntax: true, whitespace: true, identifiers: false },
    compile: { outfile: hello, autoloadBunfig: false, autoloadDotenv: false },
  });
  const blit = join(ROOT, "dist/blit");
  const commands: [string, string[]][] = [
    ["hello world", [hello]],
    ["blit --version", [blit, "--version"]],
    ["triad --version", [join(ROOT, "dist/triad"), "--version"]],
    ["blit --help", [blit, "--help"]],
    ["blit copy --help", [blit, "copy", "--help"]],
    ["blit cpy (a typo)", [blit, "cpy"]],
  ];
  return commands.map(([label, command]) => ({
    label,
    command,
    wallMs: [],
    ratios: [],
    peakKiB: [],
  }));
}

async function measureRound(contenders: readonly Contender[], scratch: string): Promise<void> {
  const report = join(scratch, "hyperfine.json");
  const options = ["-N", "-i", "--style=none", "--warmup=3", `--runs=${RUNS_PER_ROUND}`];
  const shells = contenders.map(({ command }) => command.map((word) => `'${word}'`).join(" "));
  await run(["hyperfine", ...options, `--export-json=${report}`, ...shells]);
  const { results } = JSON.parse(readFileSync(report, "utf8")) as {
    results: { times: number[] }[];
  };
  const medians = results.map(({ times }) => quantile(times, 0.5));
  const base = medians[0] ?? Number.NaN;
  for (const [index, contender] of contenders.entries()) {
    contender.wallMs.push(...(results[index]?.times ?? []).map((seconds) => seconds * 1000));
    contender.ratios.push((medians[index] ?? Number.NaN) / base);
  }
}

/** GNU time forks; a child of Bun itself would start with Bun's own high-water mark. */
async function measureMemory(contender: Contender, scratch: string): Promise<void> {
  const report = join(scratch, "peak");
  for (let index = 0; index < MEMORY_RUNS; index++) {
    const timed = ["/usr/bin/time", "-q", "-f", "%M", "-o", report, ...contender.command];
    await Bun.spawn(timed, { stdout: "ignore", stderr: "ignore" }).exited;
    contender.peakKiB.push(Number(readFileSync(report, "utf8").trim()));
  }
}

interface Verdict {
  readonly wall: number;
  readonly memory: number;
  readonly met: boolean;
}

function judge(contenders: readonly Contender[]): Verdict {
  const [hello, blit] = contenders;
  if (hello === undefined || blit === undefined) throw new Error("Nothing was measured");
  const wall = quantile(blit.ratios, 0.5);
  const memory = quantile(blit.peakKiB, 0.5) / quantile(hello.peakKiB, 0.5);
  return { wall, memory, met: wall < GOAL.wall && memory <= GOAL.memory };
}

function render(contenders: readonly Contender[], verdict: Verdict): string {
  const baseKiB = quantile(contenders[0]?.peakKiB ?? [], 0.5);
  const rows = contenders.map(({ label, wallMs, ratios, peakKiB }) => [
    `\`${label}\``,
    ...[0.25, 0.5, 0.75].map((share) => quantile(wallMs, share).toFixed(2)),
    `${quantile(ratios, 0.5).toFixed(2)} (${range(ratios)})`,
    (quantile(peakKiB, 0.5) / 1024).toFixed(1),
    (quantile(peakKiB, 0.5) / baseKiB).toFixed(2),
  ]);
  const header = ["command", "q1 ms", "median ms", "q3 ms", "x hello", "peak MiB", "x hello"];
  const runs = ROUNDS * RUNS_PER_ROUND;
  const goal = `below ${GOAL.wall} x hello world in time and at most ${GOAL.memory} x in memory`;
  const got = `${verdict.wall.toFixed(2)} x and ${verdict.memory.toFixed(2)} x`;
  return [
    `${machineLine()}. Compiled executables, warm page cache, output discarded,`,
    `${runs} runs each in ${ROUNDS} alternating rounds of hyperfine; peak memory is the median of`,
    `${MEMORY_RUNS} runs under GNU time. Ratios are medians over the rounds (lowest–highest).`,
    "",
    table(header, rows),
    "",
    `Goal: \`blit --version\` ${goal}: ${got}, ${verdict.met ? "met" : "**missed**"}.`,
  ].join("\n");
}

function range(samples: readonly number[]): string {
  return `${Math.min(...samples).toFixed(2)}–${Math.max(...samples).toFixed(2)}`;
}

async function run(command: readonly string[]): Promise<void> {
  const child = Bun.spawn([...command], { stdout: "ignore", stderr: "pipe" });
  const [stderr, code] = await Promise.all([new Response(child.stderr).text(), child.exited]);
  if (code !== 0) throw new Error(`${command[0]} exited with ${code}: ${stderr}`);
}
