import type { CommandContext } from "../../../kit/cli/command.ts";
import { readStatus } from "../../deploy/status.ts";
import { readTree } from "../../snapshot/find-tree.ts";
import { deploymentTable } from "./deployment-table.ts";
import type { ListArgs } from "./list.ts";
import { findPlace } from "./place.ts";

type Context = Pick<CommandContext<ListArgs>, "args" | "printer">;

/** Lists the boot entries. */
export async function run(context: Context): Promise<number> {
  const { printer } = context;
  const { top, menu, booted } = findPlace(context);
  const { deployments } = readStatus({ top, menu, booted, state: readTree(top) });
  if (printer.jsonMode) {
    for (const one of deployments) printer.json({ schema: "rastos.boot/1", ...one });
  } else if (deployments.length === 0) {
    printer.note("There are no boot entries yet: rastos deploy makes one");
  } else {
    for (const line of deploymentTable(deployments)) printer.out(line);
  }
  return 0;
}
