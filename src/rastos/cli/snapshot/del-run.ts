import type { CommandContext } from "../../../kit/cli/command.ts";
import { readTree } from "../../snapshot/find-tree.ts";
import { requireRemovable } from "../../snapshot/removable.ts";
import { openRoot } from "../../snapshot/root.ts";
import { withDescendants } from "../../snapshot/shape.ts";
import type { SystemState } from "../../snapshot/types.ts";
import { confirm } from "./confirm.ts";
import type { DelArgs } from "./del.ts";
import { findSnapshot } from "./find-snapshot.ts";
import { openTree } from "./open-tree.ts";
import { removedText, reportRemoved } from "./removed.ts";

type Context = Pick<CommandContext<DelArgs>, "args" | "printer" | "commandPath">;

/** Removes snapshots. */
export async function run(context: Context): Promise<number> {
  const { args, printer } = context;
  const { force } = args;
  const state = readTree(openRoot({ root: args.root }).path);
  const ids = chosen(state, args);
  if (!force) requireRemovable(state, new Set(ids));
  if (args["dry-run"]) {
    reportRemoved(printer, { ids, isDryRun: true });
    return 0;
  }
  await confirm({ printer, yes: args.yes, action: removedText("Remove", ids) });
  using tree = openTree(context);
  tree.remove(ids, { force });
  reportRemoved(printer, { ids, isDryRun: false });
  return 0;
}

function chosen(state: SystemState, args: Context["args"]): readonly number[] {
  const ids = args.snapshot.map((text) => findSnapshot(state, text).id);
  const all = args.tree ? withDescendants(state.snapshots, ids) : ids;
  return [...new Set(all)].sort((a, b) => a - b);
}
