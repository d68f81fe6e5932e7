/**
 * Pythons as releases: installers take 3.13.0rc1 for 3.13.0 when they compare it with a
 * Requires-Python, and resolvers that reason about all Pythons do well to leave pre-releases out,
 * or `python_full_version >= "3.13"` and `python_version < "3.13"` would leave a gap.
 */
import { type Cut, cutAboveLocals, cutBelowFamily } from "./cut.ts";
import { type Diagram, mapChildren, splitByVersion } from "./marker-diagram.ts";
import { VersionRange } from "./range.ts";

/** The one cut that parts the final releases as a cut does. */
export function roundedCut(cut: Cut): Cut {
  const { version, kind } = cut;
  if (version === undefined) return cut;
  const { base } = version;
  if (version.post !== undefined || version.local !== undefined) return cutAboveLocals(base);
  return version.isPrerelease || kind.startsWith("below")
    ? cutBelowFamily(base)
    : cutAboveLocals(base);
}

/** The range that holds the same final releases, the same for all such ranges. */
export function roundedRange(range: VersionRange): VersionRange {
  let rounded = VersionRange.empty;
  for (const { lower, upper } of range.segments) {
    rounded = rounded.union(VersionRange.between(roundedCut(lower), roundedCut(upper)));
  }
  return rounded;
}

const known = new WeakMap<Diagram, Diagram>();

/** As {@link roundedRange}, for python_full_version in a condition. */
export function roundedDiagram(diagram: Diagram): Diagram {
  let rounded = known.get(diagram);
  if (rounded !== undefined) return rounded;
  rounded = mapChildren(diagram, roundedDiagram);
  if (rounded.kind === "version" && rounded.variable.name === "python_full_version") {
    const { variable, cuts, children } = rounded;
    const first = children[0] ?? rounded;
    const keptCuts: Cut[] = [];
    const kept = [first];
    for (const [index, cut] of cuts.map(roundedCut).entries()) {
      const child = children[index + 1] ?? first;
      if (keptCuts[keptCuts.length - 1]?.key === cut.key) {
        kept[kept.length - 1] = child;
      } else {
        keptCuts.push(cut);
        kept.push(child);
      }
    }
    rounded = splitByVersion(variable, keptCuts, kept);
  }
  known.set(diagram, rounded);
  return rounded;
}
