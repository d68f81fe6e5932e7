import type { CommandContext } from "../../kit/cli/command.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { isActive, leaveCode, openShellChannel } from "../shell/channel.ts";
import { initLine } from "../shell/program.ts";
import type { KillArgs } from "./kill.ts";

/** Tells the shell to go back. */
export async function run(context: CommandContext<KillArgs>): Promise<number> {
  const channel = openShellChannel(process.env);
  if (!isActive(process.env) && (channel?.depth ?? 0) === 0) {
    throw new Fault({
      code: "E_NOT_FOUND",
      message: "Cannot leave an environment: none is active",
    });
  }
  if (channel === undefined) {
    throw new Fault({
      code: "E_REFUSED",
      message: "Cannot change this shell: it does not know blast",
      hint: `use \`deactivate\`, or put this line into its start-up file: ${lineFor()}`,
    });
  }
  channel.send(leaveCode(context.args.force));
  return 0;
}

function lineFor(): string {
  return initLine(process.env["SHELL"]);
}
