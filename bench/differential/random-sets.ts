import { compareVersions, tryParseVersion, type Version } from "../../src/blast/pep/version.ts";
import { DIFFERENTIAL_SETS, type DifferentialSet } from "./sets.ts";

/** How many requirements are put together. */
const LINES_MAX = 6;
/** Of the versions of a project the older ones are left out: few of them have usable metadata. */
const NEWEST_SHARE = 0.4;

/**
 * Sets that nobody wrote: requirements of the written ones in new company and with bounds drawn
 * from the versions that the index has.
 *
 * @param seed the same seed draws the same sets
 */
export async function randomSets(
  indexUrl: string,
  count: number,
  seed: number,
): Promise<DifferentialSet[]> {
  const random = generator(seed);
  const pick = <T>(items: readonly T[]): T => items[Math.floor(random() * items.length)] as T;
  const names = [
    ...new Set(
      DIFFERENTIAL_SETS.filter(({ unsatisfiable }) => unsatisfiable !== true).flatMap(({ lines }) =>
        lines.map((line) => /^[\w.-]+(\[[\w,-]+\])?/.exec(line)?.[0] ?? ""),
      ),
    ),
  ];
  const sets: DifferentialSet[] = [];
  for (let at = 0; at < count; at += 1) {
    const chosen = new Set<string>();
    const size = 2 + Math.floor(random() * (LINES_MAX - 1));
    while (chosen.size < size) chosen.add(pick(names));
    const lines: string[] = [];
    for (const name of chosen)
      lines.push(`${name}${bound(await versionsOf(indexUrl, name), pick)}`);
    const kind = pick(["plain", "plain", "plain", "universal", "lowest-direct", "windows", "3.10"]);
    sets.push({
      id: `random-${seed}-${at}`,
      lines,
      ...(kind === "universal" && { universal: true, pythonVersion: "3.10" }),
      ...(kind === "lowest-direct" && { resolution: "lowest-direct" as const }),
      ...(kind === "windows" && { platform: "windows" as const }),
      ...(kind === "3.10" && { pythonVersion: "3.10" }),
    });
  }
  return sets;
}

function bound(versions: readonly Version[], pick: <T>(items: readonly T[]) => T): string {
  const newest = versions.slice(Math.floor(versions.length * (1 - NEWEST_SHARE)));
  if (newest.length === 0) return "";
  const version = pick(newest);
  return pick(["", `<=${version}`, `<=${version}`, `<${version}`, `>=${version}`, `==${version}`]);
}

/** Final versions, oldest first. */
async function versionsOf(indexUrl: string, requirement: string): Promise<Version[]> {
  const name = requirement
    .replace(/\[.*/, "")
    .toLowerCase()
    .replace(/[-_.]+/g, "-");
  const headers = { accept: "application/vnd.pypi.simple.v1+json" };
  const answer = await fetch(`${indexUrl}${name}/`, { headers });
  const page = (await answer.json()) as { files: { filename: string }[] };
  const found = new Map<string, Version>();
  for (const { filename } of page.files) {
    const [, text] = filename.endsWith(".whl") ? filename.split("-") : [];
    const version = text === undefined ? undefined : tryParseVersion(text);
    if (version !== undefined && !version.isPrerelease) found.set(version.key, version);
  }
  return [...found.values()].sort(compareVersions);
}

/** Numbers below 1: Marsaglia's xorshift. */
function generator(seed: number): () => number {
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    state >>>= 0;
    return state / 2 ** 32;
  };
}
