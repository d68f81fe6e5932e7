import type { CommandContext } from "../../../kit/cli/command.ts";
import type { RunArgs } from "./run.ts";
import { workInClone } from "./work-in-clone.ts";

/** Runs a command in a clone. */
export async function run(
  context: Pick<CommandContext<RunArgs>, "args" | "printer" | "commandPath">,
): Promise<number> {
  const [first, ...rest] = context.args.command;
  const command = first === "--" ? rest : [...context.args.command];
  return workInClone(context, command);
}
