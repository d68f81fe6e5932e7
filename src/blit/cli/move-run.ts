import type { CommandContext } from "../../kit/cli/command.ts";
import { Fault } from "../../kit/fault/fault.ts";
import type { MoveArgs } from "./move.ts";

/** Runs `blit move`. @throws {Fault} E_NOT_BUILT until the engine stands */
export async function run(context: CommandContext<MoveArgs>): Promise<number> {
  throw new Fault({
    code: "E_NOT_BUILT",
    message: `Cannot run "${context.commandPath}": the engine is not in this build yet`,
  });
}
