import type { CommandContext } from "../../../kit/cli/command.ts";
import { Fault } from "../../../kit/fault/fault.ts";
import { formatBytes } from "../../../kit/text/format.ts";
import { type DeployOptions, deploySnapshot, planDeployment } from "../../deploy/deploy.ts";
import type { SystemState } from "../../snapshot/types.ts";
import { type BootPlace, findPlace } from "../boot/place.ts";
import { findSnapshot } from "../snapshot/find-snapshot.ts";
import { openTree } from "../snapshot/open-tree.ts";
import { reportDryRun } from "../snapshot/report.ts";
import type { DeployArgs } from "./deploy.ts";
import { inheritanceLines, tellInheritance } from "./inheritance-text.ts";

type Context = Pick<CommandContext<DeployArgs>, "args" | "printer" | "commandPath">;

/** Deploys a snapshot. */
export async function run(context: Context): Promise<number> {
  const { args, printer } = context;
  const place = findPlace(context);
  using tree = openTree(context);
  const options = optionsOf(context, place, chosen(tree.state, args.snapshot));
  if (args["dry-run"]) {
    const plan = await planDeployment(tree, options);
    const size = `${formatBytes(plan.bootBytes)} of ${formatBytes(plan.freeBytes)} that are free`;
    const removes = plan.removes.length === 0 ? "" : `; would remove ${plan.removes.join(", ")}`;
    const text = `Would deploy snapshot ${plan.snapshot} as ${plan.entry}: ${size}${removes}`;
    reportDryRun(printer, text, { ...plan });
    if (!printer.jsonMode) for (const line of inheritanceLines(plan)) printer.out(line);
    return 0;
  }
  const made = await deploySnapshot(tree, options);
  if (printer.jsonMode) {
    printer.json({ schema: "rastos.deployment/1", ...made });
    return 0;
  }
  tellInheritance(printer, made);
  printer.note(`Deployed snapshot ${made.snapshot} as ${made.entry}: it boots next`);
  if (options.tries === 0) return 0;
  printer.note("It counts as good when `rastos boot bless` has run in it");
  return 0;
}

function optionsOf({ args }: Context, place: BootPlace, snapshot: number): DeployOptions {
  const { tries, cmdline, kernel, loader, keep } = args;
  return {
    snapshot,
    target: place.target,
    tries,
    cmdline,
    kernel,
    loader,
    keep,
    booted: place.booted?.deployment,
    carriesEtc: args.etc,
  };
}

function chosen(state: SystemState, text: string | undefined): number {
  if (text !== undefined) return findSnapshot(state, text).id;
  const newest = state.snapshots.at(-1);
  if (newest !== undefined) return newest.id;
  throw new Fault({
    code: "E_NOT_FOUND",
    message: "Cannot deploy: there is no snapshot yet",
    hint: "`rastos snapshot create` makes the first one",
  });
}
