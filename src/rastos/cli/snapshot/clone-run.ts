import type { CommandContext } from "../../../kit/cli/command.ts";
import { readTree } from "../../snapshot/find-tree.ts";
import { openRoot } from "../../snapshot/root.ts";
import type { CloneArgs } from "./clone.ts";
import { findSnapshot } from "./find-snapshot.ts";
import { openTree } from "./open-tree.ts";
import { reportDryRun, reportMade } from "./report.ts";

type Context = Pick<CommandContext<CloneArgs>, "args" | "printer" | "commandPath">;

/** Makes a child of a snapshot. */
export async function run(context: Context): Promise<number> {
  const { args, printer } = context;
  if (args["dry-run"]) {
    const state = readTree(openRoot({ root: args.root }).path);
    const { id } = findSnapshot(state, args.snapshot);
    const text = `Would make snapshot ${state.nextSnapshot} of ${id}`;
    reportDryRun(printer, text, { action: "clone", parent: id, id: state.nextSnapshot });
    return 0;
  }
  using tree = openTree(context);
  const { id } = findSnapshot(tree.state, args.snapshot);
  reportMade(printer, tree.clone(id, args.description));
  return 0;
}
