import type { CommandContext } from "../../../kit/cli/command.ts";
import { applySystem } from "../../system/apply.ts";
import { baseSnapshot } from "../../system/base.ts";
import { readSystemFile } from "../../system/read.ts";
import { recordText } from "../../system/record-text.ts";
import { findSnapshot } from "../snapshot/find-snapshot.ts";
import { openTree } from "../snapshot/open-tree.ts";
import { ApplyTeller } from "./apply-teller.ts";
import type { PlanArgs } from "./plan.ts";
import { planJson, printPlan } from "./plan-text.ts";

type Context = Pick<CommandContext<PlanArgs>, "args" | "printer" | "commandPath">;

/** Shows how the system differs from a declaration. */
export async function run(context: Context): Promise<number> {
  const { args, printer } = context;
  const file = await readSystemFile(args.file);
  for (const note of file.notes) printer.note(`note: ${note}`);
  using tree = openTree(context);
  const from =
    args.from === undefined
      ? baseSnapshot(tree.state, recordText(file))
      : findSnapshot(tree.state, args.from);
  using teller = new ApplyTeller(printer);
  const { kind, plan } = await applySystem(tree, {
    file,
    from,
    isUpgrade: args.upgrade,
    isDryRun: true,
    signal: teller.signal,
    onEvent: (event) => teller.tell(event),
    agree: async () => undefined,
  });
  teller.pause();
  const isSame = kind === "nothing";
  if (printer.jsonMode) {
    const nothing = { snapshot: null, deployment: null };
    printer.json({ schema: "rastos.apply/1", outcome: kind, ...planJson(plan), ...nothing });
  } else if (isSame) printer.note(`No difference to snapshot ${from.id}`);
  else printPlan(printer, plan);
  return isSame ? 0 : 1;
}
