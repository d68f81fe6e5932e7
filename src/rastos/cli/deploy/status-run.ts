import type { CommandContext } from "../../../kit/cli/command.ts";
import { escapeControls } from "../../../kit/fault/redact.ts";
import type { Printer } from "../../../kit/out/printer.ts";
import { formatCount } from "../../../kit/text/format.ts";
import { readStatus, type SystemStatus } from "../../deploy/status.ts";
import { readTree } from "../../snapshot/find-tree.ts";
import { deploymentTable } from "../boot/deployment-table.ts";
import { findPlace } from "../boot/place.ts";
import type { StatusArgs } from "./status.ts";

type Context = Pick<CommandContext<StatusArgs>, "args" | "printer">;

/** Shows how the system stands. */
export async function run(context: Context): Promise<number> {
  const { printer } = context;
  const { top, menu, booted } = findPlace(context);
  const status = readStatus({ top, menu, booted, state: readTree(top) });
  if (printer.jsonMode) printer.json({ schema: "rastos.status/1", ...status });
  else printStatus(printer, status);
  return 0;
}

function printStatus(printer: Printer, status: SystemStatus): void {
  const { booted, next, deployments, rolledBack, etc, etcSince } = status;
  if (booted !== undefined) printer.out(`Booted     ${booted}`);
  const isSame = booted !== undefined && booted === next;
  printer.out(`Boots next ${next ?? "nothing that is good"}${isSame ? ", the same" : ""}`);
  for (const { entry, reason } of rolledBack) {
    const mark = printer.dataStyle.warning("Rolled back");
    printer.out(escapeControls(`${entry}: ${reason}`).replace(/^/, `${mark} `));
  }
  if (etc.length > 0) {
    printer.out(`/etc       ${formatCount(etc.length, "change")}: rastos etc diff`);
  }
  if (etcSince.length > 0) {
    const are = etcSince.length === 1 ? "is" : "are";
    printer.out(`           ${etcSince.length} of them ${are} later than ${next}, and not in it`);
  }
  if (deployments.length === 0) return;
  printer.out("");
  for (const line of deploymentTable(deployments)) printer.out(line);
}
