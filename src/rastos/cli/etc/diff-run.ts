import type { CommandContext } from "../../../kit/cli/command.ts";
import type { DiffArgs } from "./diff.ts";
import { findEtc, printChanges } from "./find-etc.ts";

type Context = Pick<CommandContext<DiffArgs>, "args" | "printer">;

/** Shows the changes in an etc. */
export async function run(context: Context): Promise<number> {
  const { changes } = findEtc(context);
  printChanges(context.printer, changes);
  if (changes.length === 0) context.printer.note("/etc is as the snapshot has it");
  return 0;
}
