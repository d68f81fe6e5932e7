import type { CommandContext } from "../../../kit/cli/command.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import { readTree } from "../../snapshot/find-tree.ts";
import { planRetention, type RetentionRules } from "../../snapshot/retention.ts";
import { openRoot } from "../../snapshot/root.ts";
import { confirm } from "./confirm.ts";
import { openTree } from "./open-tree.ts";
import type { PruneArgs } from "./prune.ts";
import { removedText, reportRemoved } from "./removed.ts";

type Context = Pick<CommandContext<PruneArgs>, "args" | "printer" | "commandPath">;

/** Removes what no rule keeps. */
export async function run(context: Context): Promise<number> {
  const { args, printer } = context;
  const rules: RetentionRules = {
    last: args["keep-last"],
    daily: args["keep-daily"],
    weekly: args["keep-weekly"],
    monthly: args["keep-monthly"],
    yearly: args["keep-yearly"],
  };
  if (Object.values(rules).every((count) => count === undefined)) {
    throw new Fault({
      code: "E_USAGE",
      message: "Cannot prune without a rule of what to keep",
      hint: "such as --keep-last 10, or --keep-daily 7 --keep-weekly 4",
    });
  }
  const planned = planRetention(readTree(openRoot({ root: args.root }).path), rules);
  if (args["dry-run"] || planned.length === 0) {
    reportRemoved(printer, { ids: planned, isDryRun: args["dry-run"] });
    return 0;
  }
  await confirm({ printer, yes: args.yes, action: removedText("Remove", planned) });
  using tree = openTree(context);
  // Once more: what was agreed to, and still holds now that nobody else can change the tree.
  const still = new Set(planRetention(tree.state, rules));
  const ids = planned.filter((id) => still.has(id));
  tree.remove(ids, { force: true });
  reportRemoved(printer, { ids, isDryRun: false });
  return 0;
}
