import type { CommandContext } from "../../../kit/cli/command.ts";
import { sanitise } from "../../../kit/fault/redact.ts";
import { formatCount } from "../../../kit/text/format.ts";
import { aurAddress } from "../../aur/address.ts";
import { AurRpc } from "../../aur/rpc.ts";
import type { SearchArgs } from "./search.ts";

type Context = Pick<CommandContext<SearchArgs>, "args" | "printer">;

/** Searches the AUR by the longest word; the others sift what it finds. */
export async function run({ args, printer }: Context): Promise<number> {
  const rpc = new AurRpc(aurAddress(process.env), process.env);
  const [first = "", ...others] = [...args.word].sort((a, b) => b.length - a.length);
  const packages = (await rpc.search(first, args.by))
    .filter(({ name, description }) => {
      const text = `${name} ${description}`.toLowerCase();
      return args.by !== "name-desc" || others.every((word) => text.includes(word.toLowerCase()));
    })
    .sort((a, b) => b.votes - a.votes || (a.name < b.name ? -1 : 1));
  if (printer.jsonMode) {
    printer.json({ schema: "rastos.aur-packages/1", packages });
    return packages.length === 0 ? 1 : 0;
  }
  const style = printer.dataStyle;
  for (const { name, version, votes, outOfDate, maintainer, description } of packages) {
    const marks = [
      formatCount(votes, "vote"),
      ...(outOfDate === undefined ? [] : ["out of date"]),
      ...(maintainer === undefined ? ["orphaned"] : []),
    ];
    printer.out(`${style.heading(name)} ${sanitise(version)} (${marks.join(", ")})`);
    if (description !== "") printer.out(`    ${sanitise(description)}`);
  }
  if (packages.length === 0) printer.note("Nothing found");
  return packages.length === 0 ? 1 : 0;
}
