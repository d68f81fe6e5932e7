import type { VersionRange } from "../pep/range.ts";
import type { Problem } from "./candidate.ts";
import type { Manifest } from "./manifest.ts";
import type { Page } from "./page.ts";
import type { Scope } from "./scope.ts";
import { pythonSplit } from "./select.ts";
import { tagText } from "./tag-text.ts";
import { versionsText } from "./version-text.ts";

/** Versions that are looked at: nobody reads about more. */
const VERSIONS_MAX = 500;
/** Different reasons that are told. */
const REASONS_MAX = 4;

interface Reason {
  readonly problem: Problem | { readonly kind: "pre-release" };
  versions: VersionRange;
}

/** Why the versions of a project in a range cannot be taken, and what might help. */
export function problemTexts(
  page: Page,
  range: VersionRange,
  context: { readonly scope: Scope; readonly manifest: Manifest },
): { texts: string[]; hint: string | undefined } {
  const reasons = new Map<string, Reason>();
  let looked = 0;
  for (const index of page.within(range)) {
    looked += 1;
    if (looked > VERSIONS_MAX) break;
    const problem = problemAt(page, index, context);
    if (problem === undefined) continue;
    const key = keyOf(problem);
    const known = reasons.get(key);
    const versions = page.stretch(index);
    if (known === undefined) reasons.set(key, { problem, versions });
    else known.versions = known.versions.union(versions);
  }
  const texts: string[] = [];
  const pythons: string[] = [];
  let hint: string | undefined;
  for (const { problem, versions } of [...reasons.values()].slice(0, REASONS_MAX)) {
    const which = versionsText(page.name, versions, page);
    hint ??= hintOf(which, problem, page, versions);
    if (problem.kind !== "python") texts.push(textOf(which, problem));
    else if (pythons.length > 0) pythons.push(`${which} ${problem.requires}`);
    else pythons.push(`${which} needs Python ${problem.requires}`);
  }
  if (pythons.length > 0) {
    texts.unshift(`${pythons.join(", ")}, and this is for Python ${context.scope.pythonText}`);
  }
  if (reasons.size > REASONS_MAX) texts.push("and so on");
  return { texts, hint };
}

function problemAt(
  page: Page,
  index: number,
  { scope, manifest }: { readonly scope: Scope; readonly manifest: Manifest },
): Reason["problem"] | undefined {
  const candidate = page.candidate(index);
  const { problem, requiresPython, version } = candidate;
  if (problem !== undefined) return problem;
  if (version.isPrerelease && manifest.request.preReleases === "disallow") {
    return { kind: "pre-release" };
  }
  if (requiresPython === undefined || scope.pythons === undefined) return undefined;
  return pythonSplit(requiresPython, scope.pythons) === "fits"
    ? undefined
    : { kind: "python", requires: requiresPython, soft: false };
}

function keyOf(problem: Reason["problem"]): string {
  switch (problem.kind) {
    case "python":
      return `python ${problem.requires}`;
    case "metadata":
    case "yanked":
      return `${problem.kind} ${problem.reason}`;
    default:
      return problem.kind;
  }
}

function textOf(
  which: string,
  problem: Exclude<Reason["problem"], { readonly kind: "python" }>,
): string {
  switch (problem.kind) {
    case "yanked": {
      const reason = problem.reason === "" ? "" : ` ("${problem.reason}")`;
      return `${which} was yanked by its authors${reason}`;
    }
    case "tags":
      return (
        `${which} has no wheel for this Python and platform, and no source: ` +
        `its wheels are for ${tagText(problem.tags)}`
      );
    case "no-binary":
      return `${which} comes as wheels only, which are ruled out for it`;
    case "no-source":
      return `${which} comes as source only, which is ruled out for it`;
    case "too-new":
      return `${which} was uploaded after the date that is asked for`;
    case "metadata":
      return `${which} cannot be used: ${problem.reason}`;
    case "pre-release":
      return `${which} is a pre-release, and these are not allowed`;
    case "no-files":
      return `${which} has no file that could be used`;
  }
}

function hintOf(
  which: string,
  problem: Reason["problem"],
  page: Page,
  versions: VersionRange,
): string | undefined {
  switch (problem.kind) {
    case "python":
      return `use a Python that fits ${problem.requires}, or another version of ${page.name}`;
    case "yanked": {
      const [index] = page.within(versions);
      if (index === undefined) return undefined;
      return `name the version to take it nevertheless: ${page.name}==${page.versionAt(index)}`;
    }
    case "no-binary":
      return `allow wheels of ${page.name}`;
    case "no-source":
      return `allow ${which} to be built`;
    case "pre-release":
      return "allow pre-releases with --pre";
    case "too-new":
      return "ask for a later date";
    default:
      return undefined;
  }
}
