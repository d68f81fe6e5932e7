import { Fault } from "../../kit/fault/fault.ts";
import { textOfName } from "./name-text.ts";

/**
 * Shell patterns over a single name, as find's -name has them: `*`, `?`, `[a-z]`, `[!a-z]` and a
 * backslash before what stands for itself. A leading dot is nothing special. By character, so that
 * `?` is one of them, also `é`; matching takes time in proportion to name times pattern at worst.
 */

type Part =
  | { readonly kind: "text"; readonly character: string }
  | { readonly kind: "any" }
  | { readonly kind: "many" }
  | { readonly kind: "set"; readonly isNegated: boolean; readonly ranges: readonly Range[] };

type Range = readonly [first: string, last: string];

const partsMax = 1024;

/**
 * Compiles a pattern. Names and pattern are latin1, one character per byte.
 *
 * @throws {Fault} E_USAGE for a pattern that fits no name because it is unfinished
 */
export function compileNamePattern(pattern: string, foldsCase: boolean): (name: string) => boolean {
  const fold = (text: string): string => (foldsCase ? text.toLowerCase() : text);
  const parts = partsOf([...fold(textOfName(pattern))], pattern);
  return (name) => matches(parts, [...fold(textOfName(name))]);
}

function partsOf(characters: readonly string[], pattern: string): readonly Part[] {
  const parts: Part[] = [];
  let index = 0;
  while (index < characters.length) {
    const character = characters[index] ?? "";
    index += 1;
    if (character === "*") {
      if (parts.at(-1)?.kind !== "many") parts.push({ kind: "many" });
    } else if (character === "?") {
      parts.push({ kind: "any" });
    } else if (character === "[") {
      const set = setAt(characters, index);
      // As in the shell: a bracket that is never closed stands for itself.
      if (set !== undefined) index = set.end;
      parts.push(set?.part ?? { kind: "text", character });
    } else if (character === "\\") {
      const next = characters[index];
      if (next === undefined) throw unusable(pattern, "nothing follows its last backslash");
      index += 1;
      parts.push({ kind: "text", character: next });
    } else {
      if (character === "/") throw unusable(pattern, "a name holds no slash");
      parts.push({ kind: "text", character });
    }
  }
  if (parts.length > partsMax) throw unusable(pattern, "it is too long");
  return parts;
}

function unusable(pattern: string, why: string): Fault {
  return new Fault({
    code: "E_USAGE",
    message: `Cannot use the pattern "${textOfName(pattern)}": ${why}`,
    hint: 'it is compared with the last name alone, such as "*.jpg"',
  });
}

function setAt(
  characters: readonly string[],
  start: number,
): { readonly part: Part; readonly end: number } | undefined {
  let index = start;
  const isNegated = characters[index] === "!" || characters[index] === "^";
  if (isNegated) index += 1;
  const ranges: Range[] = [];
  for (let isFirst = true; ; isFirst = false) {
    let first = characters[index];
    if (first === undefined) return undefined;
    if (first === "]" && !isFirst) break;
    if (first === "\\") {
      index += 1;
      first = characters[index];
      if (first === undefined) return undefined;
    }
    index += 1;
    const last = characters[index + 1];
    if (characters[index] === "-" && last !== undefined && last !== "]") {
      ranges.push([first, last]);
      index += 2;
    } else {
      ranges.push([first, first]);
    }
  }
  return { part: { kind: "set", isNegated, ranges }, end: index + 1 };
}

/** The usual two hands: at a mismatch the last star takes one character more. */
function matches(parts: readonly Part[], name: readonly string[]): boolean {
  let part = 0;
  let at = 0;
  let star = -1;
  let starAt = 0;
  while (at < name.length) {
    const wanted = parts[part];
    if (wanted?.kind === "many") {
      star = part;
      starAt = at;
      part += 1;
    } else if (wanted !== undefined && fitsOne(wanted, name[at] ?? "")) {
      part += 1;
      at += 1;
    } else if (star >= 0) {
      starAt += 1;
      at = starAt;
      part = star + 1;
    } else {
      return false;
    }
  }
  while (parts[part]?.kind === "many") part += 1;
  return part === parts.length;
}

function fitsOne(part: Part, character: string): boolean {
  switch (part.kind) {
    case "text":
      return part.character === character;
    case "any":
      return true;
    case "many":
      return false;
    case "set":
      return (
        part.ranges.some(([first, last]) => isBetween(character, first, last)) !== part.isNegated
      );
  }
}

function isBetween(character: string, first: string, last: string): boolean {
  const code = character.codePointAt(0) ?? 0;
  return code >= (first.codePointAt(0) ?? 0) && code <= (last.codePointAt(0) ?? 0);
}
