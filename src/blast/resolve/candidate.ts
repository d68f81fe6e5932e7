import type { PackageName } from "../pep/name.ts";
import type { VersionRange } from "../pep/range.ts";
import { pythonRange } from "../pep/specifier.ts";
import { parseTagTriples, type WheelTag } from "../pep/tag.ts";
import type { Version } from "../pep/version.ts";
import { type BuildTag, compareBuilds, parseWheelName } from "../pep/wheel-name.ts";
import type { DirectSource, IndexFile, NameChoice, ProjectVersion } from "./port.ts";

/** Why a version cannot be taken. */
export type Problem =
  /** All files were uploaded after the date that was asked for. */
  | { readonly kind: "too-new" }
  /** No wheel's tags are known to the target, and there is no source. */
  | { readonly kind: "tags"; readonly tags: readonly string[] }
  /** Only wheels, and wheels were ruled out. */
  | { readonly kind: "no-binary" }
  /** Only sources, and sources were ruled out. */
  | { readonly kind: "no-source" }
  /** Another Python is needed. Soft: the lower bound is met. */
  | { readonly kind: "python"; readonly requires: string; readonly soft: boolean }
  | { readonly kind: "yanked"; readonly reason: string }
  /** What it says of itself cannot be used. */
  | { readonly kind: "metadata"; readonly reason: string }
  | { readonly kind: "no-files" };

/** What is to be known of one version before it can be chosen. */
export interface Candidate {
  readonly version: Version;
  /** Usable ones, best first. */
  readonly files: readonly IndexFile[];
  /** The one to ask for metadata; undefined where there is none, or a direct source. */
  readonly metadataFile: IndexFile | undefined;
  readonly source: DirectSource | undefined;
  /** The text of Requires-Python; set later where only the metadata tells it. */
  requiresPython: string | undefined;
  /** Set later where the metadata turns out to be of no use. */
  problem: Problem | undefined;
}

/** How the Python of the target stands to a Requires-Python text. */
export type PythonFit = "fits" | "too-old" | "too-new";

/** What the target and the user say about files. */
export interface FileRules {
  /** How good a wheel with such tags is: 0 is best. Undefined: it can't be used. */
  priority(tags: readonly WheelTag[]): number | undefined;
  readonly noBinary: NameChoice;
  readonly onlyBinary: NameChoice;
  readonly excludeNewerMs: number | undefined;
  /** The answers so far, by the text of the tags. */
  readonly ranks: Map<string, number>;
  pythonFit(requiresPython: string): PythonFit;
}

/** Tags that messages name, of one version. */
const TAGS_MAX = 200;

/** Looks at the files of a version. */
export function examine(
  name: PackageName,
  { version, files }: { version: Version; files: readonly IndexFile[] },
  rules: FileRules,
): Candidate {
  const sorted = new FileSorter(name, rules);
  for (const file of files) sorted.add(file);
  return sorted.candidate(version);
}

/** The candidate that a page's version is. */
export function examineVersion(
  name: PackageName,
  projectVersion: ProjectVersion,
  rules: FileRules,
): Candidate {
  const { version } = projectVersion;
  return examine(name, { version, files: projectVersion.files() }, rules);
}

/** Whether a choice of names holds a name. */
export function isChosen(choice: NameChoice, name: PackageName): boolean {
  return choice === "all" || choice.has(name);
}

const ranges = new Map<string, VersionRange | undefined>();
const RANGES_MAX = 10_000;

/** What a Requires-Python text holds; undefined where it is no specifier: it is then ignored. */
export function pythonRangeOfText(text: string): VersionRange | undefined {
  if (ranges.has(text)) return ranges.get(text);
  let range: VersionRange | undefined;
  try {
    range = pythonRange(text);
  } catch {
    range = undefined;
  }
  if (ranges.size >= RANGES_MAX) ranges.clear();
  ranges.set(text, range);
  return range;
}

interface Ranked {
  readonly file: IndexFile;
  /** Lower is better. */
  readonly rank: number;
  readonly build: BuildTag | undefined;
}

/** Where sources stand among ranked files: behind every wheel. */
const SOURCE_RANK = Number.MAX_SAFE_INTEGER;

class FileSorter {
  readonly #rules: FileRules;
  readonly #noBinary: boolean;
  readonly #onlyBinary: boolean;
  #usable: Ranked[] = [];
  #foreignWheel: IndexFile | undefined;
  #tags: string[] = [];
  #problem: Problem = { kind: "no-files" };

  constructor(name: PackageName, rules: FileRules) {
    this.#rules = rules;
    this.#noBinary = isChosen(rules.noBinary, name);
    this.#onlyBinary = isChosen(rules.onlyBinary, name);
  }

  add(file: IndexFile): void {
    const { excludeNewerMs } = this.#rules;
    if (excludeNewerMs !== undefined && !isUploadedBy(file, excludeNewerMs)) {
      this.#fail({ kind: "too-new" });
      return;
    }
    if (file.kind === "sdist") {
      if (this.#onlyBinary) this.#fail({ kind: "no-source" });
      else this.#take(file, SOURCE_RANK, undefined);
      return;
    }
    if (this.#noBinary) {
      this.#fail({ kind: "no-binary" });
      return;
    }
    this.#addWheel(file);
  }

  candidate(version: Version): Candidate {
    const unyanked = this.#usable.filter(({ file }) => file.yanked === false);
    const ranked = unyanked.length > 0 ? unyanked : this.#usable;
    ranked.sort(byRank);
    const files = ranked.map(({ file }) => file);
    const [best] = files;
    const wheel = best?.kind === "sdist" && !this.#noBinary ? this.#foreignWheel : undefined;
    const asked = wheel ?? best;
    return {
      version,
      files,
      metadataFile: asked,
      source: undefined,
      requiresPython: best?.requiresPython,
      problem: best === undefined ? this.#withTags() : problemOf(best, this.#rules),
    };
  }

  #addWheel(file: IndexFile): void {
    const { filename } = file;
    const start = tagsStart(filename);
    // A file whose name says nothing can't be chosen.
    if (start === undefined) return;
    const text = filename.slice(start, -".whl".length);
    const rank = rankOf(text, this.#rules);
    if (rank !== undefined) {
      this.#take(file, rank, buildOf(filename, start));
      return;
    }
    this.#foreignWheel ??= file;
    if (this.#tags.length < TAGS_MAX) this.#tags.push(text);
    this.#fail(FOREIGN_TAGS);
  }

  #take(file: IndexFile, rank: number, build: BuildTag | undefined): void {
    const { requiresPython } = file;
    if (requiresPython !== undefined && this.#rules.pythonFit(requiresPython) === "too-old") {
      this.#fail({ kind: "python", requires: requiresPython, soft: false });
      return;
    }
    this.#usable.push({ file, rank, build });
  }

  /** Of several reasons the one is told that came nearest to being usable. */
  #fail(problem: Problem): void {
    if (NEARNESS[problem.kind] > NEARNESS[this.#problem.kind]) this.#problem = problem;
  }

  #withTags(): Problem {
    return this.#problem.kind === "tags" ? { kind: "tags", tags: this.#tags } : this.#problem;
  }
}

const NEARNESS: Readonly<Record<Problem["kind"], number>> = {
  "no-files": 0,
  "too-new": 1,
  "no-binary": 2,
  "no-source": 3,
  tags: 4,
  python: 5,
  yanked: 6,
  metadata: 7,
};
const FOREIGN_TAGS: Problem = { kind: "tags", tags: [] };

/** Where the tags begin in the name of a wheel. */
function tagsStart(filename: string): number | undefined {
  if (!filename.endsWith(".whl")) return undefined;
  const platform = filename.lastIndexOf("-");
  const abi = filename.lastIndexOf("-", platform - 1);
  const python = filename.lastIndexOf("-", abi - 1);
  return python > 0 ? python + 1 : undefined;
}

/** How good tags are; they repeat from file to file. */
function rankOf(text: string, rules: FileRules): number | undefined {
  const known = rules.ranks.get(text);
  if (known !== undefined) return known === UNFIT ? undefined : known;
  let rank: number | undefined;
  try {
    rank = rules.priority(parseTagTriples(text));
  } catch {
    rank = undefined;
  }
  rules.ranks.set(text, rank ?? UNFIT);
  return rank;
}

const UNFIT = -1;

/** The build number is the part that most names lack. */
function buildOf(filename: string, tags: number): BuildTag | undefined {
  const version = filename.indexOf("-") + 1;
  if (filename.indexOf("-", version) + 1 >= tags) return undefined;
  try {
    return parseWheelName(filename).build;
  } catch {
    return undefined;
  }
}

/** What speaks against the best file of a version. */
function problemOf(best: IndexFile, rules: FileRules): Problem | undefined {
  const { requiresPython, yanked } = best;
  if (yanked !== false) return { kind: "yanked", reason: yanked };
  if (requiresPython !== undefined && rules.pythonFit(requiresPython) === "too-new") {
    return { kind: "python", requires: requiresPython, soft: true };
  }
  return undefined;
}

function isUploadedBy(file: IndexFile, limitMs: number): boolean {
  return file.uploadTime !== undefined && Date.parse(file.uploadTime) <= limitMs;
}

function byRank(left: Ranked, right: Ranked): number {
  if (left.rank !== right.rank) return left.rank - right.rank;
  return compareBuilds(right.build, left.build);
}
