import { resolve } from "node:path";
import type { CommandContext } from "../../kit/cli/command.ts";
import { compile } from "../sync/compile.ts";
import type { CompileArgs } from "./compile.ts";
import { openSession } from "./open-session.ts";

/** Prints pins for requirements. */
export async function run(context: CommandContext<CompileArgs>): Promise<number> {
  const { args, printer } = context;
  const session = await openSession(printer, { ...args, refresh: args.refresh || args.upgrade });
  const text = await compile(session, {
    files: args.file,
    flags: args,
    universal: args.universal,
    hashes: args["generate-hashes"],
    annotate: args.annotate,
    header: args.header,
    noDependencies: !args.deps,
    upgrade: args.upgrade,
    output: args.output,
    python: args.python,
    command: [context.commandPath, ...context.argv].join(" "),
  });
  const output = args.output === undefined ? null : resolve(args.output);
  if (output !== null) {
    const { setManifest } = await import("../env/manifest.ts");
    setManifest(output, text);
  }
  if (printer.jsonMode) printer.json({ schema: "blast.compile/1", output, text });
  else if (output === null) printer.raw(text);
  return 0;
}
