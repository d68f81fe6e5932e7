import { PepError, quote } from "./error.ts";

/** Of what is in the way, so much is shown. */
const REST_UNITS_MAX = 30;

/**
 * The error for a text that leaves its grammar.
 *
 * @param what what the text should have been: "requirement"
 * @param position where it goes wrong
 * @param expected what could have stood there
 */
export function syntaxFailure(
  what: string,
  source: string,
  position: number,
  expected: string,
): PepError {
  const rest = source.slice(position, position + REST_UNITS_MAX).trimEnd();
  const found = rest === "" ? "but it ends" : `at ${quote(rest)}`;
  return new PepError(
    `Cannot read ${what} ${quote(source)}: expected ${expected} ${found}`,
    position,
  );
}
