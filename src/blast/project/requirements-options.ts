/** The options of one line of a requirements file, by the rules of pip's parser. Pure. */
import { PepError, quote } from "../pep/error.ts";
import { splitShellWords } from "./shell-words.ts";

/** What an option is called inside. */
export type OptionName =
  | "index-url"
  | "extra-index-url"
  | "no-index"
  | "constraint"
  | "requirement"
  | "editable"
  | "find-links"
  | "no-binary"
  | "only-binary"
  | "prefer-binary"
  | "require-hashes"
  | "no-require-hashes"
  | "pre"
  | "all-releases"
  | "only-final"
  | "trusted-host"
  | "use-feature"
  | "global-option"
  | "hash"
  | "config-settings";

/** An option with its value; flags have an empty one. */
export interface LineOption {
  readonly name: OptionName;
  readonly value: string;
}

/** A line taken apart. */
export interface LineParts {
  /** What stands before the first option; empty: nothing does. */
  readonly argument: string;
  readonly options: readonly LineOption[];
}

const FLAGS: ReadonlySet<OptionName> = new Set<OptionName>([
  "no-index",
  "prefer-binary",
  "require-hashes",
  "no-require-hashes",
  "pre",
]);

const TAKES_NAMES: ReadonlySet<OptionName> = new Set<OptionName>([
  "no-binary",
  "only-binary",
  "all-releases",
  "only-final",
]);

const LONG: ReadonlyMap<string, OptionName> = new Map<string, OptionName>([
  ["index-url", "index-url"],
  ["pypi-url", "index-url"],
  ["extra-index-url", "extra-index-url"],
  ["no-index", "no-index"],
  ["constraint", "constraint"],
  ["requirement", "requirement"],
  ["editable", "editable"],
  ["find-links", "find-links"],
  ["no-binary", "no-binary"],
  ["only-binary", "only-binary"],
  ["prefer-binary", "prefer-binary"],
  ["require-hashes", "require-hashes"],
  ["no-require-hashes", "no-require-hashes"],
  ["pre", "pre"],
  ["all-releases", "all-releases"],
  ["only-final", "only-final"],
  ["trusted-host", "trusted-host"],
  ["use-feature", "use-feature"],
  // Of older versions of pip.
  ["global-option", "global-option"],
  ["hash", "hash"],
  ["config-settings", "config-settings"],
  ["config-setting", "config-settings"],
]);

const SHORT: Readonly<Record<string, OptionName>> = {
  i: "index-url",
  c: "constraint",
  r: "requirement",
  e: "editable",
  f: "find-links",
  C: "config-settings",
};

/** Algorithms that are strong enough to be trusted. */
const HASH = /^(?:sha256|sha384|sha512):/;

/**
 * Takes a line apart: the requirement is everything before the first word that begins with a dash,
 * the rest are options in shell quoting.
 *
 * @throws {PepError} an unknown option, a value that is missing, a quote without end
 */
export function parseLine(line: string): LineParts {
  const words = line.split(" ");
  const first = words.findIndex((word) => word.startsWith("-"));
  if (first < 0) return { argument: line, options: [] };
  const argument = words.slice(0, first).join(" ").trim();
  const rest = words.slice(first).join(" ");
  const split = splitShellWords(rest);
  if (split === undefined) throw new PepError(`Cannot split ${quote(rest)}: a quote has no end`);
  return { argument, options: parseOptions(split) };
}

function parseOptions(words: readonly string[]): LineOption[] {
  const options: LineOption[] = [];
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? "";
    if (word === "--") break;
    // pip passes over words that are no options.
    if (!/^-./.test(word)) continue;
    const isLong = word.startsWith("--");
    const equals = isLong ? word.indexOf("=") : -1;
    const spelled = isLong ? word.slice(2, equals < 0 ? undefined : equals) : word.slice(1, 2);
    const name = isLong ? longName(spelled) : shortName(spelled);
    let value = isLong ? (equals < 0 ? "" : word.slice(equals + 1)) : word.slice(2);
    const hasValue = isLong ? equals >= 0 : value !== "";
    if (FLAGS.has(name)) {
      if (hasValue) throw new PepError(`Cannot use "--${name}" with a value`);
    } else if (!hasValue) {
      index += 1;
      const next = words[index];
      if (next === undefined) throw new PepError(`Cannot use "--${name}" without a value`);
      value = next;
    }
    checkValue(name, value);
    options.push({ name, value });
  }
  return options;
}

/** A long option may be shortened as long as one name remains. */
function longName(spelled: string): OptionName {
  const exact = LONG.get(spelled);
  if (exact !== undefined) return exact;
  const found = new Set([...LONG].filter(([key]) => key.startsWith(spelled)).map(([, to]) => to));
  const [only] = found;
  if (only === undefined) throw new PepError(`Cannot use the option "--${spelled}" in a file`);
  if (found.size > 1) throw new PepError(`Cannot tell what "--${spelled}" is short for`);
  return only;
}

function shortName(letter: string): OptionName {
  const name = SHORT[letter];
  if (name === undefined) throw new PepError(`Cannot use the option "-${letter}" in a file`);
  return name;
}

function checkValue(name: OptionName, value: string): void {
  if (name === "hash" && !HASH.test(value)) {
    throw new PepError(
      `Cannot use the hash ${quote(value)}: it must be sha256:, sha384: or sha512:`,
    );
  }
  if (name === "config-settings" && !/^[^=]+=/.test(value)) {
    throw new PepError(`Cannot use the setting ${quote(value)}: it must be KEY=VALUE`);
  }
  if (TAKES_NAMES.has(name) && value.startsWith("-")) {
    throw new PepError(`Cannot use "--${name}" without names`);
  }
}
