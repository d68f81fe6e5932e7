import type { CommandContext } from "../../../kit/cli/command.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import { sanitise } from "../../../kit/fault/redact.ts";
import { aurAddress } from "../../aur/address.ts";
import { parseAurSpec } from "../../aur/names.ts";
import { type AurPackage, AurRpc } from "../../aur/rpc.ts";
import type { InfoArgs } from "./info.ts";

type Context = Pick<CommandContext<InfoArgs>, "args" | "printer">;

/** Tells what the AUR knows of packages. */
export async function run({ args, printer }: Context): Promise<number> {
  const names = args.name.map((text) => parseAurSpec(text).name);
  const packages = await new AurRpc(aurAddress(process.env), process.env).info(names);
  const missing = names.filter((name) => !packages.some((found) => found.name === name));
  if (printer.jsonMode) printer.json({ schema: "rastos.aur-packages/1", packages, missing });
  else {
    for (const [index, found] of packages.entries()) {
      if (index > 0) printer.out("");
      for (const [label, value] of rowsOf(found)) {
        if (value !== "") printer.out(`${`${label}:`.padEnd(16)}${sanitise(value)}`);
      }
    }
  }
  if (missing.length === 0) return 0;
  const fault = new Fault({
    code: packages.length === 0 ? "E_NOT_FOUND" : "E_PARTIAL",
    message: `Cannot find ${missing.map((name) => `"${name}"`).join(", ")} in the AUR`,
    hint: "rastos aur search looks for words",
  });
  if (packages.length === 0 && !printer.jsonMode) throw fault;
  printer.error(fault);
  return fault.exit;
}

function rowsOf(found: AurPackage): readonly (readonly [string, string])[] {
  const day = (seconds: number): string => new Date(seconds * 1000).toISOString().slice(0, 10);
  return [
    ["Name", found.name],
    ["Base", found.base],
    ["Version", found.version],
    ["Description", found.description],
    ["Address", found.url],
    ["Licences", found.licenses.join(", ")],
    ["Maintainer", found.maintainer ?? "nobody"],
    ["Votes", `${found.votes}, popularity ${found.popularity.toFixed(2)}`],
    ["Changed", day(found.lastModified)],
    ["Out of date", found.outOfDate === undefined ? "" : `since ${day(found.outOfDate)}`],
    ["Needs", found.depends.join(", ")],
    ["To build", found.makedepends.join(", ")],
    ["To check", found.checkdepends.join(", ")],
    ["Optional", found.optdepends.join(", ")],
    ["Provides", found.provides.join(", ")],
    ["Conflicts", found.conflicts.join(", ")],
  ];
}
