import type { CommandContext } from "../../kit/cli/command.ts";
import type { MoveArgs } from "./move.ts";
import { runTransfer } from "./transfer-run.ts";

/** Runs `blit move`. @throws {Fault} */
export function run(context: CommandContext<MoveArgs>): Promise<number> {
  return runTransfer("move", context);
}
