import { resolve } from "node:path";
import { askOnTerminal } from "../../../kit/cli/ask.ts";
import type { CommandContext } from "../../../kit/cli/command.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import { removeOutput, requireOurs } from "../../kernel/output-folder.ts";
import type { CleanArgs } from "./clean.ts";

type Context = Pick<CommandContext<CleanArgs>, "args" | "printer">;

/** Removes an output folder that is ours. */
export async function run({ args, printer }: Context): Promise<number> {
  const folder = resolve(args.output);
  requireOurs(folder);
  const isDryRun = args["dry-run"];
  if (!isDryRun) {
    if (!args.yes) {
      const answer = await askOnTerminal(printer, `Remove "${folder}" with all that is in it?`);
      if (answer !== "yes") throw unconfirmed(folder, answer === "nobody");
    }
    removeOutput(folder);
  }
  if (printer.jsonMode) {
    printer.json({ schema: "rastos.kernel-clean/1", dryRun: isDryRun, folder });
  } else if (isDryRun) printer.out(`Would remove "${folder}"`);
  else printer.note(`Removed "${folder}"`);
  return 0;
}

function unconfirmed(folder: string, isUnasked: boolean): Fault {
  if (!isUnasked)
    return new Fault({ code: "E_CONFIRM", message: "Cancelled: nothing was removed" });
  return new Fault({
    code: "E_CONFIRM",
    message: `Cannot remove "${folder}" without being told to: there is no terminal to ask on`,
    hint: "--dry-run shows, --yes removes",
  });
}
