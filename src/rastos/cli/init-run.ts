import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { CommandContext } from "../../kit/cli/command.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { sanitise } from "../../kit/fault/redact.ts";
import type { Printer } from "../../kit/out/printer.ts";
import { kernelTarget } from "../service/kernel-target.ts";
import type { ShutdownKind } from "../service/late.ts";
import { SERVICE_NAME } from "../service/schema.ts";
import type { InitArgs } from "./init.ts";

type Context = Pick<CommandContext<InitArgs>, "args" | "printer" | "positionals">;

/** What people type after "init", and what it has meant since System V. */
const ENDINGS: Readonly<Record<string, ShutdownKind>> = {
  "0": "poweroff",
  "6": "reboot",
  poweroff: "poweroff",
  reboot: "reboot",
  halt: "halt",
};

/** Runs as init, or tells the init that runs what to do. */
export async function run({ args, printer, positionals }: Context): Promise<number> {
  if (process.platform !== "linux") {
    throw new Fault({ code: "E_NEEDS_LINUX", message: "Cannot run services on this system" });
  }
  const { detectMode } = await import("../service/early.ts");
  const mode = detectMode();
  if (mode === "supervisor" && !args.supervise) return await tellInit(args.socket, positionals);
  const told = mode === "supervisor" ? printer : await patientPrinter(printer);
  surviveErrors(told);
  const { SERVICE_FOLDERS } = await import("../service/load.ts");
  const { runRinit } = await import("../service/rinit.ts");
  const target = args.target ?? (mode === "machine" ? kernelTarget(commandLine()) : undefined);
  if (target !== undefined && !SERVICE_NAME.test(target)) {
    throw new Fault({ code: "E_USAGE", message: `Cannot start "${target}": this is no name` });
  }
  return await runRinit({
    mode,
    folders: args.services.length > 0 ? args.services : SERVICE_FOLDERS,
    root: args.root,
    socket: args.socket,
    logFolder: args.log,
    runFolder: args.socket === "/run/rinit.sock" ? "/run/rinit" : join(dirname(args.socket), "run"),
    target: target ?? "default",
    onMessage: (text, level) => {
      const line = `rinit: ${sanitise(text)}`;
      if (level === "error") told.warn(line);
      else told.note(line);
    },
    onOutput: (text) => told.prompt(text),
  });
}

/** A printer for the first process, which must not wait for whoever reads. */
async function patientPrinter(printer: Printer): Promise<Printer> {
  const [{ Console }, kit] = await Promise.all([
    import("../service/console-output.ts"),
    import("../../kit/out/printer.ts"),
  ]);
  const terminal = Console.open();
  if (terminal === undefined) return printer;
  const { level, style } = printer;
  return new kit.Printer({ level, style, write: (_, bytes) => terminal.write(bytes) });
}

/** Whatever nobody has caught is told, and lived with: the first process must go on. */
function surviveErrors(printer: Printer): void {
  for (const event of ["uncaughtException", "unhandledRejection"] as const) {
    process.removeAllListeners(event);
    process.on(event, (error: unknown) => {
      const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
      printer.warn(`rinit: this went wrong: ${sanitise(text)}`);
    });
  }
}

function commandLine(): string {
  try {
    return readFileSync("/proc/cmdline", "utf8");
  } catch {
    return "";
  }
}

async function tellInit(socket: string, words: readonly string[]): Promise<number> {
  const [word = ""] = words;
  const how = ENDINGS[word];
  if (how === undefined) {
    throw new Fault({
      code: "E_REFUSED",
      message: "Cannot run as init: this is not process 1",
      hint: "--supervise runs services below another init; init 0 and init 6 end the machine",
    });
  }
  const { askRinit } = await import("../service/control-client.ts");
  await askRinit(socket, { verb: "shutdown", how });
  return 0;
}
