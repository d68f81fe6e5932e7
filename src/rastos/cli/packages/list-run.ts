import type { CommandContext } from "../../../kit/cli/command.ts";
import { formatCount } from "../../../kit/text/format.ts";
import { dependencyOf, satisfies } from "../../package/dependency.ts";
import { openPackageManager } from "../../package/open.ts";
import type { PackageRecord } from "../../package/types.ts";
import type { ListArgs } from "./list.ts";
import { optionsOf } from "./options.ts";
import { printPackages } from "./report.ts";
import { findTarget } from "./target.ts";

type Context = Pick<CommandContext<ListArgs>, "args" | "printer">;

/** Lists what is installed. */
export async function run({ args, printer }: Context): Promise<number> {
  const options = optionsOf(findTarget(args).place, args.config);
  using manager = openPackageManager(options);
  const all = await manager.installed();
  const words = args.word.map((word) => word.toLowerCase());
  const found = all.filter((record) => {
    if (args.explicit && record.reason !== "explicit") return false;
    if (args.unneeded && !isUnneeded(record, all)) return false;
    const text = `${record.name} ${record.description}`.toLowerCase();
    return words.every((word) => text.includes(word));
  });
  printPackages(printer, found);
  if (!printer.jsonMode) printer.note(formatCount(found.length, "package"));
  return 0;
}

function isUnneeded(record: PackageRecord, all: readonly PackageRecord[]): boolean {
  if (record.reason !== "dependency") return false;
  return !all.some(
    ({ name, dependencies }) =>
      name !== record.name && dependencies.some((text) => satisfies(record, dependencyOf(text))),
  );
}
