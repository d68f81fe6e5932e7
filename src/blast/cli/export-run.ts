import { resolve } from "node:path";
import type { CommandContext } from "../../kit/cli/command.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { setManifest } from "../env/manifest.ts";
import { setsOfLock } from "../sync/dynamic-sets.ts";
import { exportRequirements } from "../sync/export.ts";
import { selectionOf } from "../sync/project.ts";
import type { ExportArgs } from "./export.ts";
import { openSession } from "./open-session.ts";

/** Prints the lock file in another format. */
export async function run(context: CommandContext<ExportArgs>): Promise<number> {
  const { args, printer } = context;
  const session = await openSession(printer, {});
  const path = session.project.files.pylock;
  const { readPylock } = await import("../project/pylock.ts");
  const lock = path === undefined ? undefined : await readPylock(path, "pylock.toml");
  if (path === undefined || lock === undefined) {
    throw new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot export: there is no pylock.toml in "${session.project.folder}"`,
      hint: "`blast lock` writes it",
    });
  }
  const selection = selectionOf(setsOfLock(await session.project.sets(), lock), args);
  const text =
    args.format === "pylock.toml"
      ? await Bun.file(path).text()
      : exportRequirements(lock, selection, { hashes: args.hashes });
  if (args.output !== undefined) setManifest(resolve(args.output), text);
  if (printer.jsonMode) {
    const output = args.output === undefined ? null : resolve(args.output);
    printer.json({ schema: "blast.export/1", format: args.format, output, text });
  } else if (args.output === undefined) printer.raw(text);
  return 0;
}
