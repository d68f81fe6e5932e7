/** Escapes of one letter in a string literal of Python. */
const SINGLE: ReadonlyMap<string, string> = new Map([
  ["\\", "\\"],
  ["'", "'"],
  ['"', '"'],
  ["a", "\x07"],
  ["b", "\b"],
  ["f", "\f"],
  ["n", "\n"],
  ["r", "\r"],
  ["t", "\t"],
  ["v", "\v"],
  ["\n", ""],
]);

const ESCAPE =
  /\\(?:([0-7]{1,3})|x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([\s\S]?))/g;

/**
 * The value of a quoted string as Python reads it, since markers are Python's own literals to
 * every other tool: escapes count, unknown ones stay as they are written.
 *
 * @param inner what stands between the quotes
 * @returns undefined where Python finds no string: a bare line break, `\x4`, a `\` at the end
 */
export function pythonString(inner: string): string | undefined {
  if (!/[\\\n\r\0]/.test(inner)) return inner;
  if (/[\r\0]/.test(inner) || /(?:^|[^\\])(?:\\\\)*\n/.test(inner)) return undefined;
  let valid = true;
  const text = inner.replace(ESCAPE, (all, octal, two, four, eight, letter) => {
    if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8));
    const digits = two ?? four ?? eight;
    if (digits !== undefined) {
      const code = Number.parseInt(digits, 16);
      if (code <= 0x10ffff) return String.fromCodePoint(code);
      valid = false;
      return "";
    }
    // What is left of these letters lacks digits; names of characters need Unicode's tables.
    if (letter === "" || "xuUN".includes(letter)) valid = false;
    return SINGLE.get(letter) ?? all;
  });
  return valid ? text : undefined;
}
