import { join } from "node:path";
import type { CommandContext } from "../../../kit/cli/command.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import { escapeControls } from "../../../kit/fault/redact.ts";
import { followLog, lastLines } from "../../service/log-reader.ts";
import { SERVICE_NAME } from "../../service/schema.ts";
import type { LOGS_ARGS } from "./logs.ts";

type Context = Pick<CommandContext<typeof LOGS_ARGS>, "args" | "printer">;

const LINES = 100;

/** Shows the last lines of a log, and goes on with --follow. */
export async function run({ args, printer }: Context): Promise<number> {
  if (!SERVICE_NAME.test(args.name)) {
    throw new Fault({ code: "E_USAGE", message: `Cannot show "${args.name}": this is no name` });
  }
  const path = join(args.log, args.name, "log");
  const show = (line: string): void => {
    if (!printer.jsonMode) {
      printer.out(escapeControls(line));
      return;
    }
    const [, time, stream, text] = /^(\S+) (out|err|run)\+? ?(.*)$/s.exec(line) ?? [];
    printer.json({ schema: "rastos.log/1", time, stream, text: text ?? line });
  };
  const { lines, end } = lastLines(path, args.lines ?? LINES);
  for (const line of lines) show(line);
  if (!args.follow) return 0;
  const stop = new AbortController();
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => stop.abort());
  await followLog(path, end, show, stop.signal);
  return 0;
}
