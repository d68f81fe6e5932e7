/** What a table was measured with. */
export interface Conditions {
  readonly machine: string;
  readonly scale: number;
  /** Version line of each tool by id. */
  readonly versions: Record<string, string>;
}

/** A row that may have been measured with another executable of ours than the rest. */
export interface KeptRow {
  /** That one's version line, where it is not the one that the table names. */
  readonly blit?: string;
}

/** Ids of what is measured with our own executable. */
const OURS: readonly string[] = ["blit", "blit-tls"];

/**
 * Whether rows of an earlier session may stand beside new ones: same machine, same scale, same
 * peers. Another executable of ours does not matter to the ratios of a row, as each is of one
 * session: the row names it.
 */
export function isComparable(before: Conditions, now: Conditions): boolean {
  if (before.machine !== now.machine || before.scale !== now.scale) return false;
  return Object.entries(now.versions).every(
    ([id, version]) => OURS.includes(id) || (before.versions[id] ?? version) === version,
  );
}

/** Rows of an earlier session, each with the executable that it was measured with. */
export function keptRows<Row extends KeptRow>(
  rows: readonly Row[],
  before: Conditions,
  now: Conditions,
): Row[] {
  return rows.map((row) => {
    const blit = row.blit ?? before.versions["blit"];
    const { blit: _, ...rest } = row;
    return (blit === undefined || blit === now.versions["blit"] ? rest : { ...rest, blit }) as Row;
  });
}

/** One note for each other executable, with the titles of its rows. */
export function executableNotes<Row extends KeptRow>(
  rows: readonly Row[],
  title: (row: Row) => string,
): string[] {
  const titles = new Map<string, string[]>();
  for (const row of rows) {
    if (row.blit === undefined) continue;
    const known = titles.get(row.blit) ?? [];
    known.push(title(row));
    titles.set(row.blit, known);
  }
  return [...titles].map(([blit, named]) => `- measured with ${blit}: ${named.join("; ")}`);
}
