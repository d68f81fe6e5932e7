import type { AlpmQuestion } from "../../../../ffi/alpm/callback.ts";
import { otherProblem, type Signed } from "../other-problem.ts";
import type { FileConflict, MissingDependency, PackagePair, PackageProblem } from "../problem.ts";

/**
 * What pacman prints in English, taken apart: the versions 6.0 to 7.0 say the same, but for
 * versions behind names. Pure.
 */

/** A package in the list that pacman shows before it asks. */
export interface ListedPackage {
  readonly name: string;
  readonly version: string;
  readonly isRemoval: boolean;
}

/** What pacman asks at the end of a text that has no line break. */
export type PacmanPrompt =
  | { readonly kind: "proceed" }
  /** All members of a group. */
  | { readonly kind: "selection" }
  | { readonly kind: "question"; readonly question: AlpmQuestion }
  /** Something that is not known: its own default is taken. */
  | { readonly kind: "unknown" };

/** The packages of `Packages (2) a-1-1  b-2-1 [removal]`, of the last such list. */
export function listedPackages(text: string): readonly ListedPackage[] {
  const list = [...text.matchAll(/^Packages? \(\d+\) +([\s\S]*?)(?:\n\n|$)/gm)].at(-1)?.[1] ?? "";
  return [...list.matchAll(/(\S+)-([^-\s]+-[^-\s]+)( \[removal\])?/g)].map((found) => ({
    name: found[1] ?? "",
    version: found[2] ?? "",
    isRemoval: found[3] !== undefined,
  }));
}

/** What is asked at the end of the output so far; undefined if nothing is. */
export function promptAt(text: string): PacmanPrompt | undefined {
  const line = text.slice(text.lastIndexOf("\n") + 1);
  if (/^Enter a selection \(default=all\): $/.test(line)) return { kind: "selection" };
  if (/^Enter a number \(default=1\): $/.test(line)) {
    return { kind: "question", question: providerQuestion(text) };
  }
  const asked = /^(.*?) ?\[(?:[Yy]\/[Nn])\] $/.exec(line)?.[1]?.replace(/^:: /, "");
  if (asked === undefined) return undefined;
  if (/^Proceed with |^Do you want to remove these packages\?/.test(asked)) {
    return { kind: "proceed" };
  }
  const question = questionOf(asked, text);
  return question === undefined ? { kind: "unknown" } : { kind: "question", question };
}

function questionOf(asked: string, text: string): AlpmQuestion | undefined {
  const replace = /^Replace (\S+) with \S+?\/(\S+)\?$/.exec(asked);
  if (replace !== null) {
    return { kind: "replace", oldName: replace[1] ?? "", newName: replace[2] ?? "" };
  }
  const conflict = /^(\S+) and \S+ are in conflict.*\. Remove (\S+)\?$/.exec(asked);
  if (conflict !== null) {
    return {
      kind: "remove-conflicting",
      name: withoutVersion(conflict[1] ?? ""),
      conflicting: withoutVersion(conflict[2] ?? ""),
    };
  }
  const ignored = /^(\S+) is in IgnorePkg\/IgnoreGroup/.exec(asked);
  if (ignored !== null) return { kind: "install-ignored", name: ignored[1] ?? "" };
  const key = /^Import PGP key ([^,?]+)/.exec(asked);
  if (key !== null) return { kind: "import-key", key: key[1] ?? "" };
  if (/^Do you want to delete it\?$/.test(asked)) {
    const file = /:: File (.+) is corrupted \((.*)\)\.\n[^\n]*$/.exec(text);
    return { kind: "delete-corrupted", file: file?.[1] ?? "", reason: file?.[2] ?? "" };
  }
  if (/^Do you want to skip the above package/.test(asked)) {
    return { kind: "skip-unresolvable", names: [] };
  }
  return undefined;
}

/** Of `:: There are 2 providers available for virt:`, the last one. */
function providerQuestion(text: string): AlpmQuestion {
  const found = [...text.matchAll(/^:: There (?:is|are) \d+ providers? available for (.+?):?$/gm)];
  return { kind: "select-provider", names: [], dependency: found.at(-1)?.[1] ?? "" };
}

/** From 6.1 on conflicts are told with versions: `old-1-1`. */
function withoutVersion(name: string): string {
  return name.replace(/-[^-]*\d[^-]*-\d+(?:\.\d+)?$/, "");
}

/** Why pacman gave up. */
export function problemOf(text: string, how: ProblemContext): PackageProblem {
  const lines = text.split("\n");
  const errors = lines.filter((line) => line.startsWith("error: ")).map((line) => line.slice(7));
  const said = (pattern: RegExp): boolean => errors.some((line) => pattern.test(line));
  if (said(/unable to lock database/)) {
    return { kind: "locked", path: how.lockPath, holder: how.lockHolder() };
  }
  const targets = each(errors, /^target not found: (.+)$/, (found) => found[1] ?? "");
  if (targets.length > 0) {
    return { kind: how.isRemoval ? "not-installed" : "not-found", names: targets };
  }
  const notFetched = each(lines, /^warning: database file for '(.+)' does not exist/, nameIn);
  if (notFetched.length > 0) return { kind: "not-fetched", repositories: notFetched };
  const missing = missingIn(lines);
  if (missing.length > 0) return { kind: "unsatisfied", missing };
  if (said(/\(conflicting dependencies\)/)) return { kind: "conflicting", pairs: pairsIn(lines) };
  const conflicts = fileConflictsIn(lines, how.root);
  if (conflicts.length > 0) return { kind: "files", conflicts };
  return problemOfFiles(lines, errors, how);
}

/** What the text alone does not say. */
export interface ProblemContext {
  readonly root: string;
  readonly lockPath: string;
  readonly lockHolder: () => string | undefined;
  readonly isRemoval: boolean;
  /** Who has signed what was to be installed. */
  readonly signers: () => readonly Signed[];
  /** Files about which pacman has asked whether to delete them. */
  readonly corruptedFiles: readonly string[];
}

function problemOfFiles(
  lines: readonly string[],
  errors: readonly string[],
  how: ProblemContext,
): PackageProblem {
  const said = (pattern: RegExp): boolean => errors.some((line) => pattern.test(line));
  const rest = errors.filter((line) => !/^failed to commit transaction/.test(line));
  const architecture = each(lines, /^:: package (.+) does not have a valid architecture/, nameIn);
  if (architecture.length > 0) return { kind: "architecture", packages: architecture };
  const named = each(lines, /^(.+) is invalid or corrupted/, nameIn);
  const unreadable = each(errors, /^'(.+)': (?!could not find or read directory)/, nameIn);
  const told = [...named, ...unreadable];
  const files = told.length > 0 ? told : how.corruptedFiles;
  if (said(/PGP signature|missing required signature|signature is (?:invalid|missing)/)) {
    return { kind: "untrusted", files, lines: rest };
  }
  if (files.length > 0 || said(/invalid or corrupted package/)) {
    return { kind: "damaged", files, lines: rest };
  }
  if (said(/not enough free disk space/)) return { kind: "no-space", lines: rest };
  if (said(/failed to run transaction hooks/)) return { kind: "hook", lines: rest };
  if (said(/transaction aborted|transaction interrupted/)) return { kind: "interrupted" };
  const invalid = each(errors, /^database '(.+)' is not valid/, nameIn);
  if (invalid.length > 0) return { kind: "database", repositories: invalid, lines: errors };
  const reason = errors.at(-1) ?? "pacman failed without a word";
  const problem = otherProblem(rest, { reason, signers: how.signers });
  const isFetch = problem.kind === "other" && said(/failed to synchronize|failed to retrieve/);
  return isFetch ? { kind: "fetch", lines: errors } : problem;
}

function each<T>(
  lines: readonly string[],
  pattern: RegExp,
  take: (found: RegExpExecArray) => T,
): T[] {
  return lines.flatMap((line) => {
    const found = pattern.exec(line);
    return found === null ? [] : [take(found)];
  });
}

function nameIn(found: RegExpExecArray): string {
  return found[1] ?? "";
}

const UNSATISFIED = /^:: unable to satisfy dependency '(.+)' required by (.+)$/;
const BROKEN =
  /^:: (?:removing|installing) (\S+)(?: \(.+\))? breaks dependency '(.+)' required by (.+)$/;

function missingIn(lines: readonly string[]): MissingDependency[] {
  return [
    ...each(lines, UNSATISFIED, (found) => ({
      dependency: found[1] ?? "",
      requiredBy: found[2] ?? "",
      causedBy: undefined,
    })),
    ...each(lines, BROKEN, (found) => ({
      dependency: found[2] ?? "",
      requiredBy: found[3] ?? "",
      causedBy: found[1],
    })),
  ];
}

function pairsIn(lines: readonly string[]): PackagePair[] {
  return each(lines, /^:: (\S+) and (\S+) are in conflict(?: \((.+)\))?$/, (found) => ({
    first: withoutVersion(found[1] ?? ""),
    second: withoutVersion(found[2] ?? ""),
    reason: found[3],
  }));
}

function fileConflictsIn(lines: readonly string[], root: string): FileConflict[] {
  const base = root === "/" ? "" : root;
  const fromRoot = (file: string): string =>
    file.startsWith(`${base}/`) ? file.slice(base.length) : file;
  const stray = /^(\S+): (\/.*) exists in filesystem(?: \(owned by (.+)\))?$/;
  return [
    ...each(lines, stray, (found) => ({
      file: fromRoot(found[2] ?? ""),
      package: found[1] ?? "",
      owner: found[3],
      isTarget: false,
    })),
    ...each(lines, /^(.+) exists in both '(.+)' and '(.+)'$/, (found) => ({
      file: fromRoot(found[1] ?? ""),
      package: found[2] ?? "",
      owner: found[3],
      isTarget: true,
    })),
  ];
}
