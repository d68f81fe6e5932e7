import type { CommandContext } from "../../kit/cli/command.ts";
import { choosePython } from "../python/find.ts";
import { openProject } from "../sync/project.ts";
import type { PythonFindArgs } from "./python-find.ts";

/** Prints the interpreter's path. */
export async function run(context: CommandContext<PythonFindArgs>): Promise<number> {
  const { args, printer } = context;
  const environment = process.env;
  const { config, folder, requiresPython } = await openProject(process.cwd(), environment);
  const request = config.values.env.python_version;
  const origin = config.originOf(["env", "python_version"]);
  const choice = await choosePython(args.request, {
    environment,
    folder,
    origin: "the command line",
    configured: request === "" ? undefined : { request, origin },
    requiresPython,
  });
  for (const warning of choice.warnings) printer.warn(warning);
  const { interpreter, place } = choice;
  if (printer.jsonMode) {
    const { executable, version, implementation, path, prefix, isVirtual } = interpreter;
    const by = choice.origin ?? null;
    const found = { executable, version, implementation, path, prefix, isVirtual, place, by };
    printer.json({ schema: "blast.python-find/1", ...found });
    return 0;
  }
  printer.out(interpreter.executable);
  printer.verbose(`Python ${interpreter.version}, found in ${place}`);
  return 0;
}
