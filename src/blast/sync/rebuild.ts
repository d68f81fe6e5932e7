/** Environments that are made anew: with another Python, or because theirs is gone. */
import { Fault } from "../../kit/fault/fault.ts";
import { openEnvironment } from "../env/environment.ts";
import { lastJournal } from "../env/state-folder.ts";
import type { PackageName } from "../pep/name.ts";
import { tryParseVersion, type Version } from "../pep/version.ts";
import { choosePython, type FindOptions, wishedVersion } from "../python/find.ts";
import type { Interpreter } from "../python/probe.ts";
import { matchesRequest, parseRequest } from "../python/request.ts";
import { readVenvConfig } from "../python/venv-config.ts";
import { useFileOptions } from "./file-options.ts";
import type { Place } from "./place.ts";
import type { Session } from "./session.ts";

/** What an environment held, to be put into the one that takes its place. */
export interface Holdings {
  readonly requested: readonly PackageName[];
  readonly versions: ReadonlyMap<PackageName, readonly Version[]>;
}

/** Whether the interpreter that an environment has is what `--python` asks for. */
export async function isWantedPython(
  now: Interpreter,
  python: string,
  options: FindOptions,
): Promise<boolean> {
  const request = parseRequest(python, "--python");
  if (request.kind === "version" || request.kind === "any") return matchesRequest(now, request);
  return (await choosePython(python, options)).interpreter.path === now.path;
}

/**
 * What the project's files ask for, where the environment's interpreter is not that. One that was
 * made with another Python on purpose, by `--python`, stays until the files change their mind.
 */
export function changedWish(
  venv: string,
  now: Interpreter,
  options: FindOptions,
): { readonly text: string; readonly origin: string; readonly isOurs: boolean } | undefined {
  const wish = wishedVersion(options);
  if (wish === undefined || matchesRequest(now, wish.request)) return undefined;
  const config = readVenvConfig(venv);
  if (config?.get("blast-python") === wish.text) return undefined;
  return { text: wish.text, origin: wish.origin, isOurs: config?.has("blast") === true };
}

/**
 * Refuses to take the place of an environment that another tool has made.
 *
 * @throws {Fault} E_REFUSED
 */
export function checkOurs(
  venv: string,
  python: string | undefined,
  now: Interpreter | undefined,
): void {
  if (readVenvConfig(venv)?.has("blast") === true) return;
  const gone = "its Python is gone or was upgraded";
  const has = now === undefined ? gone : `it has Python ${now.version}`;
  const wanted = python === undefined ? "" : ` with Python "${python}"`;
  throw new Fault({
    code: "E_REFUSED",
    message: `Cannot use "${venv}"${wanted}: ${has}, and another tool made it`,
    hint:
      now === undefined
        ? "keep what you need of it and remove it, and blast makes one"
        : "remove it, and blast makes one; or leave --python away",
  });
}

/** What blast has installed in an environment, as its history tells; the Python need not work. */
export function holdingsOf(venv: string): Holdings | undefined {
  try {
    const packages = lastJournal(openEnvironment(venv))?.packages ?? [];
    const requested = packages.filter((one) => one.requested && one.directUrl === undefined);
    const versions = new Map<PackageName, Version[]>();
    for (const { name, version } of packages) {
      const parsed = tryParseVersion(version);
      if (parsed !== undefined) versions.set(name, [parsed]);
    }
    return { requested: requested.map(({ name }) => name), versions };
  } catch {
    return undefined;
  }
}

/** Installs again what was asked for by name, in the same versions where they fit. */
export async function restoreHoldings(
  session: Session,
  place: Place,
  holdings: Holdings,
): Promise<void> {
  if (holdings.requested.length === 0) return;
  const options = place.isProjects ? await useFileOptions(session) : undefined;
  const origin = "the environment before";
  const { installDirect } = await import("./install-direct.ts");
  const { readRequirement } = await import("../project/requirement-line.ts");
  // What needs hashes is not fetched by its name alone.
  const hashed = options?.hashed ?? [];
  const names = holdings.requested.filter((name) => hashed.every((one) => one.name !== name));
  try {
    await installDirect(session, place, {
      requirements: [
        ...names.map((name) => readRequirement(name, { origin, base: session.folder })),
        ...hashed,
      ],
      constraints: options?.constraints ?? [],
      overrides: [],
      flags: options?.over({}) ?? {},
      upgrade: false,
      preferences: holdings.versions,
      noDependencies: false,
      requireHashes: hashed.length > 0,
      hashed,
      exact: false,
      dryRun: false,
      compileBytecode: false,
      command: "blast: the environment made anew",
    });
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    session.printer.warn(
      `Not everything that was installed is there again: ${error.message}`,
      `it was ${holdings.requested.join(", ")}`,
    );
  }
}
