import type { CommandContext } from "../../kit/cli/command.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { askRinit } from "../service/control-client.ts";
import type { ShutdownKind } from "../service/late.ts";
import type { END_ARGS, SHUTDOWN_ARGS } from "./shutdown.ts";

type Context = Pick<CommandContext<typeof END_ARGS>, "args" | "printer">;
type ShutdownContext = Pick<CommandContext<typeof SHUTDOWN_ARGS>, "args" | "printer">;

/** Ends the machine in the way that the flags say. */
export async function shutdown({ args, printer }: ShutdownContext): Promise<number> {
  const wishes = (["reboot", "halt", "kexec"] as const).filter((one) => args[one]);
  if (wishes.length > 1) {
    const named = wishes.map((one) => `--${one}`).join(" and ");
    throw new Fault({ code: "E_USAGE", message: `Cannot do ${named} at the same time` });
  }
  return await end(wishes[0] ?? "poweroff", { args, printer });
}

/** Ends the machine. */
export async function end(how: ShutdownKind, { args, printer }: Context): Promise<number> {
  if (args["dry-run"]) {
    await askRinit(args.socket, { verb: "status", names: [] });
    printer.note(`would tell rinit to stop all services, then ${how}`);
    return 0;
  }
  await askRinit(args.socket, { verb: "shutdown", how });
  if (printer.jsonMode) printer.json({ schema: "rastos.shutdown/1", how });
  printer.note(`rinit stops the services, then: ${how}`);
  return 0;
}
