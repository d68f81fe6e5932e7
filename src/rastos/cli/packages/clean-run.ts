import type { CommandContext } from "../../../kit/cli/command.ts";
import { escapeControls } from "../../../kit/fault/redact.ts";
import { formatBytes, formatCount } from "../../../kit/text/format.ts";
import { type CleanedCache, cleanCache } from "../../package/clean.ts";
import { SnapshotTree } from "../../snapshot/tree.ts";
import { sharedPackageCache } from "../../system/package-root.ts";
import { confirm } from "../snapshot/confirm.ts";
import type { CleanArgs } from "./clean.ts";
import { optionsOf } from "./options.ts";
import { changeTarget, findTarget, type PackageTarget } from "./target.ts";

type Context = Pick<CommandContext<CleanArgs>, "args" | "printer" | "commandPath">;

/** Removes package files that are of no use. */
export async function run(context: Context): Promise<number> {
  const { args, printer } = context;
  const target = findTarget(args);
  const { all } = args;
  const own = await cleanCache(optionsOf(target.place, args.config), { all, isDryRun: true });
  const beside = await cleanShared(context, target, true);
  const wouldGo = together(own, beside);
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
  const done = own.files.length === 0 ? undefined : await cleanOwn(context, target);
  const gone = beside.files.length === 0 ? beside : await cleanShared(context, target, false);
  return tell(together(done?.value ?? own, gone), false, done?.made?.id);
}

function cleanOwn({ args, printer, commandPath }: Context, target: PackageTarget) {
  return changeTarget({
    target,
    command: commandPath,
    printer,
    work: async (place) => ({
      value: await cleanCache(optionsOf(place, args.config), { all: args.all, isDryRun: false }),
      description: "package files removed from the cache",
    }),
  });
}

/** What `apply` has fetched for all snapshots: it is in none of them. */
async function cleanShared(
  { args, printer, commandPath }: Context,
  target: PackageTarget,
  isDryRun: boolean,
): Promise<CleanedCache> {
  if (target.kind === "folder") return { files: [], bytes: 0 };
  // Nobody who holds the lock may be at work with them.
  using _tree = isDryRun
    ? undefined
    : SnapshotTree.open(target.top, {
        command: commandPath,
        onNote: (text) => printer.warn(text),
      });
  const cacheFolder = sharedPackageCache(target.top);
  const options = { ...optionsOf(target.place, args.config), cacheFolder };
  return await cleanCache(options, { all: args.all, isDryRun });
}

function together(a: CleanedCache, b: CleanedCache): CleanedCache {
  return { files: [...a.files, ...b.files], bytes: a.bytes + b.bytes };
}
