import type { CommandContext } from "../../../kit/cli/command.ts";
import { sanitise } from "../../../kit/fault/redact.ts";
import type { Printer } from "../../../kit/out/printer.ts";
import { formatBytes, formatCount, formatSeconds } from "../../../kit/text/format.ts";
import { askRinit } from "../../service/control-client.ts";
import type { ServiceStatus, SystemStatus } from "../../service/control-messages.ts";
import type { STATUS_ARGS } from "./status.ts";
import { statusLines } from "./status-text.ts";

type Context = Pick<CommandContext<typeof STATUS_ARGS>, "args" | "printer" | "positionals">;

const WORRYING = new Set(["failed", "backoff"]);

/** Tells how services are; without names, rinit itself. */
export async function run({ args, printer, positionals }: Context): Promise<number> {
  const reply = await askRinit(args.socket, { verb: "status", names: positionals });
  const services = reply.services ?? [];
  const isOverview = positionals.length === 0;
  if (printer.jsonMode) {
    if (isOverview) printer.json({ schema: "rastos.init/1", ...reply.system });
    for (const one of services) printer.json({ schema: "rastos.service/1", ...one });
  } else if (isOverview && reply.system !== undefined) {
    printOverview(reply.system, services, printer);
  } else {
    for (const [index, one] of services.entries()) {
      if (index > 0) printer.out("");
      for (const line of statusLines(one, printer.dataStyle)) printer.out(line);
    }
  }
  const isWell = isOverview
    ? services.every(({ state }) => !WORRYING.has(state))
    : services.every(({ state }) => state === "up");
  return isWell ? 0 : 1;
}

function printOverview(
  system: SystemStatus,
  services: readonly ServiceStatus[],
  printer: Printer,
): void {
  const up = services.filter(({ state }) => state === "up").length;
  const memory = system.memoryBytes === undefined ? "" : `, ${formatBytes(system.memoryBytes)}`;
  const ending = system.isStopping ? ", shutting down" : "";
  printer.out(
    `rinit ${system.version}, process ${system.pid}, up ${formatSeconds(system.upMs / 1000)}` +
      `${memory}, target ${system.target}${ending}`,
  );
  printer.out(`${formatCount(services.length, "service")}, ${up} up`);
  for (const problem of system.problems) printer.out(`problem: ${sanitise(problem)}`);
  for (const one of services.filter(({ state }) => WORRYING.has(state))) {
    printer.out("");
    for (const line of statusLines(one, printer.dataStyle)) printer.out(line);
  }
}
