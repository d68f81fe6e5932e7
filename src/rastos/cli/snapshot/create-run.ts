import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { CommandContext } from "../../../kit/cli/command.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import { openRoot } from "../../snapshot/root.ts";
import type { CreateArgs } from "./create.ts";
import { openTree } from "./open-tree.ts";
import { reportDryRun, reportMade } from "./report.ts";

type Context = Pick<CommandContext<CreateArgs>, "args" | "printer" | "commandPath">;

/** Makes a snapshot without parent. */
export async function run(context: Context): Promise<number> {
  const { args, printer } = context;
  const from = args.from === undefined ? undefined : resolve(args.from);
  if (from !== undefined && !existsSync(from)) {
    throw new Fault({ code: "E_NOT_FOUND", message: `Cannot find the folder "${from}"` });
  }
  if (args["dry-run"]) {
    const { path } = openRoot({ root: args.root });
    const what = from === undefined ? "an empty snapshot" : `a snapshot of "${from}"`;
    reportDryRun(printer, `Would make ${what} in "${path}"`, { action: "create", from });
    return 0;
  }
  using tree = openTree(context, { isNew: true });
  reportMade(printer, tree.create({ from, description: args.description }));
  return 0;
}
