import type { CommandContext } from "../../kit/cli/command.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { faultFromBug } from "../../kit/fault/render.ts";
import type { Printer } from "../../kit/out/printer.ts";
import { resetAfterFirst } from "../../kit/proc/reset-after-first.ts";
import { type RunningDaemon, startDaemon } from "../daemon/daemon.ts";
import { printedLog } from "../daemon/daemon-log.ts";
import { type DaemonFlags, loadDaemonSettings } from "../daemon/settings.ts";
import { handedOverSockets } from "../daemon/socket-activation.ts";
import type { BlitdArgs } from "./blitd.ts";

/**
 * Runs the daemon until a signal ends it.
 *
 * @throws {Fault} where it cannot start
 */
export async function run(context: CommandContext<BlitdArgs>): Promise<number> {
  if (process.platform !== "linux") {
    throw new Fault({
      code: "E_NEEDS_LINUX",
      message: "Cannot serve here: blitd needs Linux",
      hint: "it works through Linux system calls; other platforms follow",
    });
  }
  const { printer } = context;
  const flags = flagsOf(context);
  const settings = await loadDaemonSettings(flags);
  const ended = nextSignal();
  const sockets = handedOverSockets(process.env, process.pid);
  // Children must not take the sockets of the daemon for their own.
  for (const name of ["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"]) delete process.env[name];
  const daemon = await startDaemon({ settings, log: printedLog(printer), sockets });
  const onHangUp = (): void => void reload(daemon, flags, printer);
  process.on("SIGHUP", onHangUp);
  // Whoever is told may send it at once.
  if (printer.jsonMode) tellWhere(printer, daemon);
  await ended;
  process.off("SIGHUP", onHangUp);
  await daemon.drain(settings.drainMs);
  return 0;
}

/** One line for scripts, as soon as clients may come. */
function tellWhere(printer: Printer, { address, port, dataPort }: RunningDaemon): void {
  printer.json({ schema: "blitd.listening/1", address, port, dataPort, pid: process.pid });
  printer.flush();
}

function flagsOf({ args }: CommandContext<BlitdArgs>): DaemonFlags {
  return {
    config: args.config,
    bind: args.bind,
    port: args.port,
    root: args.root,
    // Only the negative form says something: the config may have switched it off.
    noMdns: args.mdns ? undefined : true,
    mdnsName: args["mdns-name"],
  };
}

/** Resolves at the first SIGTERM or SIGINT; the second one ends the process at once. */
function nextSignal(): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) {
      process.on(signal, () => resolve());
      resetAfterFirst(signal);
    }
  });
}

/** A config that is not understood changes nothing. */
async function reload(daemon: RunningDaemon, flags: DaemonFlags, printer: Printer): Promise<void> {
  try {
    await daemon.reload(await loadDaemonSettings(flags));
  } catch (error) {
    const fault = error instanceof Fault ? error : faultFromBug(error);
    printer.error(fault);
    printer.warn("The configuration stays as it was");
  }
}
