import type { CommandContext } from "../../../kit/cli/command.ts";
import { escapeControls } from "../../../kit/fault/redact.ts";
import { formatBytes, formatCount } from "../../../kit/text/format.ts";
import { type CleanedCache, cleanCache } from "../../package/clean.ts";
import { confirm } from "../snapshot/confirm.ts";
import type { CleanArgs } from "./clean.ts";
import { optionsOf } from "./options.ts";
import { changeTarget, findTarget } from "./target.ts";

type Context = Pick<CommandContext<CleanArgs>, "args" | "printer" | "commandPath">;

/** Removes package files that are of no use. */
export async function run({ args, printer, commandPath }: Context): Promise<number> {
  const target = findTarget(args);
  const { all } = args;
  const wouldGo = await cleanCache(optionsOf(target.place, args.config), { all, isDryRun: true });
  const tell = (cleaned: CleanedCache, isDryRun: boolean, snapshot?: number): number => {
    if (printer.jsonMode) {
      printer.json({ schema: "rastos.cleaned/1", ...cleaned, isDryRun, snapshot });
    }
    if (isDryRun && !printer.jsonMode) {
      for (const file of cleaned.files) printer.out(escapeControls(file));
    }
    const where = snapshot === undefined ? "" : ` in snapshot ${snapshot}`;
    const what = `${formatCount(cleaned.files.length, "file")}, ${formatBytes(cleaned.bytes)}`;
    printer.note(`${what}${isDryRun ? " would go" : ` removed${where}`}`);
    return 0;
  };
  if (args["dry-run"] || wouldGo.files.length === 0) return tell(wouldGo, args["dry-run"]);
  if (target.kind === "folder") {
    const action = `Remove ${formatCount(wouldGo.files.length, "package file")}`;
    await confirm({ printer, yes: args.yes, action });
  }
  const done = await changeTarget({
    target,
    command: commandPath,
    printer,
    work: async (place) => ({
      value: await cleanCache(optionsOf(place, args.config), { all, isDryRun: false }),
      description: "package files removed from the cache",
    }),
  });
  return tell(done?.value ?? wouldGo, false, done?.made?.id);
}
