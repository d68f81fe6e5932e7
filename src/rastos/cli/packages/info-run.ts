import type { CommandContext } from "../../../kit/cli/command.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import { escapeControls } from "../../../kit/fault/redact.ts";
import type { Printer } from "../../../kit/out/printer.ts";
import { formatBytes } from "../../../kit/text/format.ts";
import { openPackageManager } from "../../package/open.ts";
import type { PackageRecord } from "../../package/types.ts";
import type { InfoArgs } from "./info.ts";
import { optionsOf } from "./options.ts";
import { findTarget } from "./target.ts";

type Context = Pick<CommandContext<InfoArgs>, "args" | "printer">;

/** Tells all about packages. */
export async function run({ args, printer }: Context): Promise<number> {
  const options = optionsOf(findTarget(args).place, args.config);
  using manager = openPackageManager(options);
  const installed = await manager.installed();
  const offered = (await manager.hasDatabases()) ? await manager.search([]) : [];
  const all = [...installed, ...offered];
  for (const name of args.name) {
    const found = all.filter((record) => record.name === name);
    if (found.length === 0) {
      throw new Fault({
        code: "E_NOT_FOUND",
        message: `Cannot tell about "${name}": it is neither installed nor in a repository`,
        hint: "`rastos packages search WORD` looks for names; `rastos packages sync` fetches news",
      });
    }
    for (const record of found) printRecord(printer, record);
  }
  return 0;
}

function printRecord(printer: Printer, record: PackageRecord): void {
  if (printer.jsonMode) {
    printer.json({ schema: "rastos.package/1", ...record });
    return;
  }
  const rows: readonly (readonly [string, string])[] = [
    ["name", record.name],
    ["version", record.version],
    ["description", record.description],
    ["from", record.repository === "local" ? "installed" : record.repository],
    ["size", formatBytes(record.installedBytes)],
    ["needs", record.dependencies.join("  ")],
    ["provides", record.provides.join("  ")],
    ["groups", record.groups.join("  ")],
    ["reason", record.reason ?? ""],
  ];
  for (const [key, value] of rows) {
    if (value !== "") printer.out(`${`${key}:`.padEnd(13)}${escapeControls(value)}`);
  }
  printer.out("");
}
