import { basename } from "node:path";
import type { CommandContext } from "../../kit/cli/command.ts";
import { undo } from "../env/undo.ts";
import { openPlace } from "../sync/place.ts";
import { reportChange } from "../sync/report-change.ts";
import { commandText, openSession } from "./open-session.ts";
import type { UndoArgs } from "./undo.ts";

/** Takes the last change back. */
export async function run(context: CommandContext<UndoArgs>): Promise<number> {
  const startedMs = performance.now();
  const { args, printer } = context;
  const session = await openSession(printer, {});
  const { environment } = await openPlace(session, { python: args.python, create: false });
  const result = await undo(environment, await session.store(), {
    command: commandText(context),
    conflicts: session.fileConflicts,
    onWait: (holder) => printer.note(`Waiting for ${holder}`),
  });
  printer.note(`Taken back: ${result.command}`);
  const files = new Set(result.keptManifests);
  for (const path of files) {
    printer.warn(`"${basename(path)}" was changed since and stays as it is`);
  }
  reportChange(
    printer,
    { installed: result.installed, removed: result.removed, kept: 0, notes: result.notes },
    {
      command: "undo",
      environment: environment.root,
      dryRun: false,
      seconds: (performance.now() - startedMs) / 1000,
      files: [],
    },
  );
  return 0;
}
