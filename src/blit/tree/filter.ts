/**
 * Which entries of a tree are left out. Patterns are gitignore's, matched by the library
 * `ignore`; rules come in command-line order and **the last one that matches decides**, as in a
 * .gitignore file (rsync takes the first: a filter that this turns round is warned of). A
 * folder that is excluded is not descended, so nothing beneath it can be included again.
 * Matching is by case and by character (`?` is one character of the name, also `é`).
 * Patterns are relative to the source folder, whose own name takes no part.
 *
 * @example
 * const filter = compileFilter({ rules: [
 *   { kind: "exclude", pattern: "*.log", origin: "--exclude" },
 *   { kind: "include", pattern: "keep.log", origin: "--include" },
 * ] });
 * filter?.isExcluded("a/b.log", false); // true
 */
import { createPrescreen } from "./filter-prescreen.ts";
import {
  endsInOpenBackslash,
  type FilterRule,
  type GitignoreRule,
  toGitignoreRule,
} from "./filter-rules.ts";
import { type FilterWarning, findFilterWarnings, type SourceHints } from "./filter-warnings.ts";
import { textOfName } from "./name-text.ts";

/** A compiled filter. Immutable for its users; holds small bounded caches. */
export interface Filter {
  /**
   * Whether the entry, or a folder above it, is left out.
   * @param relativePath latin1 string (one char per byte), `/`-separated, relative to the source
   */
  isExcluded(relativePath: string, isDirectory: boolean): boolean;
  /** What to tell the user: rules that can never do what they say. Empty in workers. */
  warnings(): readonly FilterWarning[];
  /** Plain data for postMessage; `compileFilterJson` makes the same filter of it. */
  serialise(): FilterJson;
}

/** A filter as plain data. */
export interface FilterJson {
  readonly version: 1;
  readonly rules: readonly GitignoreRule[];
}

/** The library never forgets a path that it was asked about: it is renewed after so many. */
const MATCHER_CALLS_MAX = 2048;

/** Compiles the rules; undefined when there are none, so that callers can skip the question. */
export function compileFilter(
  options: { readonly rules: readonly FilterRule[] } & SourceHints,
): Filter | undefined {
  if (options.rules.length === 0) return undefined;
  const rules = options.rules.map(toGitignoreRule);
  const effective = rules.filter((rule) => rule !== undefined);
  const isExcluded = compileRules(effective);
  const warnings = findFilterWarnings({ given: options.rules, rules, isExcluded, hints: options });
  if (effective.length === 0 && warnings.length === 0) return undefined;
  return createFilter(effective, isExcluded, warnings);
}

/** The filter that `serialise()` described, for a worker. */
export function compileFilterJson(json: FilterJson): Filter {
  return createFilter(json.rules, compileRules(json.rules), []);
}

function createFilter(
  rules: readonly GitignoreRule[],
  isExcluded: Filter["isExcluded"],
  warnings: readonly FilterWarning[],
): Filter {
  return {
    isExcluded,
    warnings: () => warnings,
    serialise: () => ({ version: 1, rules }),
  };
}

function compileRules(rules: readonly GitignoreRule[]): Filter["isExcluded"] {
  const excluding = rules.filter((rule) => !rule.negative).map((rule) => rule.pattern);
  if (excluding.length === 0) return () => false;
  const maybe = createPrescreen(excluding);
  const matches = createMatcher(rules);
  let lastFolder = "";
  let lastFolderExcluded = false;
  let clearFolder = ""; // text of a folder that is known to be let in, with all those above it

  const isExcluded = (relativePath: string, isDirectory: boolean): boolean => {
    const cut = relativePath.lastIndexOf("/");
    if (cut > 0) {
      const folder = relativePath.slice(0, cut);
      if (folder !== lastFolder) {
        lastFolderExcluded = isFolderExcluded(textOfName(folder));
        lastFolder = folder;
      }
      if (lastFolderExcluded) return true;
    }
    const text = textOfName(relativePath);
    if (maybe !== undefined && !maybe(text.slice(text.lastIndexOf("/") + 1))) return false;
    return matches(isDirectory ? `${text}/` : text);
  };

  // From the top down in a loop, and only what was not asked before: a path may be thousands of
  // levels deep, and a walk changes one or two levels at a time.
  const isFolderExcluded = (folder: string): boolean => {
    let start = sharedFolderLength(folder, clearFolder);
    while (start < folder.length) {
      const slash = folder.indexOf("/", start);
      const stop = slash < 0 ? folder.length : slash;
      const suspect = maybe === undefined || maybe(folder.slice(start, stop));
      if (suspect && matches(`${folder.slice(0, stop)}/`)) return true;
      start = stop + 1;
    }
    clearFolder = folder;
    return false;
  };
  return isExcluded;
}

/** Where the part of `folder` begins that is not, segment by segment, the start of `known`. */
function sharedFolderLength(folder: string, known: string): number {
  if (known !== "" && folder.startsWith(known) && folder[known.length] === "/") {
    return known.length + 1;
  }
  let start = 0;
  for (let at = 0; at < folder.length && folder[at] === known[at]; at += 1) {
    if (folder[at] === "/") start = at + 1;
    else if (at + 1 === folder.length && known[at + 1] === "/") return folder.length;
  }
  return start;
}

/** Whether the library excludes a path (folders end in "/"). Its memory is kept bounded. */
function createMatcher(rules: readonly GitignoreRule[]): (path: string) => boolean {
  // allowRelativePaths: no name makes it throw. The leading comment takes the place of the first
  // pattern, whose byte order mark the library would strip.
  const options = { ignorecase: false, allowRelativePaths: true };
  // Loaded here: a run without a filter needs no library (docs/bun.md).
  const ignore: typeof import("ignore") = require("ignore");
  const compiled = ignore(options).add([
    "#",
    ...rules.map((rule) => ({ pattern: libraryPattern(rule) })),
  ]);
  let current = ignore(options).add(compiled);
  let calls = 0;
  return (path) => {
    calls += 1;
    if (calls > MATCHER_CALLS_MAX) {
      calls = 0;
      current = ignore(options).add(compiled);
    }
    return current.ignores(path);
  };
}

/**
 * A pattern as the library wants it: a leading `!` or `#` is part of the name here, and so is a
 * trailing line end, which the library would trim (macOS really has a file named "Icon\r").
 */
function libraryPattern(rule: GitignoreRule): string {
  const pattern = keepLineEnd(rule.pattern);
  if (rule.negative) return `!${pattern}`;
  return /^[!#]/.test(pattern) ? `\\${pattern}` : pattern;
}

function keepLineEnd(pattern: string): string {
  const last = pattern.slice(-1);
  if (last !== "\r" && last !== "\n") return pattern;
  const head = pattern.slice(0, -1);
  return `${endsInOpenBackslash(head) ? head.slice(0, -1) : head}[${last}]`;
}
