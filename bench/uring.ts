#!/usr/bin/env bun
/**
 * Is io_uring better than one call per operation, for what blit's local engine does?
 * `bun run bench/uring.ts` measures both on an ext4 of its own, so it needs root and a loop
 * device. SCALE=1 is 100,000 files and a file of 4 GiB. See docs/decisions/0004-io-uring.md.
 */
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { makeSet } from "./data.ts";
import { command, Volume, whyNoVolumes } from "./local/volume.ts";
import { warmMemory } from "./local/warm-memory.ts";
import { machineLine, writeSection } from "./report.ts";
import type { Job, Measured } from "./uring/job.ts";
import { type GroupResult, renderUring } from "./uring/render.ts";
import { GROUPS, type Group, type Place, type Variant } from "./uring/variant.ts";

const RESULTS = join(import.meta.dir, "RESULTS.md");
/** 30,000 files and a file of 1.2 GiB: a run takes about a second. */
const DEFAULT_SCALE = "0.3";
const DEFAULT_ROUNDS = "5";

const USAGE = `Usage: bun run bench/uring.ts [OPTIONS]

  --only small|big|stat|empty
                         Only these groups, printed and not written
  --rounds N             [${DEFAULT_ROUNDS}]
  --scale N              Size of the sets [${DEFAULT_SCALE}; also SCALE in the environment]
  --print                Write nothing, print the section
  --scratch DIR          Where the image goes [the system's temporary folder]`;

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  try {
    if (argv[0] === "--job") return await measureHere(argv[1] ?? "");
    const { values } = parseArgs({
      args: [...argv],
      options: {
        only: { type: "string" },
        rounds: { type: "string", default: DEFAULT_ROUNDS },
        scale: { type: "string", default: process.env["SCALE"] ?? DEFAULT_SCALE },
        scratch: { type: "string", default: tmpdir() },
        print: { type: "boolean", default: false },
        help: { type: "boolean", short: "h", default: false },
      },
    });
    if (values.help) {
      console.log(USAGE);
      return 0;
    }
    const obstacle = whyNoVolumes();
    if (obstacle !== undefined) {
      console.error(`error: Cannot run the benchmark: ${obstacle.problem}`);
      console.error(`hint: ${obstacle.hint}`);
      return 1;
    }
    const groups = GROUPS.filter(({ id }) => values.only === undefined || values.only === id);
    const scale = positive("--scale", values.scale);
    const rounds = positive("--rounds", values.rounds);
    const body = measure(groups, { scale, rounds, scratch: values.scratch });
    console.log(body);
    if (values.print || values.only !== undefined) return 0;
    writeSection(RESULTS, { id: "io-uring", title: "io_uring", body });
    return 0;
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : String(error)}`);
    return 1;
  }
}

/** The measured process: one job, its cost as a line of JSON. */
async function measureHere(json: string): Promise<number> {
  const { measureJob } = await import("./uring/process.ts");
  console.log(JSON.stringify(await measureJob(JSON.parse(json) as Job)));
  return 0;
}

function positive(flag: string, value: string): number {
  const number = Number(value);
  if (number > 0) return number;
  throw new Error(`Cannot use ${flag} ${JSON.stringify(value)}: it is not a number above 0`);
}

interface Settings {
  readonly scale: number;
  readonly rounds: number;
  readonly scratch: string;
}

function measure(groups: readonly Group[], { scale, rounds, scratch }: Settings): string {
  const folder = mkdtempSync(join(scratch, "triad-uring-"));
  try {
    using volume = new Volume(folder, "ext4");
    const place = makePlace(volume, scale);
    const results = groups.map((group) => measureGroup(volume, place, group, rounds));
    const files = `${place.smallFiles.toLocaleString("en")} files of 1 to 4 KiB`;
    const big = `one file of ${(place.bigBytes / 2 ** 30).toFixed(1)} GiB`;
    const data = `ext4 in a fresh loop image, ${files}, ${big}`;
    return renderUring(results, `${machineLine()}. ${data}; ${rounds} rounds.`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function makePlace(volume: Volume, scale: number): Place {
  const small = volume.path("small");
  const made = makeSet(small, "small", scale);
  const folder = volume.path("big");
  const { bytes } = makeSet(folder, "big", scale);
  volume.settle(true);
  return {
    small,
    smallFiles: made.files,
    smallBytes: made.bytes,
    big: join(folder, readdirSync(folder)[0] ?? ""),
    bigBytes: bytes,
    target: volume.path("target"),
  };
}

function measureGroup(volume: Volume, place: Place, group: Group, rounds: number): GroupResult {
  const runs = new Map<Variant, Measured[]>(group.variants.map((variant) => [variant, []]));
  for (let round = 0; round < rounds; round++) {
    for (const variant of shuffled(group.variants)) {
      const measured = measureOnce(volume, place, variant.job(place), round === 0);
      runs.get(variant)?.push(measured);
    }
    console.error(`${group.title}: round ${round + 1} of ${rounds}`);
  }
  const sums = new Set([...runs.values()].flat().map(({ checksum }) => checksum));
  if (sums.size !== 1) throw new Error(`Cannot compare: the statuses differ in ${group.title}`);
  const variants = [...runs].map(([{ label }, all]) => ({ label, runs: all }));
  const { id, title } = group;
  return { title, unit: group.unit(place), decides: id !== "empty", variants };
}

function measureOnce(volume: Volume, place: Place, job: Job, verifies: boolean): Measured {
  if (job.kind === "small" || job.kind === "big") command(["rm", "-rf", place.target]);
  volume.settle(job.kind === "big");
  // Data in the source's page cache, with nothing to write back: gone with this.
  if (job.kind === "big" && job.cold) {
    command(["dd", `if=${job.source}`, "iflag=nocache", "count=0", "status=none"]);
  } else if (job.kind === "big") command(["cp", job.source, "/dev/null"]);
  if (job.kind === "small") warmMemory(4 * place.smallBytes);
  if (job.kind === "big") warmMemory(2 * place.bigBytes);
  const argv = [process.execPath, import.meta.path, "--job", JSON.stringify(job)];
  const measured = JSON.parse(command(argv)) as Measured;
  if (verifies) verify(job, place, measured);
  return measured;
}

/** @throws Error when a run did not do the whole work, or not correctly */
function verify(job: Job, { smallFiles, smallBytes, bigBytes }: Place, done: Measured): void {
  const bytes = { small: smallBytes, big: bigBytes, stat: 0, empty: 0 }[job.kind];
  const items = { small: smallFiles, big: job.threads, stat: 0, empty: 0 }[job.kind];
  if (done.bytes !== bytes || (items > 0 && done.items !== items)) {
    throw new Error(`Cannot trust ${JSON.stringify(job)}: it copied ${done.bytes} bytes`);
  }
  if (job.kind === "big") command(["cmp", job.source, job.target]);
  if (job.kind !== "small") return;
  const flags = ["-naiHAXc", "--delete", "--modify-window=-1", "--omit-dir-times"];
  const found = command(["rsync", ...flags, `${job.source}/`, `${job.target}/`]).trim();
  if (found === "") return;
  throw new Error(`Cannot trust ${JSON.stringify(job)}: it differs: ${found.split("\n")[0]}`);
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  const keyed = items.map((item) => ({ item, key: Math.random() }));
  return keyed.sort((a, b) => a.key - b.key).map(({ item }) => item);
}
