import type { CommandContext } from "../../kit/cli/command.ts";
import { formatBytes, groupDigits } from "../../kit/text/format.ts";
import { type Column, formatTable } from "../../kit/text/table.ts";
import type { Usage } from "../admin/types.ts";
import { byBytes, jsonName, shownName } from "./entry-rows.ts";
import { Troubles } from "./issue-lines.ts";
import { type CliPlace, Places, shownBelow } from "./places.ts";
import type { DuArgs } from "./utils-du.ts";

/** Runs `blit utils du`. */
export async function run(
  context: Pick<CommandContext<DuArgs>, "args" | "printer" | "rawPositionals">,
): Promise<number> {
  const { printer, args } = context;
  const given = context.rawPositionals();
  using places = new Places({ flags: args, printer });
  const troubles = new Troubles(printer);
  const rows: Usage[] = [];
  for (const argument of given.length === 0 ? ["."] : given) {
    try {
      const place = await places.open(argument);
      const usages = await measure(place, args.depth ?? 0, troubles);
      usages.sort(args.sort === "name" ? byName : bySize);
      rows.push(...usages);
      troubles.done();
    } catch (error) {
      troubles.fail(error);
    }
  }
  if (printer.jsonMode) {
    for (const { path, ...figures } of rows) {
      printer.json({ schema: "blit.du/1", ...jsonName("path", path), ...figures });
    }
  } else if (rows.length > 0) {
    for (const line of formatTable(columns, rows.map(rowOf))) printer.out(line);
  }
  return troubles.exitCode;
}

const columns: readonly Column[] = [
  { title: "On disk", align: "right" },
  { title: "Size", align: "right" },
  { title: "Files", align: "right" },
  { title: "Folders", align: "right" },
  { title: "Place" },
];

function rowOf(usage: Usage): string[] {
  const { path, bytes, diskBytes, files, folders } = usage;
  return [
    formatBytes(diskBytes),
    formatBytes(bytes),
    groupDigits(files),
    groupDigits(folders),
    shownName(path),
  ];
}

/** The usages with their paths in full. */
async function measure(place: CliPlace, depth: number, troubles: Troubles): Promise<Usage[]> {
  const usages: Usage[] = [];
  for await (const chunk of place.source.run({ call: "usage", path: place.path, depth })) {
    for (const usage of chunk.usages) {
      usages.push({ ...usage, path: shownBelow(place, usage.path) });
    }
    troubles.tell(chunk.issues);
  }
  return usages;
}

function bySize(a: Usage, b: Usage): number {
  return b.diskBytes - a.diskBytes || byBytes(a.path, b.path);
}

function byName(a: Usage, b: Usage): number {
  return byBytes(a.path, b.path);
}
