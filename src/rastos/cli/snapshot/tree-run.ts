import type { CommandContext } from "../../../kit/cli/command.ts";
import { readTree } from "../../snapshot/find-tree.ts";
import { openRoot } from "../../snapshot/root.ts";
import type { TreeArgs } from "./tree.ts";
import { printTree } from "./tree-text.ts";

type Context = Pick<CommandContext<TreeArgs>, "args" | "printer">;

/** Shows the tree. */
export async function run({ args, printer }: Context): Promise<number> {
  const { path } = openRoot({ root: args.root });
  printTree(printer, path, readTree(path));
  return 0;
}
