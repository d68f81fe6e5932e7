/**
 * Fields of the mail-like headers of METADATA and WHEEL, as written: what the store compares, and
 * nothing that has to be understood (that is pep/metadata.ts).
 */

/** The values of each field, by its name in lower case, in the order of the text. */
export type HeaderFields = ReadonlyMap<string, readonly string[]>;

/** Reads the fields up to the first empty line; a folded line is joined to its field. */
export function parseHeaderFields(text: string): HeaderFields {
  const fields = new Map<string, string[]>();
  let open: string[] | undefined;
  let start = text.startsWith("\ufeff") ? 1 : 0;
  while (start < text.length) {
    const newline = text.indexOf("\n", start);
    const next = newline < 0 ? text.length : newline;
    const line = text.slice(start, text[next - 1] === "\r" ? next - 1 : next);
    start = next + 1;
    if (line === "") break;
    if (line.startsWith(" ") || line.startsWith("\t")) {
      if (open !== undefined) open.push(`${open.pop() ?? ""}\n${line.trim()}`);
      continue;
    }
    const colon = line.indexOf(":");
    if (colon < 1) continue;
    const name = line.slice(0, colon).trim().toLowerCase();
    open = fields.get(name) ?? [];
    open.push(line.slice(colon + 1).trim());
    fields.set(name, open);
  }
  return fields;
}

/** What a resolver decides by: these have to be the same wherever metadata is offered. */
const DECIDING = ["name", "version", "requires-python", "requires-dist", "provides-extra"] as const;

/**
 * The first deciding field in which a wheel's METADATA differs from the copy that the index offers
 * (PEP 658); undefined where a resolver would decide the same.
 */
export function metadataDifference(own: string, offered: string): string | undefined {
  if (own === offered) return undefined;
  const ours = parseHeaderFields(own);
  const theirs = parseHeaderFields(offered);
  return DECIDING.find((name) => {
    const left = ours.get(name) ?? [];
    const right = theirs.get(name) ?? [];
    return left.length !== right.length || left.some((value, index) => value !== right[index]);
  });
}
