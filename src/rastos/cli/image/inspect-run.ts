import type { CommandContext } from "../../../kit/cli/command.ts";
import { sanitise } from "../../../kit/fault/redact.ts";
import { formatBytes } from "../../../kit/text/format.ts";
import { inspectImage } from "../../image/inspect.ts";
import type { InspectArgs } from "./inspect.ts";

type Context = Pick<CommandContext<InspectArgs>, "args" | "printer">;

/** Shows what is in an image. */
export async function run({ args, printer }: Context): Promise<void> {
  const facts = await inspectImage(args.image);
  if (printer.jsonMode) {
    printer.json({ schema: "rastos.image.facts/1", image: args.image, ...facts });
    return;
  }
  const code = facts.hasBootCode ? ", with boot code for a BIOS" : "";
  printer.out(`${args.image}: ${formatBytes(facts.sizeBytes)}, ${facts.format}${code}`);
  if (facts.partitions.length === 0) printer.out("  no partition table");
  const rows = facts.partitions.map((one) => [
    `  ${one.number}`,
    sanitise(one.name),
    formatBytes(one.sizeBytes),
    `at ${formatBytes(one.start)}`,
  ]);
  for (const row of rows) printer.out(row.join("  "));
  if (facts.btrfs !== undefined) {
    const { uuid, label, sizeBytes, usedBytes } = facts.btrfs;
    const used = `${formatBytes(usedBytes)} of ${formatBytes(sizeBytes)} used`;
    printer.out(`  btrfs "${sanitise(label)}" ${uuid}, ${used}`);
  }
  for (const { name, title, options } of facts.entries ?? []) {
    printer.out(`  boots ${name}: ${sanitise(title)}`);
    printer.out(`    ${sanitise(options)}`);
  }
}
