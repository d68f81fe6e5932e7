/** Longest piece of a bad text that a message repeats, in UTF-16 units. */
const QUOTE_UNITS_MAX = 200;

/**
 * A text that breaks the standard that it should follow: a version, a specifier, a marker. The
 * caller knows where the text came from and makes a Fault of it, with file and line.
 */
export class PepError extends Error {
  /** Where in the text it goes wrong, in UTF-16 units from its beginning; undefined: all of it. */
  readonly position: number | undefined;

  /** @param message action first, the text quoted by {@link quote}, no full stop */
  constructor(message: string, position?: number) {
    super(message);
    this.name = "PepError";
    this.position = position;
  }
}

/** The text in double quotes with control characters escaped, shortened if it is very long. */
export function quote(text: string): string {
  if (text.length <= QUOTE_UNITS_MAX) return JSON.stringify(text);
  return `${JSON.stringify(text.slice(0, QUOTE_UNITS_MAX))}… (${text.length} characters)`;
}
