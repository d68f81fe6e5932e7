import type { CommandContext } from "../../../kit/cli/command.ts";
import type { ChrootArgs } from "./chroot.ts";
import { workInClone } from "./work-in-clone.ts";

/** Opens a shell in a clone. */
export async function run(
  context: Pick<CommandContext<ChrootArgs>, "args" | "printer" | "commandPath">,
): Promise<number> {
  context.printer.verbose("`exit 0` keeps the changes as a new snapshot, `exit 1` discards them");
  return workInClone(context, undefined);
}
