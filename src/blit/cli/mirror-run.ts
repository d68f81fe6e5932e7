import type { CommandContext } from "../../kit/cli/command.ts";
import { Fault } from "../../kit/fault/fault.ts";
import type { MirrorArgs } from "./mirror.ts";

/** Runs `blit mirror`. @throws {Fault} E_NOT_BUILT until the engine stands */
export async function run(context: CommandContext<MirrorArgs>): Promise<number> {
  throw new Fault({
    code: "E_NOT_BUILT",
    message: `Cannot run "${context.commandPath}": the engine is not in this build yet`,
  });
}
