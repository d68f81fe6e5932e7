import type { CommandContext } from "../../kit/cli/command.ts";
import type { MirrorArgs } from "./mirror.ts";
import { runTransfer } from "./transfer-run.ts";

/** Runs `blit mirror`. @throws {Fault} */
export function run(context: CommandContext<MirrorArgs>): Promise<number> {
  return runTransfer("mirror", context);
}
