import type { CommandContext } from "../../../kit/cli/command.ts";
import { readTree } from "../../snapshot/find-tree.ts";
import { openRoot } from "../../snapshot/root.ts";
import type { DescArgs } from "./desc.ts";
import { findSnapshot } from "./find-snapshot.ts";
import { openTree } from "./open-tree.ts";
import { reportDryRun, snapshotJson } from "./report.ts";

type Context = Pick<CommandContext<DescArgs>, "args" | "printer" | "commandPath">;

/** Describes a snapshot. */
export async function run(context: Context): Promise<number> {
  const { args, printer } = context;
  const description = args.text.join(" ");
  if (args["dry-run"]) {
    const state = readTree(openRoot({ root: args.root }).path);
    const { id } = findSnapshot(state, args.snapshot);
    reportDryRun(printer, `Would describe snapshot ${id} as "${description}"`, {
      action: "describe",
      id,
      description,
    });
    return 0;
  }
  using tree = openTree(context);
  const { id } = findSnapshot(tree.state, args.snapshot);
  tree.describe(id, description);
  if (printer.jsonMode) {
    printer.json({ schema: "rastos.snapshot/1", ...snapshotJson(tree.snapshot(id)) });
  } else printer.note(`Described snapshot ${id}`);
  return 0;
}
