import type { CommandContext } from "../../../kit/cli/command.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import { sanitise } from "../../../kit/fault/redact.ts";
import type { Printer } from "../../../kit/out/printer.ts";
import { formatTable } from "../../../kit/text/table.ts";
import { askRinit } from "../../service/control-client.ts";
import type { ServiceStatus } from "../../service/control-messages.ts";
import type { LIST_ARGS } from "./list.ts";
import { stateText } from "./status-text.ts";

const COLUMNS = [
  { title: "SERVICE" },
  { title: "ENABLED" },
  { title: "STATE" },
  { title: "DESCRIPTION" },
];

type Context = Pick<CommandContext<typeof LIST_ARGS>, "args" | "printer">;

/** Lists the services of rinit, or of the files in a root. */
export async function run({ args, printer }: Context): Promise<number> {
  const services = args.root === "/" ? await fromRinit(args.socket) : undefined;
  if (services === undefined) return await listFiles({ args, printer });
  if (printer.jsonMode) {
    for (const one of services) printer.json({ schema: "rastos.service/1", ...one });
    return 0;
  }
  const rows = services.map((one) => [
    one.name,
    one.enabled ? "yes" : "-",
    stateText(one, printer.dataStyle),
    sanitise(one.description),
  ]);
  printTable(printer, rows);
  return 0;
}

function printTable(printer: Printer, rows: readonly (readonly string[])[]): void {
  if (rows.length === 0) {
    printer.note("No file defines a service: /etc/rinit/NAME.toml would");
    return;
  }
  for (const line of formatTable(COLUMNS, rows)) printer.out(line);
}

/** Undefined where no rinit runs: then there are still the files. */
async function fromRinit(socket: string): Promise<readonly ServiceStatus[] | undefined> {
  try {
    return (await askRinit(socket, { verb: "status", names: [] })).services ?? [];
  } catch (error) {
    if (error instanceof Fault && error.code === "E_NOT_FOUND") return undefined;
    throw error;
  }
}

async function listFiles({ args, printer }: Context): Promise<number> {
  const { loadServices } = await import("../../service/load.ts");
  const { enabledServices } = await import("../../service/enable.ts");
  const enabled = enabledServices(args.root);
  const { services, faults } = await loadServices({ root: args.root }, enabled);
  const rows: string[][] = [];
  for (const { name, description, type } of services.values()) {
    const isEnabled = enabled.includes(name);
    if (printer.jsonMode) {
      const one = { name, description, type, state: "unknown", enabled: isEnabled };
      printer.json({ schema: "rastos.service/1", ...one });
    }
    rows.push([name, isEnabled ? "yes" : "-", "off", sanitise(description)]);
  }
  if (!printer.jsonMode) printTable(printer, rows);
  for (const fault of faults.values()) printer.error(fault);
  return faults.size === 0 ? 0 : 4;
}
