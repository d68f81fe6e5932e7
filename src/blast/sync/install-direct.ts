/** Installing what is named, into an environment, without a project that would record it. */
import type { InstalledDistribution } from "../env/installed.ts";
import type { PackageName } from "../pep/name.ts";
import type { Version } from "../pep/version.ts";
import type { ProjectRequirement } from "../project/requirement-line.ts";
import type { PackageIndex, Resolution, RootRequirement } from "../resolve/port.ts";
import { type ChangeOutcome, changeEnvironment } from "./change.ts";
import { isChosen } from "./name-choice.ts";
import type { Place } from "./place.ts";
import { preferencesOf } from "./preferences.ts";
import { ask, type ResolveFlags, rulesOf } from "./question.ts";
import { namesOf, rootsOf } from "./roots.ts";
import type { Session } from "./session.ts";
import { targetOf } from "./target.ts";
import { satisfiedNote } from "./up-to-date.ts";
import { type WantedOptions, type WantedPackage, wantedOf } from "./wanted.ts";

/** What to install. */
export interface DirectInstall {
  readonly requirements: readonly ProjectRequirement[];
  readonly constraints: readonly ProjectRequirement[];
  readonly overrides: readonly ProjectRequirement[];
  readonly flags: ResolveFlags;
  /** Let go of the installed versions. */
  readonly upgrade: boolean;
  /** Versions to take where they fit, in place of the installed ones. */
  readonly preferences?: ReadonlyMap<PackageName, readonly Version[]>;
  /** Install these anew although they are there in this version. */
  readonly reinstall?: (name: PackageName) => boolean;
  /** What stays as it is installed, whatever the answer says. */
  readonly hold?: (name: PackageName) => boolean;
  /** Who is asked for by name, if not every requirement is. */
  readonly isRequested?: (name: PackageName) => boolean;
  /** Leave out what the packages need. */
  readonly noDependencies: boolean;
  /** Refuse everything whose hash was not given. */
  readonly requireHashes: boolean;
  /**
   * Of the requirements: only they, with all that they bring, need a hash then. Undefined: all do.
   */
  readonly hashed?: readonly ProjectRequirement[];
  /** Remove what is not asked for. */
  readonly exact: boolean;
  readonly dryRun: boolean;
  readonly compileBytecode: boolean;
  readonly command: string;
}

/**
 * Resolves for the environment, keeping installed versions where they fit, and installs.
 *
 * @throws {Fault} whatever stands in the way; the environment is as it was then
 */
export async function installDirect(
  session: Session,
  place: Place,
  request: DirectInstall,
): Promise<ChangeOutcome> {
  const installed = place.environment.installed();
  const target = targetOf(place.interpreter);
  if (!request.upgrade && !request.exact && !request.requireHashes) {
    const { known, note } = satisfiedNote(place, request);
    const yes = (): ChangeOutcome => {
      return { installed: [], removed: [], kept: installed.length, notes: [] };
    };
    if (known && request.overrides.length === 0) return yes();
    const { isSatisfied } = await import("./satisfied.ts");
    if (isSatisfied(request, installed, target.markers)) {
      if (!request.dryRun) note();
      return yes();
    }
  }
  const index = (): Promise<PackageIndex> => openIndex(session, place, request);
  const [requirements, constraints, overrides, rules] = await Promise.all([
    rootsOf(request.requirements, index),
    rootsOf(request.constraints, index),
    rootsOf(request.overrides, index),
    rulesOf(session, request.flags),
  ]);
  const resolution = await ask(
    session,
    {
      interpreter: place.interpreter,
      isPlain: !request.noDependencies,
      target,
      requirements,
      constraints,
      overrides,
      preferences: request.preferences ?? (request.upgrade ? new Map() : preferencesOf(installed)),
      flags: request.flags,
    },
    index,
  );
  const { isRequested } = request;
  const found = wantedOf(resolution, {
    ...(await givenFiles(request)),
    choice: {
      tags: target.tags,
      noBinary: (name) => isChosen(rules.noBinary, name),
      onlyBinary: (name) => isChosen(rules.onlyBinary, name),
    },
    requested: requestedNames(requirements, request.exact ? [] : installed),
  });
  const wanted = found
    .filter(({ name }) => request.hold?.(name) !== true)
    .map((one) => (isRequested ? { ...one, requested: isRequested(one.name) } : one));
  return changeEnvironment(session, place, {
    seen: installed,
    wanted: request.requireHashes
      ? await hashChecked(wanted, request, requirements, resolution)
      : wanted,
    ...(request.reinstall === undefined ? {} : { reinstall: request.reinstall }),
    exact: request.exact,
    dryRun: request.dryRun,
    compileBytecode: request.compileBytecode,
    command: request.command,
  });
}

async function givenFiles({
  requireHashes,
  requirements,
}: DirectInstall): Promise<Pick<WantedOptions, "filesOf">> {
  if (!requireHashes) return {};
  const { filesGiven, givenHashes } = await import("./hashes.ts");
  const given = givenHashes(requirements);
  return { filesOf: (resolved) => filesGiven(resolved, given) };
}

async function hashChecked(
  wanted: readonly WantedPackage[],
  request: DirectInstall,
  roots: readonly RootRequirement[],
  { packages }: Resolution,
): Promise<WantedPackage[]> {
  const { broughtBy, givenHashes, withHashes } = await import("./hashes.ts");
  const { requirements, hashed } = request;
  const hashedRoots = roots.filter((_, at) => {
    const requirement = requirements[at];
    return requirement !== undefined && hashed?.includes(requirement) === true;
  });
  const brought = broughtBy([...namesOf(hashedRoots)], packages);
  const isNeeded = (name: PackageName): boolean => hashed === undefined || brought.has(name);
  return withHashes(wanted, givenHashes(requirements), isNeeded);
}

async function openIndex(
  session: Session,
  place: Place,
  request: DirectInstall,
): Promise<PackageIndex> {
  const index = await session.index(place.interpreter);
  if (!request.noDependencies) return index;
  const { withoutDependencies } = await import("./without-dependencies.ts");
  return withoutDependencies(index);
}

/** What was asked for once stays asked for. */
function requestedNames(
  roots: readonly RootRequirement[],
  installed: readonly InstalledDistribution[],
): ReadonlySet<PackageName> {
  const names = new Set(namesOf(roots));
  for (const distribution of installed) if (distribution.requested) names.add(distribution.name);
  return names;
}
