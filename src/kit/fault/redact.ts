/**
 * Makes text from outside (file names, server answers, environment) fit for a terminal and a log:
 * what could move the cursor or reorder the line is shown as an escape, credentials are masked.
 */

// C0, DEL, C1, line and paragraph separators, bidirectional controls, byte order mark, and lone
// surrogates: everything that changes how the rest of the line is shown.
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are the subject
  /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Surrogate}/gu;

const NAMED_ESCAPES: Readonly<Record<string, string>> = {
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\u001b": "\\e",
};

/** Shows control and direction-changing characters as escapes (`\n`, `\e`, `\x07`, `\u202e`). */
export function escapeControls(text: string): string {
  return text.replace(UNSAFE, escapeOne);
}

function escapeOne(character: string): string {
  const named = NAMED_ESCAPES[character];
  if (named !== undefined) {
    return named;
  }
  const code = character.charCodeAt(0);
  if (code >= 0xdc80 && code <= 0xdcff) {
    // A byte that is no UTF-8, as Python's "surrogateescape" carries it through text.
    return `\\x${(code - 0xdc00).toString(16)}`;
  }
  return code <= 0xff
    ? `\\x${code.toString(16).padStart(2, "0")}`
    : `\\u${code.toString(16).padStart(4, "0")}`;
}

const USER_INFO = /([a-z][a-z0-9+.-]*:\/\/)([^\s/?#@:"']*)(?::[^\s/?#"']*)?@/gi;
const SECRET_PARAMETER =
  /([?&;](?:access_token|api_?key|auth|key|passwo?r?d|secret|sig(?:nature)?|token)=)[^\s&;#"']+/gi;

/** Masks passwords and tokens in URLs: `https://me:secret@host/` becomes `https://me:***@host/`. */
export function redactCredentials(text: string): string {
  return text.replace(USER_INFO, maskUserInfo).replace(SECRET_PARAMETER, "$1***");
}

function maskUserInfo(whole: string, scheme: string, user: string): string {
  const hasPassword = whole.slice(scheme.length, -1).includes(":");
  // `https://<token>@host` is how forges hand out tokens: a user alone over HTTP is one.
  const userIsSecret = !hasPassword && /^https?:/i.test(scheme);
  return `${scheme}${userIsSecret ? "***" : user}${hasPassword ? ":***" : ""}@`;
}

/** {@link redactCredentials} and {@link escapeControls}: for every text that comes from outside. */
export function sanitise(text: string): string {
  return escapeControls(redactCredentials(text));
}
