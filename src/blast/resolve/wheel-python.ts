import { cutBelowFamily } from "../pep/cut.ts";
import { VersionRange } from "../pep/range.ts";
import type { WheelTag } from "../pep/tag.ts";
import { Version } from "../pep/version.ts";

const PYTHON = /^(py|cp|pp)(\d)(\d*)$/;

/** Whether one of the Pythons can use a wheel with these tags, on whatever machine. */
export function fitsPythons(tags: readonly WheelTag[], pythons: VersionRange): boolean {
  return tags.some((tag) => !pythonsOf(tag).isDisjointFrom(pythons));
}

const known = new Map<string, VersionRange>();
const KNOWN_MAX = 1_000;

/** The Pythons that a tag is for; all of them where the tag does not tell. */
function pythonsOf({ python, abi }: WheelTag): VersionRange {
  const key = `${python}-${abi}`;
  const cached = known.get(key);
  if (cached !== undefined) return cached;
  const range = computePythons(python, abi);
  if (known.size >= KNOWN_MAX) known.clear();
  known.set(key, range);
  return range;
}

function computePythons(python: string, abi: string): VersionRange {
  const parts = PYTHON.exec(python);
  if (parts === null) return VersionRange.full;
  const [, kind, majorText = "", minorText = ""] = parts;
  const major = Number(majorText);
  if (minorText === "") return between([major], [major + 1]);
  const minor = Number(minorText);
  // An extension for one CPython or PyPy works in that one only, unless it keeps to the stable ABI.
  const forOne = kind !== "py" && abi !== "none" && abi !== "abi3" && abi !== "abi3t";
  return forOne
    ? between([major, minor], [major, minor + 1])
    : between([major, minor], [major + 1]);
}

function between(from: readonly number[], to: readonly number[]): VersionRange {
  return VersionRange.between(cutBelowFamily(versionOf(from)), cutBelowFamily(versionOf(to)));
}

function versionOf(release: readonly number[]): Version {
  const bare = { pre: undefined, post: undefined, dev: undefined, local: undefined };
  return new Version({ epoch: 0, release, ...bare });
}
