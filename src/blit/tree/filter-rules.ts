/**
 * What a user writes to say which entries are left out: `--exclude`, `--include` and the lines
 * of a `--filter-from` file, all in gitignore syntax, and how they become plain gitignore rules.
 */
import { textOfBytes } from "./name-text.ts";

/** One rule as given, in command-line order. */
export interface FilterRule {
  /** "line" is a line of a file, where `!`, `#` and blank lines mean what they do in gitignore. */
  readonly kind: "exclude" | "include" | "line";
  /** The pattern as text (invalid UTF-8 as lone surrogates, see name-text.ts). */
  readonly pattern: string;
  /** Where it was given: "--exclude", "--include" or "file:line". */
  readonly origin: string;
}

/** A rule as gitignore reads it: plain data, what workers get. */
export interface GitignoreRule {
  /** True: re-includes what an earlier rule excludes. */
  readonly negative: boolean;
  /** Without the leading `!`; trailing spaces trimmed as git does; never empty. */
  readonly pattern: string;
}

/** The rules of one `--filter-from` file. `file` is named in warnings as "file:line". */
export function rulesOfFile(bytes: Uint8Array, file: string): FilterRule[] {
  const text = textOfBytes(bytes).replace(/^\uFEFF/, "");
  const rules: FilterRule[] = [];
  for (const [index, raw] of text.split("\n").entries()) {
    const line = raw.endsWith("\r") ? raw.slice(0, -1) : raw;
    if (line === "" || line.startsWith("#")) continue;
    rules.push({ kind: "line", pattern: line, origin: `${file}:${index + 1}` });
  }
  return rules;
}

/**
 * The gitignore rule that `rule` stands for; undefined when it holds no pattern at all.
 * `--exclude '#x#'` means the name: comments exist in files only. `--exclude '!x'` re-includes,
 * as in gitignore; `--include '!x'` is the same as `--include x`, for nobody means a double
 * negation.
 */
export function toGitignoreRule(rule: FilterRule): GitignoreRule | undefined {
  if (rule.kind === "line" && rule.pattern.startsWith("#")) return undefined;
  const bang = rule.pattern.startsWith("!");
  const pattern = trimTrailingSpaces(bang ? rule.pattern.slice(1) : rule.pattern);
  if (pattern === "") return undefined;
  return { negative: bang || rule.kind === "include", pattern };
}

/** git drops trailing spaces unless a backslash quotes the last one. */
function trimTrailingSpaces(pattern: string): string {
  let end = pattern.length;
  while (end > 0 && pattern[end - 1] === " ") end -= 1;
  if (end === pattern.length) return pattern;
  return endsInOpenBackslash(pattern.slice(0, end))
    ? `${pattern.slice(0, end)} `
    : pattern.slice(0, end);
}

/** True when the pattern ends in a backslash that quotes nothing. */
export function endsInOpenBackslash(pattern: string): boolean {
  let count = 0;
  while (pattern[pattern.length - 1 - count] === "\\") count += 1;
  return count % 2 === 1;
}
