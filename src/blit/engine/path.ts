/** Paths as latin1 strings, one character per byte; pure. */

/** A name or path for people: UTF-8 where it is that, else with \xNN for the odd bytes. */
export function displayPath(path: string): string {
  let isPlain = true;
  for (let i = 0; i < path.length && isPlain; i++) {
    const code = path.charCodeAt(i);
    isPlain = code >= 0x20 && code < 0x7f;
  }
  if (isPlain) return path;
  const bytes = Buffer.from(path, "latin1");
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    text = path.replace(/[\x80-\xff]/g, hexEscape);
  }
  return text.replace(unsafe, controlEscape);
}

/** Control characters, also those of ISO 6429 above ASCII, and what turns the reading direction. */
const unsafe =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they must not reach a terminal
  /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

function hexEscape(character: string): string {
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, "0")}`;
}

function controlEscape(character: string): string {
  if (character === "\n") return "\\n";
  if (character === "\t") return "\\t";
  const code = character.charCodeAt(0);
  return code <= 0xff ? hexEscape(character) : `\\u${code.toString(16).padStart(4, "0")}`;
}

/** Folder and last name of a path. `splitPath("a/b/")` is the same as of "a/b". */
export function splitPath(path: string): { readonly folder: string; readonly name: string } {
  const trimmed = path.replace(/\/+$/, "");
  if (trimmed === "") return { folder: "/", name: "." };
  const slash = trimmed.lastIndexOf("/");
  if (slash < 0) return { folder: ".", name: trimmed };
  return { folder: slash === 0 ? "/" : trimmed.slice(0, slash), name: trimmed.slice(slash + 1) };
}

/** Whether a source path means the contents of a folder: a slash, `.` or `..` at its end. */
export function meansContents(path: string): boolean {
  return path.endsWith("/") || /(^|\/)\.{1,2}$/.test(path);
}

/** Joins a folder and a name. */
export function joinPath(folder: string, name: string): string {
  if (name === "") return folder;
  return folder.endsWith("/") ? folder + name : `${folder}/${name}`;
}
