import type { CommandContext } from "../../../kit/cli/command.ts";
import { buildAurPackages } from "../../aur/build-packages.ts";
import { openPackageManager } from "../../package/open.ts";
import { optionsOf } from "../packages/options.ts";
import { printPlan, summaryOf } from "../packages/report.ts";
import { changeTarget, findTarget } from "../packages/target.ts";
import { showAurPlan } from "./build-run.ts";
import type { InstallArgs } from "./install.ts";
import { workshopOptions } from "./workshop-options.ts";

type Context = Pick<CommandContext<InstallArgs>, "args" | "printer" | "commandPath">;

/** Builds packages, and installs them into a clone or a folder. */
export async function run({ args, printer, commandPath }: Context): Promise<number> {
  const target = findTarget(args);
  const options = workshopOptions(args, target, { place: target.place, printer });
  if (args["dry-run"]) return await showAurPlan(args.name, options, printer);
  // Before the tree is locked: a build may take hours.
  const files = await buildAurPackages(args.name, options);
  const done = await changeTarget({
    target,
    command: commandPath,
    printer,
    work: async (place) => {
      using manager = openPackageManager(optionsOf(place, args.config));
      if (options.packages.repositories.length > 0) await manager.sync();
      const plan = await manager.plan({ files, onlyNeeded: true });
      if (plan.changes.length === 0) return undefined;
      if (!printer.jsonMode) printPlan(printer, plan);
      const value = await manager.run({ files, onlyNeeded: true });
      return { value, description: `install ${args.name.join(", ")} of the AUR` };
    },
  });
  const changes = done?.value.changes ?? [];
  const snapshot = done?.made?.id;
  if (printer.jsonMode) {
    printer.json({ schema: "rastos.aur-install/1", files, changes, snapshot });
    return 0;
  }
  if (done === undefined) printer.note("Nothing to do");
  else {
    printer.note(
      `${summaryOf(changes)}${snapshot === undefined ? "" : ` in snapshot ${snapshot}`}`,
    );
    if (snapshot !== undefined) printer.note(`rastos deploy ${snapshot} boots it`);
  }
  return 0;
}
