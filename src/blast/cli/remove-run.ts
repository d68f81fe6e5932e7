import type { CommandContext } from "../../kit/cli/command.ts";
import { untilFirst } from "../sync/overtaken.ts";
import { openPlace } from "../sync/place.ts";
import { removePackages } from "../sync/remove.ts";
import { reportChange } from "../sync/report-change.ts";
import { commandText, openSession } from "./open-session.ts";
import type { RemoveArgs } from "./remove.ts";
import { packageName } from "./update-run.ts";

/** Removes packages from project and environment. */
export function run(context: CommandContext<RemoveArgs>): Promise<number> {
  return untilFirst(() => remove(context));
}

async function remove(context: CommandContext<RemoveArgs>): Promise<number> {
  const startedMs = performance.now();
  const { args, printer } = context;
  const session = await openSession(printer, args);
  const dryRun = args["dry-run"];
  const place = await openPlace(session, { python: args.python, create: false, dryRun });
  const { outcome, files } = await removePackages(session, place, {
    names: args.package.map(packageName),
    place: { group: args.group, optional: args.optional },
    dryRun,
    command: commandText(context),
  });
  reportChange(printer, outcome, {
    command: "remove",
    environment: place.environment.root,
    dryRun,
    seconds: (performance.now() - startedMs) / 1000,
    files,
  });
  return 0;
}
