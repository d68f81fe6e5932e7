import type { CommandContext } from "../../../kit/cli/command.ts";
import { formatBytes } from "../../../kit/text/format.ts";
import { formatTable } from "../../../kit/text/table.ts";
import { readTree } from "../../snapshot/find-tree.ts";
import { openRoot } from "../../snapshot/root.ts";
import { snapshotSizes } from "../../snapshot/sizes.ts";
import { freeSpace } from "../../snapshot/space.ts";
import { findSnapshot } from "./find-snapshot.ts";
import type { SizesArgs } from "./sizes.ts";

type Context = Pick<CommandContext<SizesArgs>, "args" | "printer">;

const COLUMNS = [
  { title: "SNAPSHOT" },
  { title: "TOTAL", align: "right" },
  { title: "EXCLUSIVE", align: "right" },
  { title: "SHARED", align: "right" },
] as const;

/** Shows what snapshots take. */
export async function run({ args, printer }: Context): Promise<number> {
  const top = openRoot({ root: args.root }).path;
  const state = readTree(top);
  const named = args.snapshot.map((text) => findSnapshot(state, text).id);
  const ids = named.length > 0 ? named : state.snapshots.map(({ id }) => id);
  const snapshots = snapshotSizes(top, ids);
  const space = freeSpace(top);
  if (printer.jsonMode) {
    printer.json({ schema: "rastos.sizes/1", snapshots, ...space });
    return 0;
  }
  const rows = snapshots.map(({ id, totalBytes, exclusiveBytes, sharedBytes }) => [
    String(id),
    ...[totalBytes, exclusiveBytes, sharedBytes].map(formatBytes),
  ]);
  for (const line of formatTable(COLUMNS, rows)) printer.out(line);
  printer.note(`${formatBytes(space.freeBytes)} of ${formatBytes(space.sizeBytes)} are free`);
  return 0;
}
