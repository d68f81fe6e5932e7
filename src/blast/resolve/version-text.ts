import type { VersionRange } from "../pep/range.ts";
import type { Page } from "./page.ts";

/** More single versions than this are told by their number. */
const SHOWN_MAX = 4;

/**
 * The versions of a project that lie in a range, as a person would say it: `flask==2.0`,
 * `flask>=2.0`, `flask (all versions)`. Of a project that is not known, the range as it is.
 */
export function versionsText(name: string, range: VersionRange, page: Page | undefined): string {
  if (page === undefined) return range.isFull() ? name : `${name}${range}`;
  const runs = runsOf(range, page);
  const last = page.versions.length - 1;
  const [first] = runs;
  if (first === undefined) return range.isFull() ? name : `${name}${range}`;
  if (first.newest === 0 && first.oldest === last && last > 0) return `every version of ${name}`;
  if (runs.length > SHOWN_MAX) {
    const newest = page.versionAt(first.newest);
    const oldest = page.versionAt(runs[runs.length - 1]?.oldest ?? last);
    return `${name} from ${oldest} to ${newest}`;
  }
  const texts = runs.map(({ newest, oldest }) => {
    const upper = page.versionAt(newest);
    const lower = page.versionAt(oldest);
    if (newest === oldest) return `==${upper}`;
    if (newest === 0) return `>=${lower}`;
    return oldest === last ? `<=${upper}` : `>=${lower},<=${upper}`;
  });
  return `${name}${texts.reverse().join(" | ")}`;
}

/** The versions that exist: `1.0, 1.1`, or `versions 1.0 to 9.2`. */
export function availableText({ versions }: Page): string {
  const [newest] = versions;
  const oldest = versions[versions.length - 1];
  if (newest === undefined || oldest === undefined) return "no versions";
  if (versions.length <= SHOWN_MAX) {
    return versions
      .map(({ version }) => version.toString())
      .reverse()
      .join(", ");
  }
  return `versions ${oldest.version} to ${newest.version}`;
}

/** Whether a range holds a version that exists. */
export function holdsAny(range: VersionRange, page: Page): boolean {
  return !page.within(range).next().done;
}

interface Run {
  readonly newest: number;
  oldest: number;
}

/** Versions in a row, newest first. */
function runsOf(range: VersionRange, page: Page): Run[] {
  const runs: Run[] = [];
  for (const index of page.within(range)) {
    const open = runs[runs.length - 1];
    if (open !== undefined && open.oldest === index - 1) open.oldest = index;
    else runs.push({ newest: index, oldest: index });
  }
  return runs;
}
