import type { CommandContext } from "../../../kit/cli/command.ts";
import { formatCount } from "../../../kit/text/format.ts";
import { openPackageManager } from "../../package/open.ts";
import { listenForInterruption } from "./interruption.ts";
import { optionsOf, requireRepositories } from "./options.ts";
import { eventLine } from "./progress-line.ts";
import type { SyncArgs } from "./sync.ts";
import { changeTarget, findTarget } from "./target.ts";

type Context = Pick<CommandContext<SyncArgs>, "args" | "printer" | "commandPath">;

/** Fetches the databases. */
export async function run({ args, printer, commandPath }: Context): Promise<number> {
  const target = findTarget(args);
  const { repositories } = optionsOf(target.place, args.config);
  const what = formatCount(repositories.length, "database");
  if (args["dry-run"]) {
    for (const { name, servers } of repositories) printer.out(`${name}  ${servers[0] ?? ""}`);
    return 0;
  }
  using interruption = listenForInterruption();
  const line = eventLine(printer);
  const done = await changeTarget({
    target,
    command: commandPath,
    printer,
    work: async (place) => {
      const options = optionsOf(place, args.config);
      requireRepositories(options);
      using manager = openPackageManager(options, { signal: interruption.signal });
      await manager.sync(line.show);
      line.clear();
      return { value: true, description: "databases of the repositories fetched" };
    },
  });
  const where = done?.made === undefined ? "" : ` in snapshot ${done.made.id}`;
  printer.note(`${what} fetched${where}`);
  if (printer.jsonMode) {
    const names = repositories.map(({ name }) => name);
    printer.json({ schema: "rastos.synced/1", repositories: names, snapshot: done?.made?.id });
  }
  return 0;
}
