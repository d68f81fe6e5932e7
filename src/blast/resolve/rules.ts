import { cutAbove, LOWEST } from "../pep/cut.ts";
import type { MarkerEnvironment } from "../pep/marker-environment.ts";
import { VersionRange } from "../pep/range.ts";
import { parseVersion } from "../pep/version.ts";
import { type FileRules, type PythonFit, pythonRangeOfText } from "./candidate.ts";
import type { ResolveRequest } from "./port.ts";
import { fitsPythons } from "./wheel-python.ts";

/** What a request says about files. */
export function rulesOf({
  target,
  noBinary,
  onlyBinary,
  excludeNewerMs,
}: ResolveRequest): FileRules {
  const rules = { noBinary, onlyBinary, excludeNewerMs, ranks: new Map<string, number>() };
  if (target.kind === "universal") {
    const { requiresPython } = target;
    return {
      ...rules,
      priority: (tags) => (fitsPythons(tags, requiresPython) ? 0 : undefined),
      pythonFit: () => "fits",
    };
  }
  const { tags: supported, markers } = target;
  return {
    ...rules,
    priority: supported === undefined ? () => 0 : (tags) => supported.priority(tags),
    pythonFit: environmentFit(markers),
  };
}

/** Pre-releases of Python count as their release, as installers have it. */
function environmentFit(markers: MarkerEnvironment): (requiresPython: string) => PythonFit {
  const python = parseVersion(markers.python_full_version.replace(/\+$/, "")).base;
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
