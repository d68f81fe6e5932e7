/** Newer versions for an environment that no project speaks for. */

import { suggest } from "../../kit/cli/suggest.ts";
import { Fault } from "../../kit/fault/fault.ts";
import type { InstalledDistribution } from "../env/installed.ts";
import type { PackageName } from "../pep/name.ts";
import { readRequirement } from "../project/requirement-line.ts";
import type { ChangeOutcome } from "./change.ts";
import { installDirect } from "./install-direct.ts";
import type { Place } from "./place.ts";
import { preferencesOf } from "./preferences.ts";
import type { ResolveFlags } from "./question.ts";
import type { Session } from "./session.ts";

/** What to update. */
export interface UpdateRequest {
  /** Undefined: everything. */
  readonly names: ReadonlySet<PackageName> | undefined;
  readonly flags: ResolveFlags;
  /** Install these anew although they are there in this version. */
  readonly reinstall?: (name: PackageName) => boolean;
  readonly dryRun: boolean;
  readonly compileBytecode: boolean;
  readonly command: string;
}

/**
 * Takes the newest versions of what was asked for by name, or of the given packages. What was
 * installed from a place of its own stays.
 *
 * @throws {Fault} whatever stands in the way; the environment is as it was then
 */
export async function updateInstalled(
  session: Session,
  place: Place,
  request: UpdateRequest,
): Promise<ChangeOutcome> {
  const installed = place.environment.installed();
  const fromIndex = installed.filter(({ directUrl }) => directUrl === undefined);
  const asked = fromIndex.filter(
    ({ name, requested }) => requested || request.names?.has(name) === true,
  );
  // Of a dry run: it would be installed again before it is updated.
  const roots = [...asked.map(({ name }) => name), ...(place.planned?.requested ?? [])];
  const kept = request.names === undefined ? [] : fromIndex;
  const held = new Set(installed.filter(({ directUrl }) => directUrl).map(({ name }) => name));
  return installDirect(session, place, {
    requirements: roots.map((name) =>
      readRequirement(name, { origin: "the environment", base: session.folder }),
    ),
    constraints: [],
    overrides: [],
    flags: request.flags,
    upgrade: true,
    preferences: preferencesOf(kept.filter(({ name }) => request.names?.has(name) !== true)),
    hold: (name) => held.has(name),
    isRequested: (name) =>
      place.planned?.requested.includes(name) === true ||
      installed.some((one) => one.name === name && one.requested),
    ...(request.reinstall === undefined ? {} : { reinstall: request.reinstall }),
    noDependencies: false,
    requireHashes: false,
    exact: false,
    dryRun: request.dryRun,
    compileBytecode: request.compileBytecode,
    command: request.command,
  });
}

/** @throws {Fault} E_NOT_FOUND for a name that is neither installed nor asked for */
export function checkUpdatable(
  names: readonly PackageName[],
  installed: readonly InstalledDistribution[],
  asked: readonly PackageName[],
): void {
  const known = new Set([...installed.map(({ name }) => name), ...asked]);
  const unknown = names.find((name) => !known.has(name));
  if (unknown === undefined) return;
  const near = suggest(
    unknown,
    [...known].map((word) => ({ word })),
  );
  throw new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot update "${unknown}": it is not installed`,
    hint: near === undefined ? "`blast list` shows what is" : `did you mean "${near}"?`,
  });
}
