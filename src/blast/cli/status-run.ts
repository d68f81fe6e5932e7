import { existsSync } from "node:fs";
import { join } from "node:path";
import type { CommandContext } from "../../kit/cli/command.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { readVenvConfig } from "../python/venv-config.ts";
import { environmentFolder, openPlace, type Place } from "../sync/place.ts";
import type { Session } from "../sync/session.ts";
import { isLocking } from "../sync/sync-project.ts";
import { openSession } from "./open-session.ts";
import type { StatusArgs } from "./status.ts";

/** Tells what is active here and whether it is up to date. */
export async function run(context: CommandContext<StatusArgs>): Promise<number> {
  const { args, printer } = context;
  const session = await openSession(printer, {});
  const { project } = session;
  const folder = args.python === undefined ? environmentFolder(session) : args.python;
  const isThere = args.python !== undefined || readVenvConfig(folder) !== undefined;
  const opened = isThere ? await openOrSay(session, args.python) : undefined;
  const place = opened?.place;
  const status = {
    schema: "blast.status/1",
    project: project.exists ? { name: project.name, folder: project.folder } : null,
    environment: place === undefined ? null : environmentStatus(session, place),
    problem: opened?.problem ?? null,
    lock: await lockStatus(session, place),
    sync: place === undefined ? "absent" : await syncStatus(session, place),
    last: place === undefined ? null : await lastChange(place),
    noEffectYet: project.config.ineffective,
  };
  if (printer.jsonMode) {
    printer.json(status);
    return 0;
  }
  const line = (label: string, text: string): void => printer.out(`${label.padEnd(12)} ${text}`);
  line("project", status.project === null ? "none here" : `${project.name} (${project.folder})`);
  if (status.problem !== null) {
    line("environment", `of no use: ${status.problem}`);
  } else if (status.environment === null) {
    line("environment", `none yet: \`blast start\` makes "${folder}"`);
  } else {
    const { path, active, python, packages, base } = status.environment;
    line("environment", `${path}${active ? " (active)" : ""}`);
    line("python", `${python} (${base})`);
    line("packages", String(packages));
  }
  line("lock file", status.lock);
  line("in sync", status.sync);
  if (status.last !== null) line("last change", `${status.last.command} (${status.last.time})`);
  for (const { key, origin } of status.noEffectYet) {
    line("no effect", `${key} (${origin}) is understood, and nothing follows from it yet`);
  }
  return 0;
}

/** What is wrong with an environment is part of the answer, and no reason to give none. */
async function openOrSay(
  session: Session,
  python: string | undefined,
): Promise<{ readonly place?: Place; readonly problem?: string }> {
  try {
    return { place: await openPlace(session, { python, create: false }) };
  } catch (error) {
    if (!(error instanceof Fault) || python !== undefined) throw error;
    return { problem: `${error.message}${error.hint === undefined ? "" : `: ${error.hint}`}` };
  }
}

function environmentStatus(session: Session, place: Place) {
  const { environment, interpreter } = place;
  return {
    path: environment.root,
    active: session.environment["VIRTUAL_ENV"] === environment.root,
    python: `${interpreter.implementation} ${interpreter.version}`,
    base: interpreter.path,
    packages: environment.installed().length,
  };
}

async function lockStatus(session: Session, place: Place | undefined): Promise<string> {
  const { project } = session;
  if (!existsSync(join(project.folder, "pylock.toml"))) {
    return isLocking(project) ? "absent: `blast lock` writes it" : "absent";
  }
  if (place === undefined) return "present";
  const { isLockFitting } = await import("../sync/lock-project.ts");
  const isFitting = await isLockFitting(session, place.interpreter);
  if (isFitting === undefined) return "present: only a build can tell whether it fits";
  return isFitting ? "fits the project" : "stale: `blast lock` brings it up to date";
}

async function syncStatus(session: Session, place: Place): Promise<string> {
  if (!place.isProjects) return "not the project's environment";
  const { isUpToDate } = await import("../sync/up-to-date.ts");
  return isUpToDate(session, place, {}) ? "yes" : "not known: `blast sync` makes it so";
}

async function lastChange(
  place: Place,
): Promise<{ readonly command: string; readonly time: string } | null> {
  const { lastJournal } = await import("../env/state-folder.ts");
  const journal = lastJournal(place.environment);
  if (journal === undefined) return null;
  return { command: journal.command, time: new Date(journal.timeMs).toISOString() };
}
