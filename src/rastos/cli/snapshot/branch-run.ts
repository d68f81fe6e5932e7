import type { CommandContext } from "../../../kit/cli/command.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import { readTree } from "../../snapshot/find-tree.ts";
import { openRoot } from "../../snapshot/root.ts";
import type { BranchArgs } from "./branch.ts";
import { findSnapshot } from "./find-snapshot.ts";
import { openTree } from "./open-tree.ts";
import { reportDryRun, reportMade } from "./report.ts";

type Context = Pick<CommandContext<BranchArgs>, "args" | "printer" | "commandPath">;

/** Makes a child that begins a branch. */
export async function run(context: Context): Promise<number> {
  const { args, printer } = context;
  requireName(args.name);
  if (args["dry-run"]) {
    const state = readTree(openRoot({ root: args.root }).path);
    const { id } = findSnapshot(state, args.snapshot);
    const next = state.nextSnapshot;
    const text = `Would begin the branch "${args.name}" with snapshot ${next} of ${id}`;
    const data = { action: "branch", parent: id, id: next, branch: args.name };
    reportDryRun(printer, text, data);
    return 0;
  }
  using tree = openTree(context);
  const { id } = findSnapshot(tree.state, args.snapshot);
  reportMade(printer, tree.branch(id, args.name, args.description));
  return 0;
}

function requireName(name: string): void {
  // A number would mean a snapshot.
  if (/^[A-Za-z_][A-Za-z0-9._-]{0,63}$/.test(name)) return;
  throw new Fault({
    code: "E_USAGE",
    message: `Cannot name a branch "${name}"`,
    hint: "it begins with a letter and has letters, digits, dots, dashes and underscores",
  });
}
