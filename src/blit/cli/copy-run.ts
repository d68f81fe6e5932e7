import type { CommandContext } from "../../kit/cli/command.ts";
import type { CopyArgs } from "./copy.ts";
import { runTransfer } from "./transfer-run.ts";

/** Runs `blit copy`. @throws {Fault} */
export function run(context: CommandContext<CopyArgs>): Promise<number> {
  return runTransfer("copy", context);
}
