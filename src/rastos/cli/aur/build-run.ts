import type { CommandContext } from "../../../kit/cli/command.ts";
import { escapeControls } from "../../../kit/fault/redact.ts";
import type { Printer } from "../../../kit/out/printer.ts";
import { type AurOptions, AurWorkshop, buildAurPackages } from "../../aur/build-packages.ts";
import { findTarget } from "../packages/target.ts";
import type { BuildArgs } from "./build.ts";
import { workshopOptions } from "./workshop-options.ts";

type Context = Pick<CommandContext<BuildArgs>, "args" | "printer">;

/** Builds packages, or shows which would be built. */
export async function run({ args, printer }: Context): Promise<number> {
  const target = findTarget(args);
  const options = workshopOptions(args, target, { place: target.place, printer });
  if (args["dry-run"]) return await showAurPlan(args.name, options, printer);
  const files = await buildAurPackages(args.name, options);
  if (printer.jsonMode) printer.json({ schema: "rastos.aur-build/1", dryRun: false, files });
  else for (const file of files) printer.out(file);
  return 0;
}

/** What would be built, in its order, and what of it has to be reviewed before. */
export async function showAurPlan(
  names: readonly string[],
  options: AurOptions,
  printer: Printer,
): Promise<number> {
  await using workshop = await AurWorkshop.open(options);
  const { bases, graph } = await workshop.select(names);
  const steps = graph.steps().flatMap(({ base, official, packages }) => {
    const chosen = bases.get(base.base);
    if (chosen === undefined) return [];
    const { commit, isApproved } = chosen;
    const { base: name, version } = base;
    return [{ base: name, version, commit, isReviewed: isApproved, official, packages }];
  });
  if (printer.jsonMode) {
    printer.json({ schema: "rastos.aur-build/1", dryRun: true, steps });
    return 0;
  }
  for (const { base, version, commit, isReviewed, official, packages } of steps) {
    const review = isReviewed ? "reviewed" : "to be reviewed";
    printer.out(`Would build ${base} ${escapeControls(version)} at ${commit} (${review})`);
    const needs = [...packages, ...official].map(escapeControls);
    if (needs.length > 0) printer.out(`  with ${needs.join(", ")}`);
  }
  return 0;
}
