import type { CommandContext } from "../../../kit/cli/command.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import { systemTextOf } from "../../system/package-list.ts";
import { readSystemFile } from "../../system/read.ts";
import type { MigrateArgs } from "./migrate.ts";

type Context = Pick<CommandContext<MigrateArgs>, "args" | "printer">;

/** Prints the system.toml of an old package list. */
export async function run({ args, printer }: Context): Promise<void> {
  const { form, config, notes } = await readSystemFile(args.file);
  if (form !== "list") {
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot migrate "${args.file}": it is a system.toml already`,
    });
  }
  for (const note of notes) printer.warn(note);
  const text = systemTextOf(config);
  if (printer.jsonMode) printer.json({ schema: "rastos.migrate/1", text, notes });
  else printer.raw(text);
}
