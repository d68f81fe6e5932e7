import type { CommandContext } from "../../kit/cli/command.ts";
import { Fault } from "../../kit/fault/fault.ts";
import type { ListArgs } from "./list.ts";

/** Runs `blit list`. */
export async function run(context: CommandContext<ListArgs>): Promise<number> {
  throw new Fault({ code: "E_NOT_BUILT", message: `Cannot run "${context.commandPath}"` });
}
