import { join } from "node:path";
import type { CommandContext } from "../../../kit/cli/command.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import { RootFolder } from "../../../kit/fs/root-folder.ts";
import { formatCount } from "../../../kit/text/format.ts";
import { enabledServices } from "../../service/enable.ts";
import { loadServices } from "../../service/load.ts";
import { systemdUnit } from "../../service/systemd.ts";
import type { EMIT_ARGS } from "./emit.ts";

type Context = Pick<CommandContext<typeof EMIT_ARGS>, "args" | "printer">;

/** systemd's own; what rinit calls by another name is not written. */
const THEIRS = new Set(["multi-user.target", "rescue.target", "emergency.target"]);

/** Writes units, or prints them. */
export async function run({ args, printer }: Context): Promise<number> {
  if (!args.systemd) {
    throw new Fault({
      code: "E_USAGE",
      message: "Cannot write services: nothing says for whom",
      hint: "add --systemd",
    });
  }
  const folders = args.services.length > 0 ? { folders: args.services } : {};
  const extra = [...enabledServices(args.root), ...args.only];
  const { services, faults } = await loadServices({ ...folders, root: args.root }, extra);
  for (const name of args.only) {
    if (services.has(name) || faults.has(name)) continue;
    throw new Fault({ code: "E_NOT_FOUND", message: `Cannot find a service "${name}"` });
  }
  const isWanted = (name: string): boolean => args.only.length === 0 || args.only.includes(name);
  const chosen = [...services.values()].filter(({ name }) => isWanted(name));
  const units = chosen
    .map((service) => ({ service: service.name, ...systemdUnit(service, services) }))
    .filter(({ name }) => !THEIRS.has(name));
  for (const { service, name, content, notes } of units) {
    for (const note of notes) printer.warn(`${service}: ${note}`);
    if (printer.jsonMode) {
      printer.json({ schema: "rastos.service-unit/1", service, unit: name, content, notes });
    } else if (args.folder === undefined) printer.out(`# ${name}\n${content}`);
    else if (args["dry-run"]) printer.note(`would write ${join(args.folder, name)}`);
  }
  if (args.folder !== undefined && !args["dry-run"]) {
    using folder = RootFolder.open(args.folder);
    for (const { name, content } of units) folder.writeFile(name, content, { mode: 0o644 });
    printer.note(`${formatCount(units.length, "unit")} written to ${args.folder}`);
  }
  const failed = [...faults].filter(([name]) => isWanted(name));
  for (const [, fault] of failed) printer.error(fault);
  return failed.length === 0 ? 0 : 4;
}
