import type { CommandContext } from "../../../kit/cli/command.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import { entryName } from "../../boot/entry.ts";
import type { BootMenu } from "../../boot/menu.ts";
import type { EntryIdentity } from "../../boot/types.ts";
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
  requireIdle(menu, booted, chosen);
  if (args["dry-run"]) {
    reportDryRun(printer, `Would remove ${entries.join(", ")}`, { entries });
    return 0;
  }
  await confirm({ printer, yes: args.yes, action: `Remove ${entries.join(", ")}` });
  using tree = openTree(context);
  const place = { tree, menu };
  recoverDeployments(place);
  // Once more, now that nobody else can change it: the question may have stood there for long.
  requireIdle(menu, booted, chosen);
  removeDeployments(
    place,
    chosen.map(({ deployment, snapshot }) => ({ id: deployment, snapshot })),
  );
  if (printer.jsonMode) printer.json({ schema: "rastos.boot.removed/1", entries });
  else printer.note(`Removed ${entries.join(", ")}`);
  return 0;
}

/** @throws {Fault} E_REFUSED for what is running or boots next */
function requireIdle(
  menu: BootMenu,
  booted: EntryIdentity | undefined,
  chosen: readonly EntryIdentity[],
): void {
  const next = menu.next()?.name;
  for (const identity of chosen) {
    const entry = entryName(identity);
    const isBooted = identity.deployment === booted?.deployment;
    if (!isBooted && entry !== next) continue;
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot remove ${entry}: it ${isBooted ? "is running" : "boots next"}`,
      hint: "rastos rollback has another one boot next",
    });
  }
}
