import {
  type ConfigurationPlan,
  type ConfigurationRequest,
  planConfiguration,
} from "./configuration.ts";
import {
  isEmptyPackagePlan,
  type PackagePlan,
  type PackageSituation,
  planPackages,
} from "./package-plan.ts";
import type { RootView } from "./root-view.ts";
import type { SystemConfig } from "./types.ts";

/** A system as it is. */
export interface CurrentSystem extends Omit<PackageSituation, "previous"> {
  readonly view: RootView;
  /** What it was declared as. */
  readonly previous: SystemConfig | undefined;
  readonly homes: ConfigurationRequest["homes"];
  /** Days since 1970. */
  readonly today: number;
}

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
}

/**
 * What it takes to make a system what is declared. Looks at the root, and changes nothing.
 *
 * @throws {Fault} as `planConfiguration` does
 */
export function planSystem(
  current: CurrentSystem,
  wanted: { readonly config: SystemConfig; readonly text: string },
): SystemPlan {
  const { view, previous, homes, today } = current;
  const { config } = wanted;
  const packages = planPackages(current, config);
  const isSame = previous !== undefined && Bun.deepEquals(previous, config);
  const configuration = planConfiguration(view, {
    config,
    previous,
    // A comment is no difference.
    systemText: isSame ? undefined : wanted.text,
    homes,
    today,
  });
  const declared = isSame ? [] : declaredDifferences(previous, config);
  const isEmpty =
    isEmptyPackagePlan(packages) && configuration.changes.length === 0 && declared.length === 0;
  return { packages, configuration, declared, isEmpty };
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
