import { escapeControls } from "../../../kit/fault/redact.ts";
import type { Printer } from "../../../kit/out/printer.ts";
import { sharedFolders } from "../../system/shared-folders.ts";
import type { ConfigurationReport } from "../../system/types.ts";
import { changeUser, type UserChange } from "../../system/users.ts";
import { changeTarget, findTarget } from "../packages/target.ts";

interface Context {
  readonly args: {
    readonly root: string | undefined;
    readonly snapshot: string | undefined;
    readonly "dry-run": boolean;
  };
  readonly printer: Printer;
  readonly commandPath: string;
}

/** Changes accounts in a folder, or in a new snapshot. @throws {Fault} */
export async function changeAccounts(context: Context, change: UserChange): Promise<void> {
  const { args, printer, commandPath } = context;
  const isDryRun = args["dry-run"];
  const target = findTarget(args);
  const shared = target.kind === "folder" ? new Map() : sharedFolders(target.top);
  let report: ConfigurationReport = { changes: [], notes: [], programs: [] };
  const done = await changeTarget({
    target,
    command: commandPath,
    printer,
    work: async ({ root }) => {
      report = await changeUser({ root, shared, isDryRun }, change);
      const [first] = report.changes;
      // A clone in which nothing is to be kept goes again.
      return isDryRun || first === undefined
        ? undefined
        : { value: report, description: first.text };
    },
  });
  if (printer.jsonMode) {
    const { changes, notes } = report;
    const snapshot = done?.made?.id ?? null;
    printer.json({ schema: "rastos.users/1", isDryRun, changes, notes, snapshot });
    return;
  }
  for (const { text } of report.changes) {
    printer.out(escapeControls(isDryRun ? `Would ${text}` : text));
  }
  for (const note of report.notes) printer.note(`note: ${escapeControls(note)}`);
  if (report.changes.length === 0) printer.note("Nothing to do");
  const made = done?.made;
  if (made !== undefined)
    printer.note(`Made snapshot ${made.id}; rastos deploy ${made.id} boots it`);
}
