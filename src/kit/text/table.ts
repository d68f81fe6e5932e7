/** One column of a table. */
export interface Column {
  readonly title: string;
  /** Numbers stand right. */
  readonly align?: "left" | "right";
}

const GAP = "  ";

/**
 * The lines of an aligned table, its titles first; no line ends in spaces. Widths are those of a
 * terminal. Pure; the cells must hold no control characters.
 */
export function formatTable(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string[] {
  const all = [columns.map((column) => column.title), ...rows];
  const widths = columns.map((_, index) =>
    Math.max(...all.map((row) => Bun.stringWidth(row[index] ?? ""))),
  );
  return all.map((row) =>
    columns
      .map(({ align }, index) => {
        const cell = row[index] ?? "";
        const blank = " ".repeat((widths[index] ?? 0) - Bun.stringWidth(cell));
        return align === "right" ? blank + cell : cell + blank;
      })
      .join(GAP)
      .trimEnd(),
  );
}
