import type { CommandContext } from "../../../kit/cli/command.ts";
import { formatCount } from "../../../kit/text/format.ts";
import { chosenChanges, resetEtc } from "../../deploy/etc-reset.ts";
import { confirm } from "../snapshot/confirm.ts";
import { findEtc, printChanges } from "./find-etc.ts";
import type { ResetArgs } from "./reset.ts";

type Context = Pick<CommandContext<ResetArgs>, "args" | "printer">;

/** Takes changes in an etc back. */
export async function run(context: Context): Promise<number> {
  const { args, printer } = context;
  const found = findEtc(context);
  const changes = chosenChanges(found.changes, args.path);
  if (changes.length === 0) {
    printer.note("/etc is as the snapshot has it");
    return 0;
  }
  printChanges(printer, changes);
  if (args["dry-run"]) return 0;
  const count = formatCount(changes.length, "change");
  await confirm({ printer, yes: args.yes, action: `Take ${count} in /etc back` });
  resetEtc(found, changes);
  printer.note(`Took ${count} in /etc back`);
  return 0;
}
