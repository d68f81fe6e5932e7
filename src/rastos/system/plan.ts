import type { ConfigurationPlan } from "./configuration.ts";
import {
  isEmptyPackagePlan,
  type PackagePlan,
  type PackageSituation,
  planPackages,
} from "./package-plan.ts";
import type { SystemConfig } from "./types.ts";

/** A difference in what is no file of the root. */
export interface DeclaredDifference {
  readonly area: "kernel" | "boot" | "hooks" | "packages";
  readonly text: string;
}

/** How a system differs from what is declared. */
export interface SystemPlan {
  readonly packages: PackagePlan;
  readonly configuration: ConfigurationPlan;
  readonly declared: readonly DeclaredDifference[];
  readonly isEmpty: boolean;
  /** Neither packages nor what is no file of the root differ. */
  readonly isOnlyConfiguration: boolean;
}

/** What it takes to make a system what is declared. Pure. */
export function planSystem(
  current: PackageSituation,
  wanted: { readonly config: SystemConfig; readonly configuration: ConfigurationPlan },
): SystemPlan {
  const { config, configuration } = wanted;
  const packages = planPackages(current, config);
  const declared = declaredDifferences(current.previous, config);
  const isOnlyConfiguration = isEmptyPackagePlan(packages) && declared.length === 0;
  const isEmpty = isOnlyConfiguration && configuration.changes.length === 0;
  return { packages, configuration, declared, isEmpty, isOnlyConfiguration };
}

function declaredDifferences(
  previous: SystemConfig | undefined,
  config: SystemConfig,
): DeclaredDifference[] {
  const found: DeclaredDifference[] = [];
  const add = (area: DeclaredDifference["area"], what: string, pair: readonly unknown[]): void => {
    const [before, after] = pair.map((value) => (value === undefined ? "none" : String(value)));
    if (before !== after) found.push({ area, text: `${what} ${before} → ${after}` });
  };
  add("kernel", "profile", [previous?.kernel.profile, config.kernel.profile]);
  if (previous !== undefined) {
    add("boot", "loader", [previous.boot.loader, config.boot.loader]);
    add("boot", "seconds of the menu", [previous.boot.timeout, config.boot.timeout]);
    add("boot", "tries", [previous.boot.tries, config.boot.tries]);
  }
  for (const key of ["pre_install", "post_install"] as const) {
    const before = previous?.hooks[key].join("\n") ?? "";
    const after = config.hooks[key].join("\n");
    if (before !== after) found.push({ area: "hooks", text: `${key} changed` });
  }
  const ignored = (one: SystemConfig | undefined): string =>
    one?.packages.ignored.join(", ") || "none";
  add("packages", "ignored", [ignored(previous), ignored(config)]);
  return found;
}
