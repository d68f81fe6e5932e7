import type { CommandContext } from "../../../kit/cli/command.ts";
import { escapeControls } from "../../../kit/fault/redact.ts";
import { readTree } from "../../snapshot/find-tree.ts";
import { openRoot } from "../../snapshot/root.ts";
import { listTemporary } from "../../snapshot/temporary.ts";
import { openTree } from "./open-tree.ts";
import type { TmpArgs } from "./tmp.ts";

type Context = Pick<CommandContext<TmpArgs>, "args" | "printer" | "commandPath">;

/** Lists temporary clones, and removes leftovers if told to. */
export async function run(context: Context): Promise<number> {
  const { args, printer } = context;
  const { path } = openRoot({ root: args.root });
  readTree(path);
  const before = listTemporary(path);
  const unused = before.filter(({ isInUse }) => !isInUse).map(({ name }) => name);
  const isCleaned = args.clean && !args["dry-run"];
  // Whoever opens the tree cleans up.
  if (isCleaned) openTree(context)[Symbol.dispose]();
  const removed = isCleaned ? unused : [];
  const clones = before.filter(({ name }) => !removed.includes(name));
  if (printer.jsonMode) {
    printer.json({ schema: "rastos.tmp/1", clones, removed });
    return 0;
  }
  for (const { name, isInUse } of clones) {
    const left = args.clean ? "would be removed" : "left by an interrupted run";
    printer.out(`${escapeControls(name)}  ${isInUse ? "in use" : left}`);
  }
  for (const name of removed) printer.note(`Removed ${escapeControls(name)}`);
  if (before.length === 0) printer.note("There are no temporary clones");
  return 0;
}
