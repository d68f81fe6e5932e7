#!/usr/bin/env bun
/**
 * Snapshot and rollback of a system of 3,000 files: the compiled rastos against the btrfs command
 * line and snapper, as whole processes, interleaved: `bun run bench/rastos.ts`. It makes file
 * systems of its own, so it needs root and loop devices. Build first: it measures dist/rastos as it
 * is.
 *
 * It runs in a mount namespace of its own, because snapper keeps its configuration in /etc.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { makeBootableFolder } from "../test/support/deploy-world.ts";
import { cannotMount, mountFilesystem } from "../test/support/loop-filesystem.ts";
import { machineLine, quantile, table, writeSection } from "./report.ts";

const ROOT = resolve(import.meta.dir, "..");
const RASTOS = join(ROOT, "dist/rastos");
const RESULTS = join(import.meta.dir, "RESULTS.md");
const GOAL = 0.7;
const INSIDE = "TRIAD_BENCH_INSIDE";

const USAGE = `Usage: bun run bench/rastos.ts [OPTIONS]

  --rounds N   Runs of each command [40]
  --files N    Files of the system [3000]
  --quick      Try everything out: 3 rounds, 300 files, nothing written
  --print      Write nothing, print the section`;

/** One way to do it; `argv` of run number i. */
interface Arm {
  readonly label: string;
  readonly argv: (run: number) => readonly string[];
  readonly wallMs: number[];
}

/** The same thing, done in several ways; the first is ours. */
interface Contest {
  readonly title: string;
  readonly arms: readonly Arm[];
}

process.exitCode = main(process.argv.slice(2));

function main(argv: readonly string[]): number {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      rounds: { type: "string" },
      files: { type: "string" },
      quick: { type: "boolean", default: false },
      print: { type: "boolean", default: false },
      help: { type: "boolean", default: false, short: "h" },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const reason = whyNot();
  if (reason !== undefined) {
    console.error(`error: Cannot measure: ${reason}`);
    return 1;
  }
  if (process.env[INSIDE] === undefined) return runInside(argv);
  const rounds = Number(values.rounds ?? (values.quick ? 3 : 40));
  const files = Number(values.files ?? (values.quick ? 300 : 3000));
  const body = measure({ rounds, files });
  console.log(body);
  if (!values.quick && !values.print) {
    writeSection(RESULTS, { id: "rastos", title: "rastOS: snapshot and rollback", body });
  }
  return 0;
}

function whyNot(): string | undefined {
  if (!existsSync(RASTOS)) return "dist/rastos is not built";
  for (const name of ["btrfs", "unshare"]) {
    if (Bun.which(name) === null) return `${name} is not installed`;
  }
  return cannotMount("btrfs");
}

function runInside(argv: readonly string[]): number {
  const own = [process.execPath, import.meta.path, ...argv];
  const child = Bun.spawnSync(["unshare", "--mount", "--propagation", "private", ...own], {
    env: { ...process.env, [INSIDE]: "1" },
    stdio: ["inherit", "inherit", "inherit"],
  });
  return child.exitCode;
}

function measure(options: { readonly rounds: number; readonly files: number }): string {
  const scratch = mkdtempSync(join(tmpdir(), "triad-bench-rastos-"));
  try {
    using disk = mountFilesystem({ kind: "btrfs", sizeBytes: 8 * 1024 ** 3 });
    const top = disk.path;
    const system = makeBootableFolder(join(scratch, "system"));
    fill(system, options.files);
    const contests = [snapshotContest(top, system), rollbackContest(top, join(scratch, "esp"))];
    for (let round = 0; round < options.rounds; round++) {
      for (const contest of contests) runRound(contest, top, round);
      if (round % 10 === 9) tidy(top);
    }
    return render(contests, options);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function fill(folder: string, files: number): void {
  for (let index = 0; index < files; index++) {
    const part = index % 20 === 0 ? "etc" : index % 20 === 1 ? "var" : "usr";
    const place = join(folder, part, `d${index % 50}`);
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, `f${index}`), "x".repeat(1000 + ((index * 37) % 3000)));
  }
}

function snapshotContest(top: string, system: string): Contest {
  must([RASTOS, "snapshot", "create", "--from", system, "--root", top]);
  mkdirSync(join(top, "plain/made"), { recursive: true });
  const parts = [
    ["root", "rootfs/snapshot-0"],
    ["etc", "etc/etc-0"],
    ["var", "var/var-0"],
  ] as const;
  for (const [name, source] of parts) {
    must(["btrfs", "subvolume", "snapshot", `${top}/.snapshots/${source}`, `${top}/plain/${name}`]);
  }
  const make = (name: string, run: number): string =>
    `btrfs subvolume snapshot -r ${top}/plain/${name} ${top}/plain/made/${name}-${run}`;
  const arms: Arm[] = [
    arm("rastos clone", () => [RASTOS, "clone", "0", "--root", top]),
    arm("btrfs, the same three subvolumes", (run) => [
      "sh",
      "-c",
      parts.map(([name]) => make(name, run)).join(" && "),
    ]),
    arm("btrfs, one subvolume alone", (run) => make("root", run + 1_000_000).split(" ")),
  ];
  const snapper = prepareSnapper(top, system);
  if (snapper !== undefined) arms.push(arm("snapper create, one subvolume", () => snapper));
  return { title: "snapshot", arms };
}

/** Its command line, where it is installed and can be set up. */
function prepareSnapper(top: string, system: string): readonly string[] | undefined {
  if (Bun.which("snapper") === null) return undefined;
  const subvolume = join(top, "snapped");
  must(["btrfs", "subvolume", "create", subvolume]);
  must(["cp", "-a", `${system}/.`, subvolume]);
  // Only this mount namespace sees it.
  must(["mount", "-t", "tmpfs", "tmpfs", "/etc/snapper"]);
  mkdirSync("/etc/snapper/configs");
  const defaults = mkdtempSync("/etc/snapper/default-");
  must(["cp", "-a", "/etc/default/.", defaults]);
  must(["mount", "--bind", defaults, "/etc/default"]);
  const snapper = ["snapper", "--no-dbus", "-c", "bench"];
  must([...snapper, "create-config", subvolume]);
  return [...snapper, "create", "-d", "bench"];
}

function rollbackContest(top: string, esp: string): Contest {
  mkdirSync(esp);
  const deploy = (snapshot: string): void =>
    must([RASTOS, "deploy", snapshot, "--tries", "0", "--root", top, "--esp", esp]);
  must([RASTOS, "clone", "0", "--root", top]);
  deploy("0");
  deploy("1");
  mkdirSync(join(top, "plain/booted"));
  const make = (name: string, run: number): string =>
    `btrfs subvolume snapshot ${top}/plain/${name} ${top}/plain/booted/${name}-${run}`;
  const arms = [
    arm("rastos rollback", (run) => [
      ...[RASTOS, "rollback", String((run % 2) + 1), "--yes"],
      ...["--root", top, "--esp", esp],
    ]),
    arm("btrfs, three clones and set-default", (run) => [
      "sh",
      "-c",
      [
        ...["root", "etc", "var"].map((name) => make(name, run)),
        `btrfs subvolume set-default ${top}/plain/booted/root-${run}`,
      ].join(" && "),
    ]),
  ];
  return { title: "rollback", arms };
}

function arm(label: string, argv: Arm["argv"]): Arm {
  return { label, argv, wallMs: [] };
}

function runRound({ arms }: Contest, top: string, round: number): void {
  const order = [...arms].sort(() => Math.random() - 0.5);
  for (const { argv, wallMs } of order) {
    // Each begins with nothing left to write from the one before.
    must(["btrfs", "filesystem", "sync", top]);
    const command = argv(round);
    const start = Bun.nanoseconds();
    must(command);
    wallMs.push((Bun.nanoseconds() - start) / 1e6);
  }
}

/** What was made goes: a file system full of snapshots is slow for everybody. */
function tidy(top: string): void {
  must([RASTOS, "snapshot", "prune", "--keep-last", "0", "--yes", "--root", top]);
  must(["sh", "-c", `btrfs subvolume delete ${top}/plain/made/*`]);
}

function must(command: readonly string[]): void {
  const run = Bun.spawnSync([...command], { stdin: "ignore", stdout: "ignore", stderr: "pipe" });
  if (run.success) return;
  throw new Error(`${command.join(" ")}: ${run.stderr.toString().trim()}`);
}

function render(
  contests: readonly Contest[],
  options: { readonly rounds: number; readonly files: number },
): string {
  const lines = contests.flatMap(({ title, arms }) => {
    const ours = arms[0];
    return arms.map(({ label, wallMs }) => [
      title,
      label,
      spread(wallMs, 1),
      ours === undefined || ours.label === label ? "" : ratioText(ours.wallMs, wallMs),
    ]);
  });
  return [
    `${machineLine()}. ${options.files} files, ${options.rounds} rounds, whole processes.`,
    "",
    table(["what", "how", "ms: median (quartiles)", "ours / theirs, round by round"], lines),
    "",
    `Goal: at most ${GOAL}. A clone of rastOS is one commit of the file system, that of its root;`,
    "etc and var it has in common with its parent (docs/decisions/0013). A rollback is one step on",
    "the boot partition, with its preparation and its end, and a write of the state: what is gone",
    "back to is there already.",
  ].join("\n");
}

function ratioText(ours: readonly number[], theirs: readonly number[]): string {
  const ratios = ours.map((value, index) => value / (theirs[index] ?? Number.NaN));
  return spread(ratios, 2);
}

/** Median and quartiles. */
function spread(samples: readonly number[], decimals: number): string {
  const at = (share: number): string => quantile(samples, share).toFixed(decimals);
  return `${at(0.5)} (${at(0.25)}–${at(0.75)})`;
}
