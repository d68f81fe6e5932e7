import type { CommandContext } from "../../../kit/cli/command.ts";
import type { Printer } from "../../../kit/out/printer.ts";
import { formatSeconds } from "../../../kit/text/format.ts";
import { deploySnapshot, type MadeDeployment } from "../../deploy/deploy.ts";
import { planInheritance } from "../../deploy/inherit.ts";
import { kernelPackageName } from "../../kernel/package-name.ts";
import type { SnapshotTree } from "../../snapshot/tree.ts";
import type { Snapshot } from "../../snapshot/types.ts";
import { type ApplyOutcome, applySystem } from "../../system/apply.ts";
import { baseSnapshot } from "../../system/base.ts";
import { readSystemFile } from "../../system/read.ts";
import { recordText } from "../../system/record-text.ts";
import type { SystemFile } from "../../system/types.ts";
import { type BootPlace, findPlace } from "../boot/place.ts";
import { tellInheritance } from "../deploy/inheritance-text.ts";
import { confirm } from "../snapshot/confirm.ts";
import { findSnapshot } from "../snapshot/find-snapshot.ts";
import { noteOthers } from "../snapshot/note-others.ts";
import { openTree } from "../snapshot/open-tree.ts";
import type { ApplyArgs } from "./apply.ts";
import { ApplyTeller } from "./apply-teller.ts";
import { aurBuilder } from "./aur-builder.ts";
import { kernelBuilder } from "./kernel-builder.ts";
import { planJson, printPlan } from "./plan-text.ts";

type Context = Pick<CommandContext<ApplyArgs>, "args" | "printer" | "commandPath">;

/** Applies a declaration, or shows what that would do. */
export async function run(context: Context): Promise<number> {
  const { args, printer } = context;
  const startedMs = performance.now();
  const file = await readSystemFile(args.file);
  for (const note of file.notes) printer.note(`note: ${note}`);
  // What cannot be deployed is not to be found out after an hour of packages.
  const isDeployed = args.deploy && !args["dry-run"];
  const place = isDeployed ? findPlace(context) : undefined;
  using tree = openTree(context);
  const from =
    args.from === undefined
      ? baseSnapshot(tree.state, recordText(file))
      : findSnapshot(tree.state, args.from);
  const outcome = await applyTo(tree, { context, file, from, place });
  const made = outcome.kind === "applied" ? outcome.snapshot : from;
  if (outcome.kind === "applied" && args.from === undefined) {
    noteOthers(printer, tree.state, { from: from.id, made: made.id, flag: "--from" });
  }
  const isNew = !tree.state.deployments.some(({ snapshot }) => snapshot === made.id);
  const deployment =
    place !== undefined && isNew && outcome.kind !== "planned"
      ? await deploy(tree, { file, place, snapshot: made, carriesEtc: args.etc })
      : undefined;
  if (printer.jsonMode) {
    printer.json(outcomeJson(outcome, deployment));
  } else {
    report(printer, outcome, deployment);
    if (outcome.kind === "applied") {
      printer.note(`Applied in ${formatSeconds((performance.now() - startedMs) / 1000)}`);
    }
  }
  return 0;
}

async function applyTo(
  tree: SnapshotTree,
  what: {
    readonly context: Context;
    readonly file: SystemFile;
    readonly from: Snapshot;
    readonly place: BootPlace | undefined;
  },
): Promise<ApplyOutcome> {
  const { context, file, from, place } = what;
  const { args, printer } = context;
  using teller = new ApplyTeller(printer);
  return await applySystem(tree, {
    file,
    from,
    isUpgrade: args.upgrade,
    isDryRun: args["dry-run"],
    description: args.description,
    signal: teller.signal,
    onEvent: (event) => teller.tell(event),
    buildKernel: kernelBuilder(tree.root, printer),
    buildAur: aurBuilder(tree.root, { printer, reviewed: args["yes-reviewed"] }),
    agree: async (plan) => {
      teller.pause();
      if (!printer.jsonMode) printPlan(printer, plan);
      if (place !== undefined) {
        const booted = place.booted?.deployment;
        planInheritance(tree, { snapshot: from.id, booted, carriesEtc: args.etc });
      }
      await confirm({
        printer,
        yes: args.yes,
        action: `Apply ${args.file} to snapshot ${from.id}`,
      });
    },
  });
}

async function deploy(
  tree: SnapshotTree,
  what: {
    readonly file: SystemFile;
    readonly place: BootPlace;
    readonly snapshot: Snapshot;
    readonly carriesEtc: boolean;
  },
): Promise<MadeDeployment> {
  const { boot, kernel } = what.file.config;
  return await deploySnapshot(tree, {
    snapshot: what.snapshot.id,
    target: what.place.target,
    // Without GRUB in the file, what is there already decides.
    loader: boot.loader === "grub" ? "grub" : undefined,
    timeout: boot.timeout,
    tries: boot.tries,
    kernel: kernel.profile === undefined ? kernel.package : kernelPackageName(kernel.profile),
    carriesEtc: what.carriesEtc,
    booted: what.place.booted?.deployment,
  });
}

function report(
  printer: Printer,
  outcome: ApplyOutcome,
  deployment: MadeDeployment | undefined,
): void {
  switch (outcome.kind) {
    case "nothing":
      if (deployment === undefined) printer.note("Nothing to do: the system is what is declared");
      break;
    case "planned":
      printPlan(printer, outcome.plan);
      break;
    case "homes":
      printer.note("Changed home folders, which all snapshots share");
      break;
    case "applied":
      printer.note(`Made snapshot ${outcome.snapshot.id} of ${outcome.snapshot.parent ?? "none"}`);
      break;
  }
  if (deployment === undefined) return;
  tellInheritance(printer, deployment);
  printer.note(`Deployed snapshot ${deployment.snapshot} as ${deployment.entry}: it boots next`);
}

function outcomeJson(
  outcome: ApplyOutcome,
  deployment: MadeDeployment | undefined,
): Readonly<Record<string, unknown>> {
  return {
    schema: "rastos.apply/1",
    outcome: outcome.kind,
    ...planJson(outcome.plan),
    snapshot: outcome.kind === "applied" ? outcome.snapshot.id : null,
    deployment: deployment?.entry ?? null,
    etc: deployment?.etc ?? [],
    leftBehind: deployment?.leftBehind ?? [],
  };
}
