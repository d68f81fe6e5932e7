import type { CommandContext } from "../../kit/cli/command.ts";
import { setManifest } from "../env/manifest.ts";
import { choosePython } from "../python/find.ts";
import { checkNotOvertaken } from "../sync/check-overtaken.ts";
import { readBounds } from "../sync/inputs.ts";
import { lockProject } from "../sync/lock-project.ts";
import { untilFirst } from "../sync/overtaken.ts";
import { findOptions } from "../sync/place.ts";
import type { LockArgs } from "./lock.ts";
import { openSession } from "./open-session.ts";
import { packageName } from "./update-run.ts";

/** Writes the lock file, or tells whether it fits. */
export function run(context: CommandContext<LockArgs>): Promise<number> {
  return untilFirst(() => lock(context));
}

async function lock(context: CommandContext<LockArgs>): Promise<number> {
  const startedMs = performance.now();
  const { args, printer } = context;
  const session = await openSession(printer, {
    ...args,
    refresh: args.refresh || args.upgrade || args["upgrade-package"].length > 0,
  });
  const { interpreter } = await choosePython(args.python, findOptions(session));
  const locked = await lockProject(session, interpreter, session.project, {
    upgrade: args.upgrade ? "all" : new Set(args["upgrade-package"].map(packageName)),
    flags: args,
    locked: args.check,
    frozen: false,
    ...(await readBounds(args, session)),
  });
  const edit = await locked.editFor(session.project);
  if (edit !== undefined && !args["dry-run"]) {
    checkNotOvertaken([], [], [edit]);
    setManifest(edit.path, edit.after);
  }
  const seconds = (performance.now() - startedMs) / 1000;
  const packages = locked.resolution?.packages.length;
  if (printer.jsonMode) {
    printer.json({
      schema: "blast.lock/1",
      changed: edit !== undefined,
      dryRun: args["dry-run"],
      packages: packages ?? null,
      seconds: Math.round(seconds * 1000) / 1000,
    });
  } else if (edit === undefined && packages === 0) {
    printer.note("Nothing to lock: the project asks for nothing");
  } else if (edit === undefined) {
    printer.note(`pylock.toml is up to date (${seconds.toFixed(2)} s)`);
  } else {
    const verb = args["dry-run"] ? "Would lock" : "Locked";
    printer.note(`${verb} ${packages} packages in ${seconds.toFixed(2)} s`);
  }
  return 0;
}
