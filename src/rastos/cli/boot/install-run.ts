import type { CommandContext } from "../../../kit/cli/command.ts";
import { GRUB_CONFIG } from "../../boot/grub-config.ts";
import { installSystemdBoot } from "../../boot/install.ts";
import { ensureLoaderConfig } from "../../boot/loader-conf.ts";
import { MENU_TIMEOUT } from "../../boot/menu.ts";
import { openTree } from "../snapshot/open-tree.ts";
import { reportDryRun } from "../snapshot/report.ts";
import type { InstallArgs } from "./install.ts";
import { type BootPlace, findPlace } from "./place.ts";

type Context = Pick<CommandContext<InstallArgs>, "args" | "printer" | "commandPath">;

/** Installs the boot loader. */
export async function run(context: Context): Promise<number> {
  const { args, printer } = context;
  const place = findPlace(context);
  const where = place.menu.files.shown;
  if (args["dry-run"]) {
    const text = `Would install ${args.loader} on "${where}"`;
    reportDryRun(printer, text, { loader: args.loader, target: where });
    return 0;
  }
  using tree = openTree(context);
  const newest = tree.state.snapshots.at(-1);
  const roots = [...(newest === undefined ? [] : [tree.pathsOf(newest.id).root]), "/"];
  const written =
    args.loader === "grub" ? writeGrub(context, place) : install(context, place, roots);
  if (printer.jsonMode) {
    printer.json({ schema: "rastos.boot.installed/1", loader: args.loader, written });
  } else if (written.length === 0) printer.note(`${args.loader} is up to date on "${where}"`);
  else printer.note(`Installed ${args.loader} on "${where}"`);
  return 0;
}

function install({ args }: Context, { menu }: BootPlace, roots: readonly string[]) {
  return installSystemdBoot(menu.files, { roots, timeout: args.timeout });
}

function writeGrub({ args }: Context, { menu }: BootPlace): readonly string[] {
  const timeout = args.timeout ?? MENU_TIMEOUT;
  ensureLoaderConfig(menu.files, args.timeout);
  menu.refreshGrub(timeout);
  return [GRUB_CONFIG];
}
