import type { CommandContext } from "../../../kit/cli/command.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import type { RunArgs } from "./run.ts";
import { workInClone } from "./work-in-clone.ts";

/** Runs a command in a clone. */
export async function run(
  context: Pick<CommandContext<RunArgs>, "args" | "printer" | "commandPath">,
): Promise<number> {
  const [first, ...rest] = context.args.command;
  const command = first === "--" ? rest : [...context.args.command];
  if (first !== "--" && first?.startsWith("-") === true) {
    const { snapshot } = context.args;
    throw new Fault({
      code: "E_USAGE",
      message: `Cannot run "${first}" in a clone: that is a flag, and stands behind the snapshot`,
      hint: `flags go before it, as in rastos run ${first} … ${snapshot} COMMAND`,
    });
  }
  return workInClone(context, command);
}
