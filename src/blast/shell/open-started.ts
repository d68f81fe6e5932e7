/** The environment that `blast start` starts: opened, made, or made anew. */
import { existsSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../kit/fault/fault.ts";
import { choosePython } from "../python/find.ts";
import type { Interpreter } from "../python/probe.ts";
import { Prober } from "../python/probe.ts";
import { matchesRequest, parseRequest } from "../python/request.ts";
import { createVenv, renameVenv } from "../python/venv.ts";
import { readVenvConfig } from "../python/venv-config.ts";
import { findOptions, openPlace, type Place } from "../sync/place.ts";
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
  const created = await makeIfNeeded(session, venv, wishes);
  const place = await openPlace(session, { create: true });
  const has = readVenvConfig(venv)?.get("prompt");
  const name = wishes.name ?? has ?? session.project.name;
  if (has !== name) renameVenv(venv, place.interpreter, name);
  return { place, name, created: created || place.created };
}

async function makeIfNeeded(
  session: Session,
  venv: string,
  { python, name }: StartWishes,
): Promise<boolean> {
  const config = readVenvConfig(venv);
  const prober = new Prober(session.environment);
  if (config !== undefined) {
    if (python === undefined) return false;
    const now = await currentPython(venv, prober);
    if (now !== undefined && (await isWanted(session, now, python, prober))) return false;
    if (!config.has("blast")) throw notOurs(venv, python, now);
  }
  const options = { ...findOptions(session), prober };
  const choice = await choosePython(python, options);
  for (const warning of choice.warnings) session.printer.warn(warning);
  if (config !== undefined) {
    session.printer.note(`The environment is made anew with Python ${choice.interpreter.version}`);
  }
  createVenv(venv, choice.interpreter, {
    prompt: name ?? config?.get("prompt") ?? session.project.name,
    systemSitePackages: session.config.values.env.system_site_packages,
    clear: config !== undefined,
  });
  return true;
}

async function currentPython(venv: string, prober: Prober): Promise<Interpreter | undefined> {
  const names = [join(venv, "bin", "python"), join(venv, "Scripts", "python.exe")];
  const path = names.find((name) => existsSync(name));
  const found = path === undefined ? undefined : await prober.probe(path);
  return found === undefined || "problem" in found ? undefined : found;
}

async function isWanted(
  session: Session,
  now: Interpreter,
  python: string,
  prober: Prober,
): Promise<boolean> {
  const request = parseRequest(python, "--python");
  if (request.kind === "version" || request.kind === "any") return matchesRequest(now, request);
  const options = { ...findOptions(session), prober };
  return (await choosePython(python, options)).interpreter.path === now.path;
}

function notOurs(venv: string, python: string, now: Interpreter | undefined): Fault {
  const has = now === undefined ? "its Python is gone" : `it has Python ${now.version}`;
  return new Fault({
    code: "E_REFUSED",
    message: `Cannot start "${venv}" with Python "${python}": ${has}, and another tool made it`,
    hint: "remove it, and blast makes one; or leave --python away",
  });
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
