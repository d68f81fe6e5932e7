/**
 * Filter rules that can never do what they say. A pattern that silently matches nothing lets
 * secrets into a copy or data out of it, so each one is named with its reason and the way out
 * (audit-18 and audit-19 of the original Blit). Pure; what it must know of the machine is given.
 */
import { endsInOpenBackslash, type FilterRule, type GitignoreRule } from "./filter-rules.ts";
import { nameOfText } from "./name-text.ts";

/** One rule to warn of. */
export interface FilterWarning {
  /** The pattern as given. */
  readonly pattern: string;
  /** "--exclude", "--include" or "file:line". */
  readonly origin: string;
  /** Why it can do nothing, as the end of the sentence `pattern "x" …`. */
  readonly message: string;
  /** What to write in its place. */
  readonly hint?: string;
}

/** What is known of the sources; each part makes more mistakes visible. */
export interface SourceHints {
  /** Absolute paths of the source folders, as text, without a trailing slash. */
  readonly sourceRoots?: readonly string[];
  /** Whether a source has an entry of this name (text) directly beneath it. */
  readonly hasTopLevel?: (name: string) => boolean;
}

interface Input {
  readonly given: readonly FilterRule[];
  /** The same rules as gitignore reads them; undefined where there was no pattern. */
  readonly rules: readonly (GitignoreRule | undefined)[];
  readonly isExcluded: (relativePath: string, isDirectory: boolean) => boolean;
  readonly hints: SourceHints;
}

type Problem = { readonly message: string; readonly hint?: string } | undefined;

/** A name that no user has: stands for "any folder" when asking what the rules do to it. */
const ANY_FOLDER = "\u0001any\u0001";

/** Every rule of `given` that can never match, in order; at most one warning per rule. */
export function findFilterWarnings(input: Input): FilterWarning[] {
  const warnings: FilterWarning[] = [];
  let excludesBefore = 0;
  for (const [index, given] of input.given.entries()) {
    const rule = input.rules[index];
    const problem =
      rule === undefined
        ? emptyProblem(given)
        : (shapeProblem(rule.pattern) ??
          machinePathProblem(rule.pattern, input.hints) ??
          (rule.negative
            ? includeProblem(given, rule, excludesBefore, input.isExcluded)
            : undefined));
    if (problem !== undefined) {
      warnings.push({ pattern: given.pattern, origin: given.origin, ...problem });
    }
    if (rule !== undefined && !rule.negative) excludesBefore += 1;
  }
  return warnings;
}

function emptyProblem(given: FilterRule): Problem {
  if (given.kind === "line" && /^(?:#| *$)/.test(given.pattern)) return undefined; // as meant
  return { message: "is empty and matches nothing" };
}

function shapeProblem(pattern: string): Problem {
  if (endsInOpenBackslash(pattern)) {
    return {
      message: "ends in a backslash that quotes nothing and matches nothing",
      hint: `write ${quote(`${pattern}\\`)} for a name that ends in a backslash`,
    };
  }
  if (pattern.startsWith("./")) {
    const meant = pattern.replace(/^(\.\/+)+/, "/");
    return {
      message: 'starts with "./" and matches nothing',
      hint: `patterns are relative to the source: write ${quote(meant)}`,
    };
  }
  const segments = pattern.replace(/^\//, "").replace(/\/$/, "").split("/");
  if (segments.includes("..") || segments.includes(".")) {
    return {
      message: 'has a "." or ".." segment and matches nothing',
      hint: 'write the path as it is below the source, without "." and ".."',
    };
  }
  if (segments.includes("")) {
    return {
      message: "has an empty path segment and matches nothing",
      hint: pattern === "/" ? `write "*" for everything` : "write single slashes",
    };
  }
  if (/(?:^|[^\\])\[(?![!^]?\]?[^\]]*\])/.test(pattern)) {
    return {
      message: 'has a "[" without its "]" and matches nothing',
      hint: `write ${quote(pattern.replace(/(?<!\\)\[/g, "\\["))} for a name with a bracket`,
    };
  }
  return undefined;
}

/** `/home/me/src/x` is a path of the machine; a pattern's leading slash is the source folder. */
function machinePathProblem(pattern: string, hints: SourceHints): Problem {
  if (!pattern.startsWith("/")) return undefined;
  const body = pattern.replace(/\/$/, "");
  const first = firstSegment(pattern);
  if (hints.hasTopLevel?.(first) === true) return undefined;
  for (const root of hints.sourceRoots ?? []) {
    if (root === "/" || root === "") continue;
    if (body === root) {
      return {
        message: "is the path of the source itself and matches nothing",
        hint: 'patterns are relative to the source: write "*" for everything in it',
      };
    }
    if (body.startsWith(`${root}/`)) {
      return {
        message: "is a path of this machine and matches nothing",
        hint: `patterns are relative to the source: write ${quote(pattern.slice(root.length))}`,
      };
    }
  }
  if (!body.slice(1).includes("/")) return undefined;
  const sharesRoot = (hints.sourceRoots ?? []).some(
    (root) => root !== "/" && firstSegment(root) === first,
  );
  if (!sharesRoot && hints.hasTopLevel === undefined) return undefined;
  if (/[*?[\\]/.test(first)) return undefined;
  return {
    message: `matches nothing: the source has no ${quote(first)}`,
    hint: 'patterns are relative to the source: a leading "/" is the source folder',
  };
}

function includeProblem(
  given: FilterRule,
  rule: GitignoreRule,
  excludesBefore: number,
  isExcluded: Input["isExcluded"],
): Problem {
  if (excludesBefore === 0) {
    return {
      message: "includes nothing again: no excluding rule comes before it",
      hint:
        given.kind === "line"
          ? "the last match decides: put it after the rule that it corrects"
          : "the last match decides: put --include after the --exclude that it corrects",
    };
  }
  const parent = literalParents(rule.pattern).find((path) => isExcluded(nameOfText(path), true));
  if (parent !== undefined) {
    return {
      message: `can never match: the folder ${quote(parent)} is excluded and not entered`,
      hint: `exclude what is in the folder, ${quote(`/${parent}/*`)}, in place of the folder`,
    };
  }
  const anywhere = /^(\*\*\/)?[^/]+\/?$/.test(rule.pattern);
  if (anywhere && isExcluded(ANY_FOLDER, true)) {
    return {
      message: "reaches the top folder only: every other folder is excluded and not entered",
      hint: 'include the folders too: --include "*/" after the excluding rule',
    };
  }
  return undefined;
}

/** The folders above an anchored pattern that hold no wildcard: "a/b/*.c" → ["a", "a/b"]. */
function literalParents(pattern: string): string[] {
  const segments = pattern.replace(/^\//, "").replace(/\/$/, "").split("/");
  const parents: string[] = [];
  let path = "";
  for (const segment of segments.slice(0, -1)) {
    if (/(?<!\\)[*?[]/.test(segment)) break;
    const name = segment.replace(/\\(.)/gs, "$1");
    path = path === "" ? name : `${path}/${name}`;
    parents.push(path);
  }
  return parents;
}

function firstSegment(path: string): string {
  return path.replace(/^\/+/, "").split("/", 1)[0] ?? "";
}

/** Quotes with control characters escaped: patterns are outside text. */
function quote(text: string): string {
  return JSON.stringify(text);
}
