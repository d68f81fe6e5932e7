import type { PackageName } from "../pep/name.ts";
import { VersionRange } from "../pep/range.ts";
import type { SpecifierSet } from "../pep/specifier.ts";
import type { Version } from "../pep/version.ts";
import type { ResolveRequest, RootRequirement } from "./port.ts";
import type { Scope } from "./scope.ts";
import type { Wish } from "./select.ts";

const NO_VERSIONS: readonly Version[] = [];
const NONE: readonly RootRequirement[] = [];

/** A request, by name. */
export class Manifest {
  readonly request: ResolveRequest;
  private readonly direct = new Set<PackageName>();
  private readonly constraints: ReadonlyMap<PackageName, readonly RootRequirement[]>;
  private readonly overrides: ReadonlyMap<PackageName, readonly RootRequirement[]>;
  private readonly pins = new Map<PackageName, VersionRange>();
  private readonly withPreReleases = new Set<PackageName>();

  constructor(request: ResolveRequest) {
    this.request = request;
    for (const { requirement } of request.requirements) this.direct.add(requirement.name);
    this.constraints = byName(request.constraints);
    this.overrides = byName(request.overrides);
    for (const list of [request.requirements, request.constraints, request.overrides]) {
      for (const { requirement } of list)
        this.noteSpecifier(requirement.name, requirement.specifier);
    }
  }

  isDirect(name: PackageName): boolean {
    return this.direct.has(name);
  }

  constraintsOf(name: PackageName): readonly RootRequirement[] {
    return this.constraints.get(name) ?? NONE;
  }

  /** Undefined: what others require of it stands. */
  overridesOf(name: PackageName): readonly RootRequirement[] | undefined {
    return this.overrides.get(name);
  }

  /**
   * Which version of a project to take.
   *
   * @param asked somebody's specifier names a pre-release
   * @param preferred to be taken behind what the request prefers
   */
  wish(name: PackageName, scope: Scope, asked: boolean, preferred: readonly Version[]): Wish {
    const { strategy, preReleases, preferences } = this.request;
    const own = preferences.get(name) ?? NO_VERSIONS;
    return {
      lowest: strategy === "lowest" || (strategy === "lowest-direct" && this.isDirect(name)),
      preferred: preferred.length === 0 ? own : [...own, ...preferred],
      preReleases:
        preReleases === "disallow"
          ? "never"
          : preReleases === "allow" || asked || this.withPreReleases.has(name)
            ? "like-others"
            : "last",
      pinned: this.pins.get(name) ?? VersionRange.empty,
      pythons: scope.pythons,
      pythonAtHand: scope.pythonAtHand,
    };
  }

  private noteSpecifier(name: PackageName, specifier: SpecifierSet): void {
    if (specifier.allowsPrereleases) this.withPreReleases.add(name);
    if (!isPin(specifier)) return;
    const range = specifier.toRange();
    this.pins.set(name, this.pins.get(name)?.union(range) ?? range);
  }
}

/** Whether a specifier names one version. */
export function isPin(specifier: SpecifierSet): boolean {
  return specifier.specifiers.some(
    ({ operator, wildcard }) => operator === "===" || (operator === "==" && !wildcard),
  );
}

function byName(
  list: readonly RootRequirement[],
): ReadonlyMap<PackageName, readonly RootRequirement[]> {
  const map = new Map<PackageName, RootRequirement[]>();
  for (const item of list) {
    const { name } = item.requirement;
    const known = map.get(name);
    if (known === undefined) map.set(name, [item]);
    else known.push(item);
  }
  return map;
}
