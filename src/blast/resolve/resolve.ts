import { environmentResolution } from "./answer.ts";
import { Catalog } from "./catalog.ts";
import { find } from "./find.ts";
import { Manifest } from "./manifest.ts";
import type { PackageIndex, Resolution, ResolveRequest } from "./port.ts";
import { rulesOf } from "./rules.ts";
import { EnvironmentScope } from "./scope.ts";

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
  const outcome = await find({ catalog, manifest, scope, preferred: new Map() });
  if (outcome.kind === "fork") throw new Error("a search in one environment was split");
  return environmentResolution(outcome.chosen, manifest, scope);
}
