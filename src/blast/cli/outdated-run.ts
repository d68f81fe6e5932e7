import type { CommandContext } from "../../kit/cli/command.ts";
import { formatTable } from "../../kit/text/table.ts";
import { type OutdatedPackage, outdatedPackages } from "../sync/outdated.ts";
import { openPlace } from "../sync/place.ts";
import { openSession } from "./open-session.ts";
import type { OutdatedArgs } from "./outdated.ts";

/** Lists what has newer versions. */
export async function run(context: CommandContext<OutdatedArgs>): Promise<number> {
  const { args, printer } = context;
  const session = await openSession(printer, { ...args, refresh: true });
  const place = await openPlace(session, { python: args.python, create: false });
  const found = await outdatedPackages(session, place, { pre: args.pre });
  if (printer.jsonMode) {
    for (const one of found) printer.json({ schema: "blast.outdated/1", ...one });
    return 0;
  }
  if (found.length === 0) {
    printer.note("Everything is of the newest version");
    return 0;
  }
  const rows = found.map((one: OutdatedPackage) => [
    one.name,
    one.version,
    one.newest,
    one.forbiddenBy.length === 0 ? "" : `not allowed by ${one.forbiddenBy.join(", ")}`,
  ]);
  const titles = ["package", "installed", "newest", ""].map((title) => ({ title }));
  for (const line of formatTable(titles, rows)) printer.out(line);
  return 0;
}
