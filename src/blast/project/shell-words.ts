/** Words of a line as a POSIX shell takes them apart, the way Python's `shlex.split` does. Pure. */

/**
 * Splits at blanks; quotes and backslashes keep them. There are no comments here.
 *
 * @returns undefined when a quote or an escape has no end
 */
export function splitShellWords(text: string): string[] | undefined {
  const words: string[] = [];
  let word = "";
  let isWord = false;
  let quote = "";
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? "";
    if (character === quote) {
      quote = "";
    } else if (character === "\\" && quote !== "'") {
      at += 1;
      const next = text[at];
      if (next === undefined) return undefined;
      // Within double quotes only the quote and the backslash can be escaped.
      word += quote === '"' && next !== '"' && next !== "\\" ? `\\${next}` : next;
      isWord = true;
    } else if (quote !== "") {
      word += character;
    } else if (character === '"' || character === "'") {
      quote = character;
      isWord = true;
    } else if (/[ \t\r\n]/.test(character)) {
      if (isWord) words.push(word);
      word = "";
      isWord = false;
    } else {
      word += character;
      isWord = true;
    }
  }
  if (quote !== "") return undefined;
  if (isWord) words.push(word);
  return words;
}
