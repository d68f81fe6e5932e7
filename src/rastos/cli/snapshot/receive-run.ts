import { existsSync } from "node:fs";
import type { CommandContext } from "../../../kit/cli/command.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import { readTree } from "../../snapshot/find-tree.ts";
import { SNAPSHOTS } from "../../snapshot/layout.ts";
import { keysOfAll } from "../../snapshot/part-keys.ts";
import { receiveSnapshot } from "../../snapshot/receive.ts";
import { openRoot } from "../../snapshot/root.ts";
import { decompress, readFrom } from "../../snapshot/transfer.ts";
import { openTree } from "./open-tree.ts";
import type { ReceiveArgs } from "./receive.ts";
import { reportDryRun, reportMade } from "./report.ts";

type Context = Pick<CommandContext<ReceiveArgs>, "args" | "printer" | "commandPath">;

/** Makes a snapshot of a stream, or lists what there is. */
export async function run(context: Context): Promise<number> {
  const { args, printer } = context;
  const { source } = args;
  const { path } = openRoot({ root: args.root });
  if (args.list) {
    // A place without a tree has nothing yet, and can receive.
    const hasTree = existsSync(`${path}/${SNAPSHOTS}`);
    const snapshots = hasTree ? keysOfAll(path, readTree(path)) : [];
    if (printer.jsonMode) printer.json({ schema: "rastos.have/1", snapshots });
    else for (const { id, keys } of snapshots) printer.out(`${id} ${keys.root}`);
    return 0;
  }
  if (source === undefined) {
    throw new Fault({
      code: "E_USAGE",
      message: "Cannot receive without a source",
      hint: "name a file, or - for standard input",
    });
  }
  if (args["dry-run"]) {
    reportDryRun(printer, `Would receive "${source}"`, { action: "receive", source });
    return 0;
  }
  using tree = openTree(context, { isNew: true });
  reportMade(printer, await receiveSnapshot(tree, decompress(readFrom(source))));
  return 0;
}
