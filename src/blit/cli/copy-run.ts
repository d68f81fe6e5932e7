import type { CommandContext } from "../../kit/cli/command.ts";
import { Fault } from "../../kit/fault/fault.ts";
import type { CopyArgs } from "./copy.ts";

/** Runs `blit copy`. @throws {Fault} E_NOT_BUILT until the engine stands */
export async function run(context: CommandContext<CopyArgs>): Promise<number> {
  throw new Fault({
    code: "E_NOT_BUILT",
    message: `Cannot run "${context.commandPath}": the engine is not in this build yet`,
  });
}
