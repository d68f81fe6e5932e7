import type { Printer } from "../../../kit/out/printer.ts";

/** `Remove snapshot 3`, `Remove snapshots 3, 4`. */
export function removedText(verb: string, ids: readonly number[]): string {
  return `${verb} snapshot${ids.length === 1 ? "" : "s"} ${ids.join(", ")}`;
}

/** Says which snapshots were removed, or would be. */
export function reportRemoved(
  printer: Printer,
  removal: { readonly ids: readonly number[]; readonly isDryRun: boolean },
): void {
  const { ids, isDryRun } = removal;
  if (printer.jsonMode) {
    printer.json({ schema: "rastos.removed/1", dryRun: isDryRun, removed: ids });
  } else if (ids.length === 0) printer.note("There is nothing to remove");
  else if (isDryRun) printer.out(removedText("Would remove", ids));
  else printer.note(removedText("Removed", ids));
}
