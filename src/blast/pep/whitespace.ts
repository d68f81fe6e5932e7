/**
 * What Python's `str.isspace` and its regular expressions call white space. JavaScript's own set
 * differs: it lacks U+001C to U+001F and U+0085 and has U+FEFF.
 */
export function isWhitespace(code: number): boolean {
  if (code < 0x80) return code === 0x20 || (code >= 0x09 && code <= 0x0d) || isSeparator(code);
  return (
    code === 0x85 ||
    code === 0xa0 ||
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000
  );
}

/** The text without white space, as {@link isWhitespace} knows it, at both ends. */
export function trim(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isWhitespace(text.charCodeAt(start))) start += 1;
  while (end > start && isWhitespace(text.charCodeAt(end - 1))) end -= 1;
  return start === 0 && end === text.length ? text : text.slice(start, end);
}

function isSeparator(code: number): boolean {
  return code >= 0x1c && code <= 0x1f;
}
