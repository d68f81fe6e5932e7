/** The environment that a dry run would have made: described, and never written. */
import { plannedEnvironment } from "../env/environment.ts";
import { listState } from "../env/state-folder.ts";
import { choosePython, type FindOptions } from "../python/find.ts";
import { checkVenvFolder } from "../python/venv.ts";
import type { Place } from "./place.ts";
import type { Holdings } from "./rebuild.ts";
import type { Session } from "./session.ts";

/** What would be made. */
export interface PlannedVenv {
  readonly folder: string;
  /** `--python`. */
  readonly python: string | undefined;
  readonly find: FindOptions;
  readonly isProjects: boolean;
  /** Why it would take the place of one that is there; undefined: there is none. */
  readonly reason: string | undefined;
  /** What would be installed into it again. */
  readonly holdings: Holdings | undefined;
}

/**
 * Tells what would be made, and gives a place to plan against: the Python that it would have, and
 * nothing installed.
 *
 * @throws {Fault} what would stand in the way of making it
 */
export async function plannedPlace(session: Session, venv: PlannedVenv): Promise<Place> {
  const { printer } = session;
  const { folder, reason, isProjects } = venv;
  const { interpreter, warnings } = await choosePython(venv.python, venv.find);
  for (const warning of warnings) printer.warn(warning);
  checkVenvFolder(folder);
  const anew = reason === undefined ? "" : " anew";
  const why = reason === undefined ? "" : `: ${reason}`;
  printer.note(`Would make "${folder}"${anew} with Python ${interpreter.version}${why}`);
  const planned = venv.holdings ?? { requested: [], versions: new Map() };
  if (planned.requested.length > 0) {
    printer.note(`Would install again what was asked for by name: ${planned.requested.join(", ")}`);
  }
  const environment = plannedEnvironment(folder, interpreter.venvPaths);
  return { environment, interpreter, created: false, isProjects, planned };
}

/** A dry run takes nothing back: it says that the next change will, before anything else. */
export function tellCutShort(session: Session, { environment, planned }: Place): void {
  if (planned !== undefined || listState(environment).open.length === 0) return;
  session.printer.warn(
    `A command was cut short in "${environment.root}": what it left is counted as installed`,
    "the next command that is no dry run takes it back first",
  );
}
