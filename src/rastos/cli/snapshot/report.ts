import { escapeControls } from "../../../kit/fault/redact.ts";
import type { Printer } from "../../../kit/out/printer.ts";
import type { Snapshot } from "../../snapshot/types.ts";

/** A snapshot as `--json` prints it. */
export function snapshotJson(snapshot: Snapshot): Readonly<Record<string, unknown>> {
  const { id, parent, branch, description, createdMs, isPinned, uuid } = snapshot;
  const created = new Date(createdMs).toISOString();
  const [of, begins] = [parent ?? null, branch ?? null];
  return { id, parent: of, branch: begins, description, created, isPinned, uuid };
}

/** Says which snapshot was made. */
export function reportMade(printer: Printer, snapshot: Snapshot): void {
  if (printer.jsonMode) {
    printer.json({ schema: "rastos.snapshot/1", ...snapshotJson(snapshot) });
    return;
  }
  const of = snapshot.parent === undefined ? "" : ` of ${snapshot.parent}`;
  const branch = snapshot.branch === undefined ? "" : `, branch ${snapshot.branch}`;
  printer.note(`Made snapshot ${snapshot.id}${of}${branch}`);
}

/** Says what a dry run would have done. */
export function reportDryRun(
  printer: Printer,
  text: string,
  data: Readonly<Record<string, unknown>>,
): void {
  if (printer.jsonMode) printer.json({ schema: "rastos.dry-run/1", ...data });
  else printer.out(escapeControls(text));
}
