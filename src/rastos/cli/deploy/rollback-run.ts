import type { CommandContext } from "../../../kit/cli/command.ts";
import { identityNamed } from "../../deploy/bless.ts";
import { planRollback, type RollbackOptions, rollBack } from "../../deploy/rollback.ts";
import { findPlace } from "../boot/place.ts";
import { confirm } from "../snapshot/confirm.ts";
import { openTree } from "../snapshot/open-tree.ts";
import { reportDryRun } from "../snapshot/report.ts";
import type { RollbackArgs } from "./rollback.ts";

type Context = Pick<CommandContext<RollbackArgs>, "args" | "printer" | "commandPath">;

/** Goes back to an earlier deployment. */
export async function run(context: Context): Promise<number> {
  const { args, printer } = context;
  const { menu } = findPlace(context);
  const named = args.deployment;
  const to = named === undefined ? undefined : identityNamed(menu, named).deployment;
  const options: RollbackOptions = { to, reason: args.reason };
  const plan = planRollback({ menu }, options);
  const instead = plan.from === undefined ? "" : ` instead of ${plan.from}`;
  if (args["dry-run"]) {
    reportDryRun(printer, `Would have ${plan.to} boot next${instead}`, { ...plan });
    return 0;
  }
  await confirm({ printer, yes: args.yes, action: `Have ${plan.to} boot next${instead}` });
  using tree = openTree(context);
  const done = rollBack({ tree, menu }, options);
  if (printer.jsonMode) printer.json({ schema: "rastos.rollback/1", ...done });
  else printer.note(`${done.to} boots next${instead}`);
  return 0;
}
