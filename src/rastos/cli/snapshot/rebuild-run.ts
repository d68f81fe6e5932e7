import type { CommandContext } from "../../../kit/cli/command.ts";
import { rebuildState } from "../../snapshot/rebuild.ts";
import { openRoot } from "../../snapshot/root.ts";
import type { RebuildArgs } from "./rebuild.ts";
import { printTree } from "./tree-text.ts";

type Context = Pick<CommandContext<RebuildArgs>, "args" | "printer" | "commandPath">;

/** Makes the state anew. */
export async function run({ args, printer, commandPath }: Context): Promise<number> {
  const { path } = openRoot({ root: args.root });
  const isDryRun = args["dry-run"];
  const { state, issues } = rebuildState(path, { command: commandPath, isDryRun });
  for (const issue of issues) printer.warn(issue);
  printTree(printer, path, state);
  return 0;
}
