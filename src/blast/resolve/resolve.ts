import { cutAbove, LOWEST } from "../pep/cut.ts";
import { VersionRange } from "../pep/range.ts";
import { parseVersion } from "../pep/version.ts";
import { environmentResolution } from "./answer.ts";
import { type FileRules, type PythonFit, pythonRangeOfText } from "./candidate.ts";
import { Catalog } from "./catalog.ts";
import { Manifest } from "./manifest.ts";
import { NoSolution } from "./no-solution.ts";
import type { PackageIndex, Resolution, ResolveRequest, Target } from "./port.ts";
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
  const catalog = new Catalog(index, rulesOf(request, environmentFit(target)));
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

/** What a request says about files. */
export function rulesOf(
  request: ResolveRequest,
  pythonFit: (requiresPython: string) => PythonFit,
): FileRules {
  const { target, noBinary, onlyBinary, excludeNewerMs } = request;
  const tags = target.kind === "environment" ? target.tags : undefined;
  return { tags, noBinary, onlyBinary, excludeNewerMs, pythonFit };
}

/** Pre-releases of Python count as their release, as installers have it. */
function environmentFit(
  target: Extract<Target, { kind: "environment" }>,
): (requiresPython: string) => PythonFit {
  const text = target.markers.python_full_version.replace(/\+$/, "");
  const python = parseVersion(text).base;
  const upTo = VersionRange.between(LOWEST, cutAbove(python));
  const known = new Map<string, PythonFit>();
  return (requiresPython) => {
    let fit = known.get(requiresPython);
    if (fit === undefined) {
      const range = pythonRangeOfText(requiresPython) ?? VersionRange.full;
      if (range.contains(python)) fit = "fits";
      else fit = range.isDisjointFrom(upTo) ? "too-old" : "too-new";
      known.set(requiresPython, fit);
    }
    return fit;
  };
}
