import type { CommandContext } from "../../../kit/cli/command.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import { entryName } from "../../boot/entry.ts";
import { identityNamed } from "../../deploy/bless.ts";
import { removeDeployments } from "../../deploy/deploy.ts";
import { recoverDeployments } from "../../deploy/recover.ts";
import { confirm } from "../snapshot/confirm.ts";
import { openTree } from "../snapshot/open-tree.ts";
import { reportDryRun } from "../snapshot/report.ts";
import { findPlace } from "./place.ts";
import type { RemoveArgs } from "./remove.ts";

type Context = Pick<CommandContext<RemoveArgs>, "args" | "printer" | "commandPath">;

/** Removes deployments. */
export async function run(context: Context): Promise<number> {
  const { args, printer } = context;
  const { menu, booted } = findPlace(context);
  const chosen = args.deployment.map((text) => identityNamed(menu, text));
  const entries = chosen.map(entryName);
  const next = menu.next()?.name;
  for (const [index, { deployment }] of chosen.entries()) {
    const isBooted = deployment === booted?.deployment;
    if (!isBooted && entries[index] !== next) continue;
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot remove ${entries[index]}: it ${isBooted ? "is running" : "boots next"}`,
      hint: "rastos rollback has another one boot next",
    });
  }
  if (args["dry-run"]) {
    reportDryRun(printer, `Would remove ${entries.join(", ")}`, { entries });
    return 0;
  }
  await confirm({ printer, yes: args.yes, action: `Remove ${entries.join(", ")}` });
  using tree = openTree(context);
  const place = { tree, menu };
  recoverDeployments(place);
  removeDeployments(
    place,
    chosen.map(({ deployment, snapshot }) => ({ id: deployment, snapshot })),
  );
  if (printer.jsonMode) printer.json({ schema: "rastos.boot.removed/1", entries });
  else printer.note(`Removed ${entries.join(", ")}`);
  return 0;
}
