import { join } from "node:path";
import type { Printer } from "../../../kit/out/printer.ts";
import { formatCount } from "../../../kit/text/format.ts";
import { type AurEvent, type AurOptions, aurCacheFolder } from "../../aur/build-packages.ts";
import { approveNamed } from "../../aur/review.ts";
import type { PackageRoot } from "../../package/root-options.ts";
import { SNAPSHOTS } from "../../snapshot/layout.ts";
import { optionsOf } from "../packages/options.ts";
import type { PackageTarget } from "../packages/target.ts";
import { askForReview } from "./show-review.ts";

interface BuildArgs {
  readonly config: string | undefined;
  readonly lock: string | undefined;
  readonly cache: string | undefined;
  readonly "build-in"?: string | undefined;
  readonly "yes-reviewed": readonly string[];
  readonly update?: boolean;
  readonly rebuild?: boolean;
  readonly check?: boolean;
  readonly "skip-signatures"?: boolean;
}

/** What a command line says of how packages of the AUR are built. */
export function workshopOptions(
  args: BuildArgs,
  target: PackageTarget,
  how: { readonly place: PackageRoot; readonly printer: Printer },
): AurOptions {
  const { place, printer } = how;
  // A decision about a commit outlives the snapshots: a rollback must not bring old ones back.
  const ofTree =
    target.kind === "folder" ? undefined : join(target.top, SNAPSHOTS, "state/aur.lock");
  const system = target.kind === "folder" ? place.root : target.top;
  return {
    packages: optionsOf(place, args.config),
    etcFolder: place.etc,
    buildRoot: args["build-in"],
    environment: process.env,
    approve: approveNamed(args["yes-reviewed"], askForReview(printer)),
    isUpdate: args.update,
    isRebuild: args.rebuild,
    hasChecks: args.check,
    checksSignatures: args["skip-signatures"] !== true,
    cacheFolder: args.cache ?? aurCacheFolder(system, process.env),
    lockFile: args.lock ?? ofTree,
    onEvent: (event) => tell(printer, event),
  };
}

const PHASES = {
  prepare: "Preparing",
  fetch: "Fetching the sources of",
  build: "Building",
  kept: "Built before:",
} as const;

function tell(printer: Printer, event: AurEvent): void {
  switch (event.kind) {
    case "plan":
      printer.verbose(`Found ${formatCount(event.bases.length, "package base")} of the AUR`);
      return;
    case "phase":
      if (event.phase === "kept") printer.verbose(`${PHASES.kept} ${event.base}`);
      else printer.note(`${PHASES[event.phase]} ${event.base}`);
      return;
    case "line":
      printer.verbose(Bun.stripANSI(event.text));
  }
}
