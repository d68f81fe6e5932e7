import type { CommandContext } from "../../../kit/cli/command.ts";
import { openPackageManager } from "../../package/open.ts";
import { optionsOf, requireRepositories } from "./options.ts";
import { printPackages } from "./report.ts";
import type { SearchArgs } from "./search.ts";
import { findTarget } from "./target.ts";

type Context = Pick<CommandContext<SearchArgs>, "args" | "printer">;

/** Looks for packages. */
export async function run({ args, printer }: Context): Promise<number> {
  const options = optionsOf(findTarget(args).place, args.config);
  requireRepositories(options);
  using manager = openPackageManager(options);
  const found = await manager.search(args.word);
  printPackages(printer, found);
  if (found.length === 0) printer.note("No package has that");
  return found.length === 0 ? 1 : 0;
}
