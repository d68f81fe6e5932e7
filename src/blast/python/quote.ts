/** Texts as literals of shells: whatever they hold, they come out as they are. */

/** For sh, bash, zsh and ksh. */
export function posixQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** For fish, which knows two escapes within single quotes. */
export function fishQuoted(text: string): string {
  return `'${text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")}'`;
}

/** For csh and tcsh: `!` recalls history even within single quotes. */
export function cshQuoted(text: string): string {
  return `'${text.replaceAll("'", "'\\''").replaceAll("!", "\\!")}'`;
}

/** For PowerShell, which takes typographic quotes for quotes as well. */
export function powershellQuoted(text: string): string {
  return `'${text.replace(/['\u2018-\u201b]/g, "$&$&")}'`;
}

/** For nushell: a raw string with as many marks as it takes. */
export function nuQuoted(text: string): string {
  let marks = "#";
  while (text.includes(`'${marks}`)) marks += "#";
  return `r${marks}'${text}'${marks}`;
}

/** For cmd's `set "NAME=…"`. */
export function cmdValue(text: string): string {
  return text.replaceAll("%", "%%");
}
