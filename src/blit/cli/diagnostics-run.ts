import type { CommandContext } from "../../kit/cli/command.ts";
import { Fault } from "../../kit/fault/fault.ts";
import type { DiagnosticsArgs } from "./diagnostics.ts";

/** Runs `blit diagnostics perf`. @throws {Fault} E_NOT_BUILT until telemetry stands */
export async function run(context: CommandContext<DiagnosticsArgs>): Promise<number> {
  throw new Fault({
    code: "E_NOT_BUILT",
    message: `Cannot run "${context.commandPath}": telemetry is not in this build yet`,
  });
}
