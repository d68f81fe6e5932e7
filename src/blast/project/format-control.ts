/** `--no-binary` and `--only-binary` as pip adds them up. Pure. */
import { parsePackageName } from "../pep/name.ts";

/** Which names are never taken from wheels, and which never from sources. */
export interface FormatControl {
  /** Normalised names, or `:all:`. */
  readonly noBinary: ReadonlySet<string>;
  readonly onlyBinary: ReadonlySet<string>;
}

export const ANY_FORMAT: FormatControl = { noBinary: new Set(), onlyBinary: new Set() };

/**
 * Adds one option's value: names by comma, `:all:`, `:none:`. What one option takes the other
 * gives up; the later one counts.
 *
 * @throws {PepError} what is no name
 */
export function addFormats(
  control: FormatControl,
  option: "noBinary" | "onlyBinary",
  value: string,
): FormatControl {
  const target = new Set(control[option]);
  const other = new Set(control[option === "noBinary" ? "onlyBinary" : "noBinary"]);
  let words = value.split(",").map((word) => word.trim());
  const all = words.lastIndexOf(":all:");
  if (all >= 0) {
    other.clear();
    target.clear();
    target.add(":all:");
    words = words.slice(all + 1);
    // ":all:" covers what follows, unless ":none:" empties it again.
    if (!words.includes(":none:")) words = [];
  }
  for (const word of words) {
    if (word === ":none:") {
      target.clear();
    } else if (word !== "") {
      const name = parsePackageName(word);
      other.delete(name);
      target.add(name);
    }
  }
  return option === "noBinary"
    ? { noBinary: target, onlyBinary: other }
    : { noBinary: other, onlyBinary: target };
}

/** True where the name must come from sources. */
export function isNoBinary({ noBinary, onlyBinary }: FormatControl, name: string): boolean {
  if (onlyBinary.has(name)) return false;
  return noBinary.has(name) || (noBinary.has(":all:") && !onlyBinary.has(":all:"));
}

/** True where the name must come from wheels. */
export function isOnlyBinary({ noBinary, onlyBinary }: FormatControl, name: string): boolean {
  if (onlyBinary.has(name)) return true;
  return onlyBinary.has(":all:") && !noBinary.has(name);
}
