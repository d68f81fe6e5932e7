import { Fault } from "../../kit/fault/fault.ts";
import { looksRemote } from "../endpoint.ts";
import type { Command, Context } from "./transfer-request.ts";

/**
 * Copies, mirrors or moves as the command line says, and tells how it went. What does it is loaded
 * only now: a transfer with a server needs little of the local engine.
 * @returns the exit code: 0, 4 where some entries failed, 130 after Ctrl-C
 * @throws {Fault} where nothing could be done
 */
export async function runTransfer(command: Command, context: Context): Promise<number> {
  if (process.platform !== "linux") {
    throw new Fault({
      code: "E_NEEDS_LINUX",
      message: `Cannot ${command} here: blit's local engine needs Linux`,
      hint: "it works through Linux system calls; other platforms follow",
    });
  }
  if (context.rawPositionals().some(looksRemote)) {
    const { runRemoteTransfer } = await import("./remote-run.ts");
    return runRemoteTransfer(command, context);
  }
  const { runLocalTransfer } = await import("./local-run.ts");
  return runLocalTransfer(command, context);
}
