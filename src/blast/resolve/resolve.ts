import { environmentResolution } from "./answer.ts";
import { Catalog } from "./catalog.ts";
import { Manifest } from "./manifest.ts";
import { NoSolution } from "./no-solution.ts";
import type { PackageIndex, Resolution, ResolveRequest } from "./port.ts";
import { rulesOf } from "./rules.ts";
import { EnvironmentScope } from "./scope.ts";
import { Search } from "./search.ts";
import { Unsolvable } from "./solver.ts";

/**
 * Finds a set of versions that fits a request: for one environment, or for all of them.
 *
 * @throws NoSolution when there is none, and whatever the index throws
 */
export async function resolve(request: ResolveRequest, index: PackageIndex): Promise<Resolution> {
  const { target } = request;
  if (target.kind === "universal") {
    const { resolveUniversal } = await import("./universal.ts");
    return resolveUniversal(request, target, index);
  }
  const manifest = new Manifest(request);
  const catalog = new Catalog(index, rulesOf(request));
  const scope = new EnvironmentScope(target.markers);
  const search = new Search({ catalog, manifest, scope, preferred: new Map() });
  try {
    const outcome = await search.run();
    if (outcome.kind === "fork") throw new Error("a search in one environment was split");
    return environmentResolution(outcome.chosen, manifest, scope);
  } catch (error) {
    if (!(error instanceof Unsolvable)) throw error;
    const { incompatibility } = error;
    throw new NoSolution({ incompatibility, catalog, manifest, scope });
  }
}
