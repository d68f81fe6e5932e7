import type { CommandContext } from "../../kit/cli/command.ts";
import { completionScript, type Shell } from "../../kit/cli/completion/shells.ts";
import { describeCommand } from "../../kit/cli/model.ts";
import type { OwnTools } from "./utils.ts";
import type { CompletionsArgs } from "./utils-completions.ts";

/** Prints the script. */
export async function run(
  context: Pick<CommandContext<CompletionsArgs>, "args" | "printer">,
  tools: OwnTools,
): Promise<number> {
  const models = await Promise.all(
    Object.entries(tools).map(async ([name, load]) => describeCommand(await load(), name)),
  );
  context.printer.raw(await completionScript(context.args.shell as Shell, models));
  return 0;
}
