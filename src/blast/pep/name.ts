import { PepError, quote } from "./error.ts";

declare const packageName: unique symbol;
declare const extraName: unique symbol;

/** A project's name in the one form that compares (PEP 503): `oslo-concurrency`. */
export type PackageName = string & { readonly [packageName]: true };

/** An extra's name in the one form that compares (PEP 685). */
export type ExtraName = string & { readonly [extraName]: true };

/** What PEP 508 takes as a name. */
const VALID = /^[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9])?$/;

/**
 * Reads a project's name and normalises it: lower case, runs of `-`, `_` and `.` as one `-`.
 *
 * @throws PepError when it is no name in the sense of PEP 508
 */
export function parsePackageName(text: string): PackageName {
  return normalize(text, "package name") as PackageName;
}

/**
 * As {@link parsePackageName}, for an extra (PEP 685).
 *
 * @throws PepError when it is no name in the sense of PEP 508
 */
export function parseExtraName(text: string): ExtraName {
  return normalize(text, "extra") as ExtraName;
}

/** Whether a text is a valid name already in its normal form. */
export function isNormalized(text: string): text is PackageName {
  let dash = true;
  for (let index = 0; index < text.length; index += 1) {
    const code = text.charCodeAt(index);
    if ((code >= 0x61 && code <= 0x7a) || (code >= 0x30 && code <= 0x39)) {
      dash = false;
    } else if (code === 0x2d && !dash) {
      dash = true;
    } else {
      return false;
    }
  }
  return !dash;
}

function normalize(text: string, what: string): string {
  if (isNormalized(text)) return text;
  if (!VALID.test(text)) {
    throw new PepError(
      `Cannot read ${what} ${quote(text)}: it must be letters, digits, "-", "_" and "." only, ` +
        "with a letter or digit at both ends",
    );
  }
  return text.toLowerCase().replace(/[-_.]+/g, "-");
}
