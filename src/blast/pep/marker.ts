/**
 * Markers of PEP 508: conditions on the environment. Which texts are markers, what they answer
 * and how they are written agrees with the `packaging` library.
 *
 * @see https://packaging.python.org/en/latest/specifications/dependency-specifiers/
 */
import type { MarkerEnvironment, MarkerName } from "./marker-environment.ts";
import { evaluateComparison } from "./marker-evaluate.ts";
import { parseMarkerText } from "./marker-parser.ts";

/** `==`, `in` and their kin. */
export type MarkerOperator = "<" | "<=" | "==" | "!=" | ">=" | ">" | "~=" | "===" | "in" | "not in";

/** One side of a comparison as it was written. */
export type Operand =
  | { readonly kind: "name"; readonly name: MarkerName }
  | { readonly kind: "value"; readonly text: string };

/** `python_version >= "3.8"`. */
export interface Comparison {
  readonly kind: "comparison";
  readonly left: Operand;
  readonly operator: MarkerOperator;
  readonly right: Operand;
  /** Whose value is compared; undefined where two texts were written. */
  readonly name: MarkerName | undefined;
  /** What it is compared with: where two names were written, the second as a text. */
  readonly literal: string;
  /** The literal stands on the left. */
  readonly reversed: boolean;
}

/** A part of a marker; a marker in a marker was written in parentheses. */
export type MarkerTerm = Comparison | Marker;

/** True where any alternative is true in all its parts. Immutable, shared by equal texts. */
export interface Marker {
  readonly kind: "marker";
  readonly alternatives: readonly (readonly MarkerTerm[])[];
}

/** What was asked for, next to the environment: names in their normal form. */
export interface MarkerChoice {
  readonly extras: ReadonlySet<string>;
  /** PEP 735's groups, which lock files can ask about (PEP 751). */
  readonly groups: ReadonlySet<string>;
}

/** Few distinct markers exist among thousands of requirements, so texts are read once. */
const INTERNED_MAX = 20_000;
const interned = new Map<string, Marker>();

const NOTHING: ReadonlySet<string> = new Set();

/**
 * @param text `python_version < "3.8" and extra == "test"`
 * @throws PepError that shows where the grammar was left
 */
export function parseMarker(text: string): Marker {
  return interned.get(text) ?? remember(text, parseMarkerText(text, 0));
}

/**
 * The marker that `source` holds from `start` to its end; as {@link parseMarker}, with positions
 * in `source`.
 */
export function parseMarkerWithin(source: string, start: number): Marker {
  const text = source.slice(start);
  return interned.get(text) ?? remember(text, parseMarkerText(source, start));
}

/**
 * Whether a marker holds. `extra == "x"` asks whether x is among the extras; with none, `extra`
 * is the empty text. Comparisons that have no meaning (`os_name ~= "x"`) don't hold, where
 * `packaging` throws.
 *
 * @param extras what was asked for, in normal form
 * @param groups dependency groups that were asked for, in normal form
 */
export function evaluateMarker(
  marker: Marker,
  environment: MarkerEnvironment,
  extras: ReadonlySet<string> = NOTHING,
  groups: ReadonlySet<string> = NOTHING,
): boolean {
  return holds(marker, environment, { extras, groups });
}

/** As `packaging` writes it: double quotes, one space, and the parentheses that are needed. */
export function markerToString(marker: Marker): string {
  return render(marker, true);
}

/** The text of a marker value in quotes, such that it reads back as itself. */
export function quoteMarkerValue(text: string): string {
  if (!/["\\\n\r\0]/.test(text)) return `"${text}"`;
  if (!/['\\\n\r\0]/.test(text)) return `'${text}'`;
  const escaped = text.replace(/["\\\n\r\0]/g, (letter) => ESCAPES.get(letter) ?? letter);
  return `"${escaped}"`;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  // A marker's string ends at its first quote, escaped or not.
  ['"', "\\x22"],
  ["\\", "\\\\"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\0", "\\x00"],
]);

function remember(text: string, marker: Marker): Marker {
  if (interned.size >= INTERNED_MAX) interned.clear();
  interned.set(text, marker);
  return marker;
}

function holds(marker: Marker, environment: MarkerEnvironment, choice: MarkerChoice): boolean {
  for (const group of marker.alternatives) {
    if (allHold(group, environment, choice)) return true;
  }
  return false;
}

function allHold(
  group: readonly MarkerTerm[],
  environment: MarkerEnvironment,
  choice: MarkerChoice,
): boolean {
  for (const term of group) {
    const answer =
      term.kind === "marker"
        ? holds(term, environment, choice)
        : evaluateComparison(term, environment, choice);
    if (!answer) return false;
  }
  return true;
}

function render(marker: Marker, outermost: boolean): string {
  const [group] = marker.alternatives;
  const [only] = group ?? [];
  if (marker.alternatives.length === 1 && group?.length === 1 && only?.kind === "marker") {
    return render(only, outermost);
  }
  const text = marker.alternatives.map((terms) => terms.map(renderTerm).join(" and ")).join(" or ");
  const single = marker.alternatives.length === 1 && group?.length === 1;
  return outermost || single ? text : `(${text})`;
}

function renderTerm(term: MarkerTerm): string {
  if (term.kind === "marker") return render(term, false);
  return `${renderOperand(term.left)} ${term.operator} ${renderOperand(term.right)}`;
}

function renderOperand(operand: Operand): string {
  return operand.kind === "name" ? operand.name : quoteMarkerValue(operand.text);
}
