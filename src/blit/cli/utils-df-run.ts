import type { CommandContext } from "../../kit/cli/command.ts";
import { formatBytes, groupDigits } from "../../kit/text/format.ts";
import { type Column, formatTable } from "../../kit/text/table.ts";
import type { FilesystemStats } from "../admin/types.ts";
import { jsonName, shownName } from "./entry-rows.ts";
import { Troubles } from "./issue-lines.ts";
import { Places } from "./places.ts";
import type { DfArgs } from "./utils-df.ts";

type Row = FilesystemStats & { readonly path: string };

/** Runs `blit utils df`. */
export async function run(
  context: Pick<CommandContext<DfArgs>, "args" | "printer" | "rawPositionals">,
): Promise<number> {
  const { printer, args } = context;
  const given = context.rawPositionals();
  using places = new Places({ flags: args, printer });
  const troubles = new Troubles(printer);
  const rows: Row[] = [];
  for (const argument of given.length === 0 ? ["."] : given) {
    try {
      const place = await places.open(argument);
      for await (const stats of place.source.run({ call: "stats", path: place.path })) {
        rows.push({ ...stats, path: argument });
      }
      troubles.done();
    } catch (error) {
      troubles.fail(error);
    }
  }
  if (printer.jsonMode) {
    for (const { path, ...stats } of rows) {
      printer.json({ schema: "blit.df/1", ...jsonName("path", path), ...stats });
    }
  } else if (rows.length > 0) {
    for (const line of formatTable(columns, rows.map(args.inodes ? inodesOf : bytesOf))) {
      printer.out(line);
    }
  }
  return troubles.exitCode;
}

const columns: readonly Column[] = [
  { title: "Type" },
  { title: "Size", align: "right" },
  { title: "Used", align: "right" },
  { title: "Free", align: "right" },
  { title: "Use", align: "right" },
  { title: "Place" },
];

function bytesOf(row: Row): string[] {
  const { totalBytes, freeBytes, availableBytes } = row;
  const used = totalBytes - freeBytes;
  return [
    typeOf(row),
    formatBytes(totalBytes),
    formatBytes(used),
    formatBytes(availableBytes),
    share(used, used + availableBytes),
    shownName(row.path),
  ];
}

function inodesOf(row: Row): string[] {
  const { totalInodes, freeInodes } = row;
  const used = totalInodes - freeInodes;
  return [
    typeOf(row),
    groupDigits(totalInodes),
    groupDigits(used),
    groupDigits(freeInodes),
    share(used, totalInodes),
    shownName(row.path),
  ];
}

function typeOf(row: Row): string {
  return row.isReadOnly ? `${row.fileSystem}, read-only` : row.fileSystem;
}

/** Rounded up, as df does it: full is never shown as 99 %. */
function share(used: number, all: number): string {
  return all === 0 ? "-" : `${Math.ceil((used / all) * 100)} %`;
}
