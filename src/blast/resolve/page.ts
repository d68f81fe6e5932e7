import { type Cut, cutBelow, HIGHEST, isAbove, LOWEST } from "../pep/cut.ts";
import type { PackageName } from "../pep/name.ts";
import { VersionRange } from "../pep/range.ts";
import type { Version } from "../pep/version.ts";
import { type Candidate, examineVersion, type FileRules } from "./candidate.ts";
import type { CoreMetadata, DirectSource, Project } from "./port.ts";

/** A project's versions, examined when they are looked at; newest first. */
export class Page {
  readonly name: PackageName;
  readonly versions: readonly { readonly version: Version }[];
  private readonly candidates: (Candidate | undefined)[];
  private readonly examine: (index: number) => Candidate;

  private constructor(
    name: PackageName,
    versions: readonly { readonly version: Version }[],
    examine: (index: number) => Candidate,
  ) {
    this.name = name;
    this.versions = versions;
    this.candidates = new Array(versions.length);
    this.examine = examine;
  }

  /** What an index offers. */
  static ofProject(project: Project, rules: FileRules): Page {
    const { name, versions } = project;
    return new Page(name, versions, (index) => examineVersion(name, at(versions, index), rules));
  }

  /** The one version that a direct source is. */
  static ofSource(metadata: CoreMetadata, source: DirectSource, rules: FileRules): Page {
    const { name, version, requiresPython } = metadata;
    const fit = requiresPython === undefined ? "fits" : rules.pythonFit(requiresPython);
    return new Page(name, [{ version }], () => ({
      version,
      files: [],
      metadataFile: undefined,
      source,
      requiresPython,
      problem:
        fit === "too-old" && requiresPython !== undefined
          ? { kind: "python", requires: requiresPython, soft: false }
          : undefined,
    }));
  }

  versionAt(index: number): Version {
    return at(this.versions, index).version;
  }

  candidate(index: number): Candidate {
    const known = this.candidates[index];
    if (known !== undefined) return known;
    const candidate = this.examine(index);
    this.candidates[index] = candidate;
    return candidate;
  }

  /** The place of the newest version below a cut; the number of versions if there is none. */
  firstBelow(cut: Cut): number {
    let low = 0;
    let high = this.versions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (isAbove(at(this.versions, middle).version, cut)) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** The place of a version, if it is there. */
  indexOf(version: Version): number | undefined {
    const index = this.firstBelow(cutBelow(version)) - 1;
    return this.versions[index]?.version.key === version.key ? index : undefined;
  }

  /**
   * A version with the gap above it: what is said of all existing versions in a row becomes one
   * interval.
   */
  stretch(index: number): VersionRange {
    const lower =
      index === this.versions.length - 1 ? LOWEST : cutBelow(at(this.versions, index).version);
    return VersionRange.between(
      lower,
      index === 0 ? HIGHEST : cutBelow(at(this.versions, index - 1).version),
    );
  }

  /** The places of the versions in a range, newest first. */
  *within(range: VersionRange): Generator<number> {
    const { cuts } = range;
    for (let upper = cuts.length - 1; upper > 0; upper -= 2) {
      const end = this.firstBelow(at(cuts, upper - 1));
      for (let index = this.firstBelow(at(cuts, upper)); index < end; index += 1) yield index;
    }
  }

  /** As {@link within}, oldest first. */
  *withinUpwards(range: VersionRange): Generator<number> {
    const { cuts } = range;
    for (let lower = 0; lower + 1 < cuts.length; lower += 2) {
      const end = this.firstBelow(at(cuts, lower + 1));
      for (let index = this.firstBelow(at(cuts, lower)) - 1; index >= end; index -= 1) yield index;
    }
  }
}

function at<T>(list: readonly T[], index: number): T {
  return list[index] as T;
}
