/**
 * RECORD files: one line for each installed file, as CSV with path, hash and size.
 * @see https://packaging.python.org/en/latest/specifications/recording-installed-packages/
 */

/** A line of RECORD. */
export interface RecordEntry {
  /** As written: relative to the folder that holds the dist-info folder, or absolute. */
  readonly path: string;
  /** `sha256=…`, the digest in urlsafe base64 without padding; absent for RECORD itself. */
  readonly hash?: string;
  readonly size?: number;
}

/** Reads a RECORD; lines without a path are left out, as Python's own csv reader would. */
export function parseRecord(text: string): RecordEntry[] {
  const entries: RecordEntry[] = [];
  let position = 0;
  while (position < text.length) {
    const row = readRow(text, position);
    position = row.end;
    const [path = "", hash = "", size = ""] = row.fields;
    if (path === "" || path.includes("\0")) continue;
    const bytes = /^\d+$/.test(size) ? Number(size) : undefined;
    entries.push({
      path,
      ...(hash === "" ? {} : { hash }),
      ...(bytes === undefined ? {} : { size: bytes }),
    });
  }
  return entries;
}

interface Row {
  readonly fields: readonly string[];
  /** Where the next row begins. */
  readonly end: number;
}

function readRow(text: string, start: number): Row {
  const newline = text.indexOf("\n", start);
  const end = newline < 0 ? text.length : newline;
  const line = text.slice(start, text[end - 1] === "\r" ? end - 1 : end);
  if (!line.includes('"')) return { fields: line.split(","), end: end + 1 };
  return readQuotedRow(text, start);
}

function readQuotedRow(text: string, start: number): Row {
  const fields: string[] = [];
  let field = "";
  let isQuoted = false;
  let position = start;
  for (; position < text.length; position++) {
    const character = text[position] as string;
    if (isQuoted) {
      if (character !== '"') field += character;
      else if (text[position + 1] === '"') {
        field += '"';
        position++;
      } else isQuoted = false;
    } else if (character === '"') isQuoted = true;
    else if (character === ",") {
      fields.push(field);
      field = "";
    } else if (character === "\n") break;
    else if (character !== "\r") field += character;
  }
  fields.push(field);
  return { fields, end: position + 1 };
}

/** Whether any of these characters is in a path, or in several of them that are joined. */
export function needsQuotes(paths: string): boolean {
  return /[",\r\n]/.test(paths);
}

/** One line with its line break. */
export function formatRecordEntry(path: string, hash: string, size: number | undefined): string {
  const written = needsQuotes(path) ? `"${path.replaceAll('"', '""')}"` : path;
  return `${written},${hash},${size ?? ""}\n`;
}
