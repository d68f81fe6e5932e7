import type { CommandContext } from "../../kit/cli/command.ts";
import type { Shell } from "../../kit/cli/completion/shells.ts";
import { completionScript } from "../../kit/cli/completion/shells.ts";
import { listedTools } from "../listed-tools.ts";
import type { TriadPorts } from "../ports.ts";
import type { CompletionsArgs } from "./completions.ts";

/** Prints the script. */
export async function run(
  context: CommandContext<CompletionsArgs>,
  ports: TriadPorts,
): Promise<number> {
  const models = await listedTools(ports);
  context.printer.raw(await completionScript(context.args.shell as Shell, models));
  return 0;
}
