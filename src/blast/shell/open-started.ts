/** The environment that `blast start` starts: opened, made, or made anew. */
import { realpathSync } from "node:fs";
import { readVenvConfig } from "../python/venv-config.ts";
import { openPlace, type Place } from "../sync/place.ts";
import type { Session } from "../sync/session.ts";

/** What the user asked for. */
export interface StartWishes {
  readonly python: string | undefined;
  /** Of the environment; undefined: the one it has, or the project's. */
  readonly name: string | undefined;
}

/** The environment, ready to be filled. */
export interface Started {
  readonly place: Place;
  readonly name: string;
  readonly created: boolean;
}

/**
 * Opens the project's environment; makes it where there is none, and anew where the Python wanted
 * is another one.
 *
 * @throws {Fault} E_NOT_FOUND no such Python; E_REFUSED an environment of another tool would go
 */
export async function openStarted(session: Session, wishes: StartWishes): Promise<Started> {
  const venv = session.project.environmentFolder;
  const place = await openPlace(session, {
    create: true,
    python: wishes.python,
    name: wishes.name,
    ownOnly: true,
  });
  const has = readVenvConfig(venv)?.get("prompt");
  const name = wishes.name ?? has ?? session.project.name;
  if (has !== name) {
    const { renameVenv } = await import("../python/venv.ts");
    renameVenv(venv, place.interpreter, name);
  }
  return { place, name, created: place.created };
}

/** The folder as the user's shell calls it: with the links that were followed to it. */
export function logicalFolder(folder: string, environment: Session["environment"]): string {
  const shown = environment["PWD"];
  const cwd = process.cwd();
  if (shown === undefined || !shown.startsWith("/") || !isSame(shown, cwd)) return folder;
  if (folder === cwd) return shown;
  const below = cwd.startsWith(`${folder}/`) ? cwd.slice(folder.length) : undefined;
  return below !== undefined && shown.endsWith(below) ? shown.slice(0, -below.length) : folder;
}

function isSame(shown: string, cwd: string): boolean {
  if (shown === cwd) return true;
  try {
    return realpathSync(shown) === cwd;
  } catch {
    return false;
  }
}
