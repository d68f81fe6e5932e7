#!/usr/bin/env bun
/**
 * blit over the network against the rsync daemon, rclone serve and the original Blit, side by side
 * in one run: `bun run bench/remote.ts`. It makes file systems and network namespaces of its own,
 * so it needs root. Build first: it measures dist/blit and dist/blitd as they are.
 *
 * The original Blit is taken from .tools/blit-original/bin when it is there; made by
 * `BLIT_GIT_SHA=000000000000 cargo install blit-transfer blit-daemon --root .tools/blit-original`.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Interrupted, Stopwatch } from "./local/measure.ts";
import { whyNoVolumes } from "./local/volume.ts";
import { LINK_KINDS, Link, whyNoLink } from "./remote/link.ts";
import { measureMemory } from "./remote/memory.ts";
import { renderResults } from "./remote/render.ts";
import { merged, type Results, type Row, readResults, writeResults } from "./remote/results.ts";
import { measureRow, type Session } from "./remote/row.ts";
import { SCENARIOS } from "./remote/scenario.ts";
import { findTools } from "./remote/tool.ts";
import { machineLine, writeSection } from "./report.ts";

const ROOT = resolve(import.meta.dir, "..");
const RESULTS = join(import.meta.dir, "RESULTS.md");
const RAW = join(import.meta.dir, "results", "remote.jsonl");
const QUICK = { scale: 0.02, rounds: 2 };

const USAGE = `Usage: bun run bench/remote.ts [OPTIONS]

  --scenario A,B   Only these: ${SCENARIOS.map(({ id }) => id).join(", ")}; or memory
  --link A,B       Only these: ${LINK_KINDS.join(", ")}
  --tools A,B      Only these beside blit: blit-tls, rsync, rclone, original, reference
  --rounds N       In place of each scenario's own number
  --scale N        Size of the sets [1; also SCALE in the environment]
  --quick          Try everything out: scale ${QUICK.scale}, ${QUICK.rounds} rounds, nothing written
  --print          Write nothing, print the section
  --scratch DIR    Where the images go, 24 GiB sparse [the system's temporary folder]
  --dist DIR       Where blit and blitd are [dist]
  --original DIR   Where the original Blit is [.tools/blit-original/bin]

Rows of an earlier session stay in the table when machine, scale and the other tools are the same.`;

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  try {
    const options = readOptions(argv);
    if (options === undefined) {
      console.log(USAGE);
      return 0;
    }
    return await run(options);
  } catch (error) {
    console.error(`error: ${error instanceof Error ? error.message : error}`);
    return error instanceof Interrupted ? 130 : 1;
  }
}

type Options = NonNullable<ReturnType<typeof readOptions>>;

function readOptions(argv: readonly string[]) {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      scenario: text,
      link: text,
      tools: text,
      rounds: text,
      scale: text,
      scratch: text,
      dist: text,
      original: text,
      quick: flag,
      print: flag,
      help: { ...flag, short: "h" },
    },
  });
  if (values.help) return undefined;
  const scale = values.scale ?? process.env["SCALE"];
  const rounds = values.rounds ?? (values.quick ? String(QUICK.rounds) : undefined);
  return {
    scenarios: chosen("--scenario", values.scenario, [...SCENARIOS.map(({ id }) => id), "memory"]),
    links: chosen("--link", values.link, LINK_KINDS),
    peers: values.tools?.split(","),
    rounds: rounds === undefined ? undefined : positive("--rounds", rounds),
    scale: scale === undefined ? (values.quick ? QUICK.scale : 1) : positive("--scale", scale),
    scratch: values.scratch ?? tmpdir(),
    dist: resolve(values.dist ?? join(ROOT, "dist")),
    original: resolve(values.original ?? join(ROOT, ".tools/blit-original/bin")),
    writes: !values.quick && !values.print,
  };
}

function chosen<Name extends string>(
  flag: string,
  value: string | undefined,
  all: readonly Name[],
): readonly Name[] {
  if (value === undefined) return all;
  const names = value.split(",");
  const unknown = names.find((name) => !all.some((known) => known === name));
  if (unknown !== undefined) {
    const known = all.join(", ");
    throw new Error(`Cannot use ${flag} ${JSON.stringify(unknown)}: it is none of ${known}`);
  }
  return all.filter((name) => names.includes(name));
}

function positive(flag: string, value: string): number {
  const number = Number(value);
  if (number > 0) return number;
  throw new Error(`Cannot use ${flag} ${JSON.stringify(value)}: it is not a number above 0`);
}

async function run(options: Options): Promise<number> {
  const obstacle = whyNoVolumes();
  if (obstacle !== undefined) {
    console.error(`error: Cannot run the benchmark: ${obstacle.problem}`);
    console.error(`hint: ${obstacle.hint}`);
    return 1;
  }
  const scratch = mkdtempSync(join(options.scratch, "triad-bench-"));
  try {
    mkdirSync(join(scratch, "home"));
    await measureAll(newSession(options, scratch), options);
    return 0;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function newSession(options: Options, scratch: string): Session {
  const tools = findTools({
    blit: join(options.dist, "blit"),
    blitd: join(options.dist, "blitd"),
    original: join(options.original, "blit"),
    originalDaemon: join(options.original, "blit-daemon"),
    scratch,
  }).filter(({ id }) => id === "blit" || (options.peers?.includes(id) ?? true));
  // A handler instead of the default end, which would leave the volume mounted. It runs between
  // two runs only: a run that the same Ctrl-C ends is told apart by its signal.
  let stop = false;
  const handler = (): void => {
    stop = true;
  };
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, handler);
  const path = process.env["PATH"] ?? "";
  return {
    scratch,
    environment: { HOME: join(scratch, "home"), PATH: path, LC_ALL: "C.UTF-8" },
    scale: options.scale,
    rounds: options.rounds,
    tools,
    stopwatch: new Stopwatch(scratch),
    say: (line) => console.error(line),
    checkpoint: async () => {
      await Bun.sleep(1);
      if (stop) throw new Interrupted("The benchmark was ended by a signal");
    },
  };
}

/** Writes after each row, so that an interrupted session keeps what it has. */
async function measureAll(session: Session, options: Options): Promise<void> {
  const rows: Row[] = [];
  let memory: Results["memory"];
  const before = options.writes ? readResults(RAW) : undefined;
  const results = (): Results => {
    const { tools, scale } = session;
    const versions = Object.fromEntries(tools.map(({ id, version }) => [id, version]));
    const labels = Object.fromEntries(tools.map(({ id, label }) => [id, label]));
    const now = { machine: machineLine().replace(/^\S+ /, ""), scale, versions, labels };
    return merged(before, { ...now, rows, memory });
  };
  const save = (): void => {
    if (!options.writes) return;
    writeResults(RAW, results());
    const body = renderResults(results());
    writeSection(RESULTS, { id: "remote", title: "Transfers over the network", body });
  };
  for (const kind of options.links) {
    const obstacle = whyNoLink(kind);
    if (obstacle !== undefined) {
      session.say(`${kind}: not measured, ${obstacle}`);
      continue;
    }
    using link = new Link(kind);
    for (const scenario of SCENARIOS.filter(({ id }) => options.scenarios.includes(id))) {
      session.say(`${kind}: ${scenario.title}`);
      rows.push(await measureRow(session, scenario, link));
      save();
    }
    if (kind !== "loopback" || !options.scenarios.includes("memory")) continue;
    session.say("memory");
    memory = await measureMemory(session, link);
    save();
  }
  console.log(renderResults(results()));
}
