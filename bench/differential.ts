#!/usr/bin/env bun
/**
 * blast against uv on real requirement sets: the same pins, or a difference with an explanation;
 * then what blast resolved is installed, imported, checked by pip and uninstalled by pip. See
 * docs/testing.md. Build first: it asks dist/blast as it is.
 */
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { startReplayIndex, whyNoReplayIndex } from "./blast/replay-index.ts";
import { findTools, versionLines } from "./blast/tools.ts";
import { installSet } from "./differential/install-set.ts";
import {
  complaintAbout,
  type InstallOutcome,
  type ResolveOutcome,
} from "./differential/outcome.ts";
import { randomSets } from "./differential/random-sets.ts";
import { renderOutcomes } from "./differential/render-outcomes.ts";
import { resolveBoth, type Stage } from "./differential/resolve-both.ts";
import { DIFFERENTIAL_SETS, type DifferentialSet } from "./differential/sets.ts";
import { writeSection } from "./report.ts";

const ROOT = resolve(import.meta.dir, "..");
const DOCUMENT = join(ROOT, "docs/blast-differential.md");
/** Smaller answers say little when they are installed. */
const PACKAGES_MIN = 10;

const USAGE = `Usage: bun run bench/differential.ts [OPTIONS]

  --set A,B      Only these sets
  --random N     N random sets in place of the written ones, only resolved
  --seed N       What they are drawn by [1]
  --no-install   Only resolve
  --install A,B  Install only these sets of those that are resolved
  --python PATH  The interpreter [python3.12 or python3 of PATH]
  --blast PATH   The executable [dist/blast]
  --work DIR     Recordings and uv's cache [bench/results/differential, not in git]
  --port N       Of the recorded index: uv's cache belongs to it [8799]
  --print        Write nothing, print the section`;

process.exitCode = await main(process.argv.slice(2));

async function main(argv: readonly string[]): Promise<number> {
  const text = { type: "string" } as const;
  const flag = { type: "boolean", default: false } as const;
  const { values } = parseArgs({
    args: [...argv],
    options: {
      set: text,
      random: text,
      seed: { ...text, default: "1" },
      "no-install": flag,
      install: text,
      python: text,
      blast: text,
      work: text,
      port: { ...text, default: "8799" },
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
    console.error(`error: Cannot compare: ${obstacle ?? tools}`);
    return 1;
  }
  const work = resolve(values.work ?? join(import.meta.dir, "results/differential"));
  mkdirSync(join(work, "index"), { recursive: true });
  const scratch = mkdtempSync(join(tmpdir(), "triad-differential-"));
  const index = await startReplayIndex(join(work, "index"), false, Number(values.port));
  try {
    const stage: Stage = {
      tools: { ...tools, ...(values.blast && { blast: resolve(values.blast) }) },
      scratch,
      uvCache: join(work, "uv-cache"),
      indexUrl: index.url,
      packaging: sitePackages(),
    };
    const ids = values.set?.split(",");
    const sets =
      values.random === undefined
        ? DIFFERENTIAL_SETS.filter(({ id }) => ids === undefined || ids.includes(id))
        : await randomSets(index.url, Number(values.random), Number(values.seed));
    const chosen = values.install?.split(",");
    const isInstalled = ({ id }: DifferentialSet): boolean =>
      !values["no-install"] && (chosen === undefined || chosen.includes(id));
    const { resolved, installed } = runAll(stage, sets, isInstalled);
    const versions = versionLines(stage.tools).join("; ");
    const body = `${versions}.\n\n${renderOutcomes(resolved, installed)}`;
    if (values.print || ids !== undefined || values.random !== undefined) console.log(body);
    else writeSection(DOCUMENT, { id: "differential", title: "The last run", body });
    const isFine =
      resolved.every((outcome) => complaintAbout(outcome) === undefined) &&
      installed.every(({ failures }) => failures.length === 0);
    return isFine ? 0 : 1;
  } finally {
    await index.stop();
    rmSync(scratch, { recursive: true, force: true });
  }
}

function runAll(
  stage: Stage,
  sets: readonly DifferentialSet[],
  isInstalled: (set: DifferentialSet) => boolean,
): { resolved: ResolveOutcome[]; installed: InstallOutcome[] } {
  const resolved: ResolveOutcome[] = [];
  const installed: InstallOutcome[] = [];
  for (const set of sets) {
    const outcome = resolveBoth(stage, set);
    resolved.push(outcome);
    const complaint = complaintAbout(outcome);
    console.error(`${set.id}: ${complaint ?? `${outcome.pins.blast.length} pins, fine`}`);
    const pins = outcome.pins.blast;
    if (!isInstalled(set) || set.imports === undefined || pins.length < PACKAGES_MIN) continue;
    const result = installSet(stage, set, pins);
    installed.push(result);
    console.error(`  installed: ${result.failures.join("; ") || "fine"}`);
  }
  return { resolved, installed };
}

/** Where bin/test put the `packaging` library. */
function sitePackages(): string {
  const found = new Bun.Glob(".tools/python/lib/python3*/site-packages");
  const [first] = found.scanSync({ cwd: ROOT, dot: true, onlyFiles: false, absolute: true });
  if (first === undefined) throw new Error("there is no .tools/python: run bin/test once");
  return first;
}
