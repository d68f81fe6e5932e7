import type { CommandContext } from "../../kit/cli/command.ts";
import { allowedPath } from "../shell/allowed.ts";
import { initScript } from "../shell/init.ts";
import { ownProgram } from "../shell/program.ts";
import type { ShellName } from "../shell/shells.ts";
import type { InitArgs } from "./init.ts";

/** Prints the script. */
export async function run(context: CommandContext<InitArgs>): Promise<number> {
  const text = await initScript({
    shell: context.args.shell as ShellName,
    program: ownProgram(process.argv0),
    allowed: allowedPath(process.env),
    cd: context.args.cd,
  });
  const { printer, args } = context;
  if (printer.jsonMode) printer.json({ schema: "blast.init/1", shell: args.shell, text });
  else printer.raw(text);
  return 0;
}
