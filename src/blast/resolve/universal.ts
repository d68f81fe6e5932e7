import { MarkerSet } from "../pep/marker-algebra.ts";
import type { PackageName } from "../pep/name.ts";
import { roundedRange } from "../pep/python-releases.ts";
import { parseVersion, type Version } from "../pep/version.ts";
import { Catalog } from "./catalog.ts";
import { find } from "./find.ts";
import { forksOf, splitAtPython } from "./fork.ts";
import { Manifest } from "./manifest.ts";
import { mergeForks, type SolvedFork } from "./merge.ts";
import type { PackageIndex, Resolution, ResolveRequest, Target } from "./port.ts";
import { rulesOf } from "./rules.ts";
import { UniversalScope } from "./universal-scope.ts";

/** More parts than this are no lock file that anybody could read. */
const FORKS_MAX = 2_000;

/**
 * The answer for many environments. Where requirements differ between environments, each part is
 * searched on its own, with what was chosen elsewhere preferred; then the parts are merged.
 */
export async function resolveUniversal(
  request: ResolveRequest,
  target: Extract<Target, { kind: "universal" }>,
  index: PackageIndex,
): Promise<Resolution> {
  const manifest = new Manifest(request);
  const catalog = new Catalog(index, rulesOf(request));
  const atHand = target.python === undefined ? undefined : parseVersion(target.python).base;
  const pythons = roundedRange(target.requiresPython);
  const within = target.within?.forReleases() ?? MarkerSet.always;
  const whole = new UniversalScope(MarkerSet.ofPython(pythons).and(within), pythons, atHand);
  const open = [whole];
  const solved: SolvedFork[] = [];
  const preferred = new Map<PackageName, Version[]>();
  for (let scope = open.pop(); scope !== undefined; scope = open.pop()) {
    if (open.length + solved.length > FORKS_MAX) {
      throw new Error(`the requirements part the environments more than ${FORKS_MAX} times`);
    }
    const outcome = await find({
      manifest,
      catalog,
      preferred,
      scope,
      findForks: (demands, extra) => forksOf(demands, extra, manifest, scope),
      splitPython: (pythons) => splitAtPython(scope, pythons),
    });
    if (outcome.kind === "fork") {
      open.push(...outcome.scopes.toReversed());
      continue;
    }
    solved.push({ scope, chosen: outcome.chosen });
    for (const { name, candidate } of outcome.chosen) prefer(preferred, name, candidate.version);
  }
  return mergeForks(solved, whole, manifest);
}

function prefer(preferred: Map<PackageName, Version[]>, name: PackageName, version: Version): void {
  const known = preferred.get(name);
  if (known === undefined) preferred.set(name, [version]);
  else if (!known.includes(version)) known.push(version);
}
