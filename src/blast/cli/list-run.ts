import type { CommandContext } from "../../kit/cli/command.ts";
import { formatTable } from "../../kit/text/table.ts";
import type { InstalledDistribution } from "../env/installed.ts";
import { openPlace } from "../sync/place.ts";
import type { ListArgs } from "./list.ts";
import { openSession } from "./open-session.ts";

/** Lists packages, or environments. */
export async function run(context: CommandContext<ListArgs>): Promise<number> {
  const { args, printer } = context;
  if (args.envs) {
    const { listEnvironments } = await import("./list-environments.ts");
    return listEnvironments(printer);
  }
  const session = await openSession(printer, {});
  const { environment } = await openPlace(session, { python: args.python, create: false });
  const all = environment.installed().sort((a, b) => (a.name < b.name ? -1 : 1));
  const shown = args.requested ? all.filter(({ requested }) => requested) : all;
  if (printer.jsonMode) {
    for (const distribution of shown) printer.json(jsonOf(distribution));
    return 0;
  }
  if (shown.length === 0) {
    printer.note(`Nothing is installed in "${environment.root}"`);
    return 0;
  }
  const hasPlaces = shown.some(({ directUrl }) => directUrl !== undefined);
  const columns = [{ title: "package" }, { title: "version" }];
  const rows = shown.map(({ name, version, directUrl }) => [
    name,
    version.toString(),
    ...(hasPlaces ? [placeText(directUrl)] : []),
  ]);
  const withPlaces = hasPlaces ? [...columns, { title: "from" }] : columns;
  for (const line of formatTable(withPlaces, rows)) printer.out(line);
  return 0;
}

function placeText(directUrl: InstalledDistribution["directUrl"]): string {
  if (directUrl === undefined) return "";
  const { info, url } = directUrl;
  if (info.kind === "directory") return info.editable ? `${url} (editable)` : url;
  return info.kind === "vcs" ? `${info.vcs}+${url}@${info.commit.slice(0, 12)}` : url;
}

function jsonOf(distribution: InstalledDistribution): Record<string, unknown> {
  const { name, version, requested, installer, directUrl } = distribution;
  return {
    schema: "blast.list/1",
    name,
    version: version.toString(),
    requested,
    ...(installer === undefined ? {} : { installer }),
    ...(directUrl === undefined
      ? {}
      : { direct_url: JSON.parse(distribution.readFile("direct_url.json") ?? "null") }),
  };
}
