import type { CommandContext } from "../../kit/cli/command.ts";
import { untilFirst } from "../sync/overtaken.ts";
import { openPlace } from "../sync/place.ts";
import { reportChange } from "../sync/report-change.ts";
import { syncProject } from "../sync/sync-project.ts";
import { commandText, openSession } from "./open-session.ts";
import type { SyncArgs } from "./sync.ts";

/** Makes the environment what the project asks for. */
export function run(context: CommandContext<SyncArgs>): Promise<number> {
  return untilFirst(() => sync(context));
}

async function sync(context: CommandContext<SyncArgs>): Promise<number> {
  const startedMs = performance.now();
  const { args, printer } = context;
  const session = await openSession(printer, args);
  const dryRun = args["dry-run"];
  const place = await openPlace(session, { python: args.python, create: true, dryRun });
  const { outcome, files } = await syncProject(session, place, {
    flags: args,
    exact: !args.inexact,
    locked: args.locked,
    frozen: args.frozen,
    dryRun,
    compileBytecode: args["compile-bytecode"] || session.config.values.install.compile_bytecode,
    command: commandText(context),
  });
  reportChange(printer, outcome, {
    command: "sync",
    environment: place.environment.root,
    dryRun,
    seconds: (performance.now() - startedMs) / 1000,
    files,
  });
  return 0;
}
