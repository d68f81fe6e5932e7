#!/usr/bin/env bun
/**
 * blast against uv, pip and virtualenv, side by side in one run: `bun run bench/blast.ts`. The
 * index is a recording on loopback, the same for all of them; the first pass records what is not
 * there yet. Build first: it measures dist/blast as it is. The peers are those of bin/test
 * (.tools/python).
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { Contest, type Task } from "./blast/contest.ts";
import { renderTasks } from "./blast/render.ts";
import { startReplayIndex, whyNoReplayIndex } from "./blast/replay-index.ts";
import { SETS } from "./blast/sets.ts";
import { tasksFor } from "./blast/tasks.ts";
import { findTools, versionLines } from "./blast/tools.ts";
import { machineLine, writeSection } from "./report.ts";

const ROOT = resolve(import.meta.dir, "..");
const RESULTS = join(import.meta.dir, "RESULTS.md");

const USAGE = `Usage: bun run bench/blast.ts [OPTIONS]

  --task A,B     Only tasks whose name begins with one of these: start, resolve, install, sync
  --set A,B      Only these: ${SETS.map(({ id }) => id).join(", ")}
  --rounds N     Rounds [7]
  --python PATH  The interpreter [python3.12 or python3 of PATH]
  --store DIR    Where the recorded index lies [bench/results/index, not in git]
  --note TEXT    Something about this run that readers have to know
  --section NAME A section of its own, so that the one of other sets stays
  --print        Write nothing, print the section`;

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      task: text,
      set: text,
      rounds: text,
      python: text,
      store: text,
      note: text,
      section: text,
      print: flag,
      help: { ...flag, short: "h" },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const obstacle = whyNoReplayIndex();
  const tools = findTools(ROOT, values.python);
  if (obstacle !== undefined || typeof tools === "string") {
    console.error(`error: Cannot run the benchmark: ${obstacle ?? tools}`);
    return 1;
  }
  const sets = SETS.filter(({ id }) => values.set?.split(",").includes(id) ?? true);
  const prefixes = values.task?.split(",");
  const store = resolve(values.store ?? join(import.meta.dir, "results/index"));
  mkdirSync(store, { recursive: true });
  const scratch = mkdtempSync(join(tmpdir(), "triad-blast-"));
  const index = await startReplayIndex(store, false);
  try {
    const tasks = tasksFor({ tools, sets, scratch, indexUrl: index.url }).filter(
      ({ id }) => prefixes?.some((prefix) => id.startsWith(prefix)) ?? true,
    );
    const contest = new Contest(scratch);
    const results = [];
    for (const task of tasks) {
      console.error(task.title);
      results.push(contest.measure(task, roundsOf(task, values.rounds)));
    }
    const body = [
      `${machineLine()}. ${versionLines(tools).join("; ")}.`,
      ...(values.note === undefined ? [] : ["", `**${values.note}**`]),
      "",
      "Every tool uses the same recorded index on loopback (JSON, PEP 658, ETag, max-age=600), in",
      "rounds of shuffled order, each with its own cache. Cold: the tool's cache is empty before",
      "each run. Warm: it has run before. Ratios: blast's wall time over the peer's in the same",
      "round, median (lowest–highest). blast keeps the answers of resolutions and takes one again",
      "while every page that it came from is unchanged; uv and pip resolve each time. The rows",
      '"solved anew" are without that.',
      "",
      renderTasks(results),
    ].join("\n");
    console.log(body);
    const { section } = values;
    const named =
      section === undefined
        ? { id: "blast", title: "Blast" }
        : { id: `blast-${section}`, title: `Blast: ${section}` };
    if (!values.print) writeSection(RESULTS, { ...named, body });
    return 0;
  } finally {
    await index.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
}

function roundsOf(task: Task, given: string | undefined): number {
  return given === undefined ? task.rounds : Math.max(1, Number(given));
}
