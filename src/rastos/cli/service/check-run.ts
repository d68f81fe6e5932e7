import type { CommandContext } from "../../../kit/cli/command.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import { sanitise } from "../../../kit/fault/redact.ts";
import type { Printer } from "../../../kit/out/printer.ts";
import { formatCount } from "../../../kit/text/format.ts";
import { askRinit } from "../../service/control-client.ts";
import { enabledServices } from "../../service/enable.ts";
import { loadServices } from "../../service/load.ts";
import { orderServices } from "../../service/order.ts";
import type { CHECK_ARGS } from "./check.ts";

type Context = Pick<CommandContext<typeof CHECK_ARGS>, "args" | "printer" | "positionals">;

/** Checks service files, or the health of services. */
export async function run(context: Context): Promise<number> {
  const { args, printer, positionals } = context;
  if (args.health) return await checkHealth(args.socket, positionals, printer);
  const enabled = args.services.length > 0 ? [] : enabledServices(args.root);
  const folders = args.services.length > 0 ? { folders: args.services } : {};
  const { services, faults } = await loadServices({ ...folders, root: args.root }, [
    ...enabled,
    ...positionals,
  ]);
  const problems: { service: string; fault: Fault }[] = [];
  const isWanted = (name: string): boolean =>
    positionals.length === 0 || positionals.includes(name);
  for (const [service, fault] of faults) problems.push({ service, fault });
  for (const { name, requires } of services.values()) {
    for (const other of requires) {
      if (services.has(other) || faults.has(other)) continue;
      const message = `Cannot start "${name}": it requires "${other}", which no file defines`;
      problems.push({ service: name, fault: new Fault({ code: "E_CONFIG", message }) });
    }
  }
  for (const { path } of orderServices(services.values()).cycles) {
    const message = `Cannot order "${path[0]}": it waits for itself: ${path.join(" -> ")}`;
    const fault = new Fault({ code: "E_CONFIG", message });
    problems.push({ service: path[0] ?? "", fault });
  }
  for (const name of [...enabled, ...positionals]) {
    if (services.has(name) || faults.has(name)) continue;
    const message = `Cannot find "${name}": no file defines it, or it is disabled`;
    problems.push({ service: name, fault: new Fault({ code: "E_NOT_FOUND", message }) });
  }
  const shown = problems.filter(({ service }) => isWanted(service));
  for (const { service, fault } of shown) {
    if (printer.jsonMode) {
      printer.json({ schema: "rastos.service-problem/1", service, ...fault.toJson() });
    } else printer.error(fault);
  }
  if (shown.length === 0) printer.note(`${formatCount(services.size, "service")}, no problem`);
  return shown.length === 0 ? 0 : 1;
}

async function checkHealth(
  socket: string,
  names: readonly string[],
  printer: Printer,
): Promise<number> {
  const { health = [] } = await askRinit(socket, { verb: "health" });
  const asked = health.filter(({ service }) => names.length === 0 || names.includes(service));
  for (const one of asked) {
    if (printer.jsonMode) printer.json({ schema: "rastos.service-health/1", ...one });
    else if (!one.isGood) printer.out(`${one.service}: ${sanitise(one.reason ?? "not well")}`);
  }
  const bad = asked.filter(({ isGood }) => !isGood).length;
  if (bad === 0) printer.note(`${formatCount(asked.length, "service")}, all well`);
  return bad === 0 ? 0 : 1;
}
