import type { CommandContext } from "../../../kit/cli/command.ts";
import { readTree } from "../../snapshot/find-tree.ts";
import { openRoot } from "../../snapshot/root.ts";
import { findSnapshot } from "./find-snapshot.ts";
import { openTree } from "./open-tree.ts";
import type { PinArgs } from "./pin.ts";
import { reportDryRun, snapshotJson } from "./report.ts";

type Context = Pick<CommandContext<PinArgs>, "args" | "printer" | "commandPath">;

/** Pins a snapshot, or lets go of it. */
export async function run(context: Context, isPinned: boolean): Promise<number> {
  const { args, printer } = context;
  const verb = isPinned ? "pin" : "unpin";
  if (args["dry-run"]) {
    const state = readTree(openRoot({ root: args.root }).path);
    const { id } = findSnapshot(state, args.snapshot);
    reportDryRun(printer, `Would ${verb} snapshot ${id}`, { action: verb, id });
    return 0;
  }
  using tree = openTree(context);
  const { id } = findSnapshot(tree.state, args.snapshot);
  tree.pin(id, isPinned);
  if (printer.jsonMode) {
    printer.json({ schema: "rastos.snapshot/1", ...snapshotJson(tree.snapshot(id)) });
  } else printer.note(`${isPinned ? "Pinned" : "Unpinned"} snapshot ${id}`);
  return 0;
}
