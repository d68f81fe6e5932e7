import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";

import type { CommandContext } from "../../kit/cli/command.ts";
import { manPages } from "../../kit/cli/man.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";
import { formatCount } from "../../kit/text/format.ts";
import { versionInfo } from "../../kit/version.ts";
import { listedTools } from "../listed-tools.ts";
import type { TriadPorts } from "../ports.ts";
import type { ManArgs } from "./man.ts";

/** Writes the pages. @throws {Fault} E_IO */
export async function run(context: CommandContext<ManArgs>, ports: TriadPorts): Promise<number> {
  const folder = resolve(context.args.directory);
  const { version } = versionInfo();
  const models = await listedTools(ports);
  const pages = models.flatMap((model) => manPages(model, { version }));
  try {
    mkdirSync(folder, { recursive: true });
    for (const page of pages) {
      writeFileSync(join(folder, page.fileName), page.text);
    }
  } catch (error) {
    throw new Fault({
      code: "E_IO",
      message: `Cannot write manual pages into "${folder}": ${reasonOf(error)}`,
    });
  }
  if (context.printer.jsonMode) {
    const files = pages.map((page) => join(folder, page.fileName));
    context.printer.json({ schema: "triad.man/1", files });
  } else {
    context.printer.note(`Wrote ${formatCount(pages.length, "manual page")} into ${folder}`);
  }
  return 0;
}
