/** Where the pieces of a list stand in a TOML text. Pure. */
import type { KeyPath, Span, TomlPlaces } from "../../kit/config/locate.ts";

/** A TOML text with its places, as far as edits need it. */
interface PlacedText {
  readonly text: string;
  readonly places: TomlPlaces;
}

/** A list in the text. */
export interface ArrayText {
  /** Offset of its `[`. */
  readonly open: number;
  /** Offset of its `]`. */
  readonly close: number;
  readonly elements: readonly Span[];
}

/** What stands between an element and the next one, or the closing bracket. */
export interface Gap {
  /** Offset of the comma that ends the element. */
  readonly comma?: number;
  readonly hasNewline: boolean;
  readonly hasComment: boolean;
  /** Where the element's line ends, before `\r\n`; the gap's end if it has no line end. */
  readonly lineEnd: number;
}

/** The list at a path, or undefined when there is none. */
export function arrayAt({ text, places }: PlacedText, path: KeyPath): ArrayText | undefined {
  const whole = places.find(path)?.value;
  if (whole === undefined || text[whole.start] !== "[") return undefined;
  const elements: Span[] = [];
  for (;;) {
    const span = places.find([...path, elements.length])?.value;
    if (span === undefined) break;
    elements.push(span);
  }
  return { open: whole.start, close: whole.end - 1, elements };
}

/** Looks at the text from the end of an element to `limit`. */
export function gapAfter(text: string, from: number, limit: number): Gap {
  let comma: number | undefined;
  let lineEnd: number | undefined;
  let hasComment = false;
  for (let at = from; at < limit; at += 1) {
    const character = text[at];
    if (character === "#") {
      hasComment = true;
      while (at < limit && text[at] !== "\n") at += 1;
      if (at >= limit) break;
    }
    if (text[at] === "\n") lineEnd ??= text[at - 1] === "\r" ? at - 1 : at;
    else if (character === ",") comma ??= at;
  }
  return {
    ...(comma === undefined ? {} : { comma }),
    hasNewline: lineEnd !== undefined,
    hasComment,
    lineEnd: lineEnd ?? limit,
  };
}

/** The line end that the text uses. */
export function newlineOf(text: string): string {
  const first = text.indexOf("\n");
  return first > 0 && text[first - 1] === "\r" ? "\r\n" : "\n";
}

/**
 * The text with lines put at the end of a table's own part, that is before the next header.
 * Undefined when the table has no header.
 *
 * @param lines with a line end after each
 */
export function insertAfterSection(
  { text, places }: PlacedText,
  table: KeyPath,
  lines: string,
): string | undefined {
  const entries = places.paths().map((path) => ({ path, place: places.find(path) }));
  const values = entries.flatMap(({ place }) => (place?.value === undefined ? [] : [place.value]));
  const outer = values.filter((span) => !values.some((one) => one !== span && holds(one, span)));
  const headers = entries
    .filter(({ place }) => place?.value === undefined && place?.key !== undefined)
    .flatMap(({ path, place }) => (place?.key === undefined ? [] : [{ path, key: place.key }]))
    .filter(({ key }) => !outer.some((span) => holds(span, key)) && isHeaderLine(text, key.start));
  const id = JSON.stringify(table);
  const own = headers.find(
    ({ path, key }) => JSON.stringify(path) === id && endsHeader(text, key.end),
  );
  if (own === undefined) return undefined;
  const next = Math.min(
    ...headers.map(({ key }) => key.start).filter((start) => start > lineEndOf(text, own.key.end)),
    text.length,
  );
  const ends = outer.map((span) => span.end).filter((end) => end > own.key.end && end <= next);
  const lineEnd = lineEndOf(text, Math.max(own.key.end, ...ends));
  const newline = newlineOf(text);
  return lineEnd >= text.length
    ? `${text}${newline}${lines}`
    : text.slice(0, lineEnd + 1) + lines + text.slice(lineEnd + 1);
}

function holds(outer: Span, inner: Span): boolean {
  return outer.start <= inner.start && inner.end <= outer.end;
}

function isHeaderLine(text: string, position: number): boolean {
  const lineStart = text.lastIndexOf("\n", position - 1) + 1;
  return /^\uFEFF?[ \t]*\[/.test(text.slice(lineStart, position));
}

/** `[a.b]`: the header is that of a only if the bracket follows its key. */
function endsHeader(text: string, keyEnd: number): boolean {
  return /^[ \t]*\]/.test(text.slice(keyEnd));
}

/** Offset of the line feed that ends the line of a position, or the text's end. */
function lineEndOf(text: string, position: number): number {
  const found = text.indexOf("\n", position);
  return found < 0 ? text.length : found;
}
