import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { CommandContext } from "../../../kit/cli/command.ts";
import { escapeControls } from "../../../kit/fault/redact.ts";
import { deploymentOfCommandLine } from "../../deploy/command-line.ts";
import type { EtcChange } from "../../deploy/etc-diff.ts";
import { etcChanges } from "../../deploy/status.ts";
import { readTree } from "../../snapshot/find-tree.ts";
import { openRoot } from "../../snapshot/root.ts";
import type { Deployment, SystemState } from "../../snapshot/types.ts";
import { baseSnapshot } from "../../system/base.ts";
import { readDrift } from "../../system/drift.ts";
import { missingOf } from "../../system/package-plan.ts";
import type { SystemPlan } from "../../system/plan.ts";
import { sharedFolders } from "../../system/shared-folders.ts";
import { findSnapshot } from "../snapshot/find-snapshot.ts";
import { openTree } from "../snapshot/open-tree.ts";
import type { DriftArgs } from "./drift.ts";

type Context = Pick<CommandContext<DriftArgs>, "args" | "printer" | "commandPath">;

/** Shows how the system differs from its own declaration. */
export async function run(context: Context): Promise<number> {
  const { args, printer } = context;
  const { path: top, isRunning } = openRoot({ root: args.root });
  const state = readTree(top);
  const deployment = args.snapshot === undefined ? chosen(state, isRunning) : undefined;
  const plan =
    deployment === undefined
      ? await ofSnapshot(context, state, top)
      : await readDrift(join(top, deployment.subvolume), sharedFolders(top));
  const etc =
    deployment === undefined
      ? []
      : etcChanges(top, { snapshot: deployment.snapshot, deployment: deployment.id });
  const lines = linesOf(plan, etc);
  const what =
    deployment === undefined ? "the snapshot" : `${deployment.entry} (${deployment.state})`;
  if (printer.jsonMode) {
    printer.json({
      schema: "rastos.drift/1",
      deployment: deployment?.entry ?? null,
      missing: missingOf(plan.packages),
      undeclared: plan.packages.undeclared,
      changes: plan.configuration.changes,
      etc,
    });
  } else {
    for (const line of lines) printer.out(escapeControls(line));
    if (lines.length === 0) printer.note(`No drift: ${what} is what its system.toml declares`);
  }
  return lines.length === 0 ? 0 : 1;
}

/** The deployment that is booted, or that boots next. */
function chosen(state: SystemState, isRunning: boolean): Deployment | undefined {
  const booted = isRunning
    ? deploymentOfCommandLine(readFileSync("/proc/cmdline", "utf8"))?.deployment
    : undefined;
  const id = booted ?? state.defaultDeployment;
  return state.deployments.find((one) => one.id === id);
}

/** A snapshot's etc and var lie apart, so a clone is looked at. */
async function ofSnapshot(context: Context, state: SystemState, top: string): Promise<SystemPlan> {
  const { snapshot } = context.args;
  const { id } =
    snapshot === undefined ? baseSnapshot(state, undefined) : findSnapshot(state, snapshot);
  using tree = openTree(context);
  using clone = tree.temporary(id);
  return await readDrift(clone.path, sharedFolders(top));
}

const ETC_SIGNS = { added: "+", removed: "-", changed: "~" } as const;

function linesOf(plan: SystemPlan, etc: readonly EtcChange[]): string[] {
  const { packages, configuration } = plan;
  return [
    ...missingOf(packages).map((name) => `- package ${name}: declared, missing`),
    ...packages.undeclared.map((name) => `+ package ${name}: installed by name, not declared`),
    ...packages.markExplicit.map((name) => `~ package ${name}: declared, there for others only`),
    // What applying would do is what somebody has undone.
    ...configuration.changes.map(({ area, text }) => `~ ${area}: apply would ${verb(text)}`),
    ...etc.map(({ kind, path }) => `${ETC_SIGNS[kind]} /etc/${path}`),
  ];
}

/** `host name a → b` is something to set, `add the user x` something to do. */
function verb(text: string): string {
  return /^(add|change|remove|enable|disable|make|keep) /.test(text) ? text : `set ${text}`;
}
