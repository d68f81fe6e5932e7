import { existsSync, renameSync, statSync } from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import type { CommandContext } from "../../../kit/cli/command.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import { formatBytes } from "../../../kit/text/format.ts";
import { createWorkFolder } from "../../image/build.ts";
import { convertToQcow2 } from "../../image/qcow2.ts";
import type { ConvertArgs } from "./convert.ts";

type Context = Pick<CommandContext<ConvertArgs>, "args" | "printer">;

/** Converts an image; the new one appears when it is whole. */
export async function run({ args, printer }: Context): Promise<void> {
  const to = resolve(args.to);
  if (!existsSync(args.from)) {
    throw new Fault({ code: "E_NOT_FOUND", message: `Cannot read "${args.from}": no such file` });
  }
  if (existsSync(to)) {
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot write "${args.to}": there is something of that name`,
      hint: "remove it first",
    });
  }
  if (args["dry-run"]) {
    const size = formatBytes(statSync(args.from).size);
    printer.note(`Would write ${args.from} of ${size} as ${args.to}`);
    return;
  }
  using work = createWorkFolder(dirname(to), basename(to));
  const temporary = join(work.path, "disk.qcow2");
  const summary = convertToQcow2(args.from, temporary);
  renameSync(temporary, to);
  if (printer.jsonMode) printer.json({ schema: "rastos.image.conversion/1", ...summary });
  else printer.note(`Wrote ${args.to}: ${formatBytes(summary.fileBytes)}`);
}
