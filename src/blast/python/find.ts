/** Finds the Python that is wanted, or says what there is and where it was looked for. */
import { existsSync, statSync } from "node:fs";
import { basename, join, resolve } from "node:path";
import type { Environment } from "../../kit/config/paths.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { parseSpecifierSet } from "../pep/specifier.ts";
import { findPin } from "./pin.ts";
import { type Candidate, type Place, prefixCandidates, pythonPlaces } from "./places.ts";
import { type Interpreter, Prober } from "./probe.ts";
import {
  describeRequest,
  isPrerelease,
  matchesRequest,
  matchesVersion,
  type PythonRequest,
  parseRequest,
} from "./request.ts";

/** What a Python is looked for by, besides the request itself. */
export interface FindOptions {
  readonly environment: Environment;
  /** The project's folder: `.python-version` is looked for from here upwards. */
  readonly folder: string;
  /** Who made the request, for messages; "--python" by default. */
  readonly origin?: string;
  /** [env] python_version of blast.toml, where it is set. */
  readonly configured?: { readonly request: string; readonly origin: string } | undefined;
  /** requires-python of pyproject.toml. */
  readonly requiresPython?: { readonly specifier: string; readonly origin: string } | undefined;
  readonly prober?: Prober;
}

/** The Python that was chosen, and why. */
export interface PythonChoice {
  readonly interpreter: Interpreter;
  /** Where it was found: "PATH", "pyenv", "the path given". */
  readonly place: string;
  /** What asked for it: "--python", a file; undefined: nothing did, the first one is taken. */
  readonly origin: string | undefined;
  readonly warnings: readonly string[];
}

/** A Python that exists. */
export interface ListedPython {
  readonly interpreter: Interpreter;
  readonly place: string;
}

const PROBES_AT_ONCE = 4;

/**
 * The Python that is wanted: by the request, else `.python-version`, blast.toml, requires-python,
 * else the first one.
 *
 * @throws {Fault} E_NOT_FOUND with everything that was searched; E_USAGE for a wrong request
 */
export async function findPython(
  request: string | undefined,
  options: FindOptions,
): Promise<Interpreter> {
  return (await choosePython(request, options)).interpreter;
}

/** {@link findPython}, with where it was found and what to warn of. */
export async function choosePython(
  request: string | undefined,
  options: FindOptions,
): Promise<PythonChoice> {
  const prober = options.prober ?? new Prober(options.environment);
  try {
    const wish = wishOf(request, options);
    const found = await search(wish, options, prober);
    return { ...found, warnings: warningsFor(found.interpreter, wish, options) };
  } finally {
    prober.save();
  }
}

/** What files ask for, where it is a version: `.python-version`, blast.toml, requires-python. */
export function wishedVersion(
  options: FindOptions,
): { readonly request: PythonRequest; readonly text: string; readonly origin: string } | undefined {
  const { request, text, origin } = wishOf(undefined, options);
  return request.kind === "version" && origin !== undefined ? { request, text, origin } : undefined;
}

/** Every Python that there is, each once, in the order of preference. */
export async function listPythons(
  options: Omit<FindOptions, "configured" | "requiresPython">,
): Promise<ListedPython[]> {
  const prober = options.prober ?? new Prober(options.environment);
  const places = pythonPlaces(options.environment, options.folder, { kind: "any" });
  const listed = await interpretersOf(places, prober);
  prober.save();
  return listed;
}

interface Wish {
  readonly request: PythonRequest;
  readonly text: string;
  readonly origin: string | undefined;
}

/** The strongest of the wishes. */
function wishOf(request: string | undefined, options: FindOptions): Wish {
  const { configured, requiresPython } = options;
  if (request !== undefined) return wish(request, options.origin ?? "--python");
  const pin = findPin(options.folder);
  if (pin !== undefined) return pinWish(pin.version, pin.path, options);
  if (configured !== undefined && configured.request !== "") {
    return wish(configured.request, configured.origin);
  }
  if (requiresPython !== undefined) return wish(requiresPython.specifier, requiresPython.origin);
  return { request: { kind: "any" }, text: "any", origin: undefined };
}

function wish(text: string, origin: string): Wish {
  return { request: parseRequest(text, origin), text, origin };
}

/** A name that pyenv has given to an environment stands in its folder of versions. */
function pinWish(version: string, origin: string, options: FindOptions): Wish {
  const found = wish(version, origin);
  if (found.request.kind !== "name") return found;
  const places = pythonPlaces(options.environment, options.folder, found.request);
  const folders = places.find((place) => place.name === "pyenv")?.folders ?? [];
  const path = folders.map((folder) => join(folder, version)).find((folder) => existsSync(folder));
  return path === undefined ? found : { ...found, request: { kind: "path", path } };
}

async function search(
  { request, text, origin }: Wish,
  options: FindOptions,
  prober: Prober,
): Promise<Omit<PythonChoice, "warnings">> {
  if (request.kind === "path") {
    const path = executableAt(resolve(options.folder, request.path), origin);
    return { interpreter: await prober.require(path), place: "the path given", origin };
  }
  const places = pythonPlaces(options.environment, options.folder, request);
  // Before there is none, those that have failed in an earlier run are asked again.
  const best =
    (await firstOf(places, request, prober)) ?? (await firstOf(places, request, prober, true));
  if (best !== undefined) return { ...best, origin };
  const found = await interpretersOf(pythonPlacesForAll(options), prober);
  const { nothingFits } = await import("./nothing-fits.ts");
  throw nothingFits({ request, text, origin, places, found });
}

async function firstOf(
  places: readonly Place[],
  request: PythonRequest,
  prober: Prober,
  again = false,
): Promise<ListedPython | undefined> {
  let early: ListedPython | undefined;
  for (const place of places) {
    if (request.kind === "name" && place.name !== "PATH") continue;
    for (const candidate of place.candidates()) {
      if (!mayMatch(candidate, request)) continue;
      const interpreter = await baseOf(candidate, prober, again);
      if (interpreter === undefined || !matchesRequest(interpreter, request)) continue;
      if (isUsual(interpreter, request)) return { interpreter, place: place.name };
      early ??= { interpreter, place: place.name };
    }
  }
  return early;
}

function pythonPlacesForAll(options: FindOptions): Place[] {
  return pythonPlaces(options.environment, options.folder, { kind: "any" });
}

/** Pre-releases, other implementations and special builds come only where nothing else fits. */
function isUsual(interpreter: Interpreter, request: PythonRequest): boolean {
  if (request.kind === "name") return true;
  const asked = request.kind === "version" ? request : undefined;
  if (isPrerelease(interpreter) && asked?.exact === undefined) return false;
  if (asked?.implementation !== undefined) return true;
  const special = asked === undefined && (interpreter.isFreeThreaded || interpreter.isDebug);
  return interpreter.implementation === "cpython" && !special;
}

/** False where the folder's name already says that the version is another. */
function mayMatch(candidate: Candidate, request: PythonRequest): boolean {
  const { versionHint } = candidate;
  if (versionHint === undefined || request.kind !== "version") return true;
  // Only a whole version tells enough: "3.12" may be 3.12.7.
  if (versionHint.split(".").length < 3) return true;
  return matchesVersion(versionHint, request);
}

/** The Python behind a candidate; of an environment, the one that it was made from. */
async function baseOf(
  candidate: Candidate,
  prober: Prober,
  again = false,
): Promise<Interpreter | undefined> {
  const found = await prober.probe(candidate.path, again);
  if (found === undefined || "problem" in found) return undefined;
  if (!found.isVirtual) return found;
  const base = await prober.probe(found.path);
  return base === undefined || "problem" in base ? undefined : base;
}

async function interpretersOf(places: readonly Place[], prober: Prober): Promise<ListedPython[]> {
  const queue = places.flatMap((place) =>
    [...place.candidates()].map((candidate) => ({ candidate, place: place.name })),
  );
  const results: (ListedPython | undefined)[] = [];
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < queue.length; index = next++) {
      const job = queue[index];
      const interpreter = job === undefined ? undefined : await baseOf(job.candidate, prober);
      if (job !== undefined && interpreter !== undefined) {
        results[index] = { interpreter, place: job.place };
      }
    }
  };
  await Promise.all(Array.from({ length: PROBES_AT_ONCE }, work));
  const seen = new Set<string>();
  return results.filter((entry): entry is ListedPython => {
    if (entry === undefined) return false;
    // /bin is /usr/bin on most systems.
    const { basePrefix, version, implementation } = entry.interpreter;
    const key = [basePrefix, implementation, version, entry.interpreter.isFreeThreaded].join("\n");
    return !seen.has(key) && seen.add(key) !== undefined;
  });
}

/** The executable that a path means: a file, or the folder of an environment or installation. */
function executableAt(path: string, origin: string | undefined): string {
  const status = statSync(path, { throwIfNoEntry: false });
  if (status === undefined) {
    throw new Fault({
      code: "E_NOT_FOUND",
      message: `Cannot find Python "${path}"${origin === undefined ? "" : ` of ${origin}`}`,
      hint: "it does not exist; `blast python list` shows what there is",
    });
  }
  if (!status.isDirectory()) return path;
  // An environment's own `bin` folder is accepted too.
  const folder = basename(path) === "bin" ? join(path, "..") : path;
  const [candidate] = prefixCandidates(folder);
  if (candidate !== undefined) return candidate.path;
  throw new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot find a Python in "${path}"`,
    hint: "give an environment, an installation or the executable itself",
  });
}

function warningsFor(interpreter: Interpreter, { origin }: Wish, options: FindOptions): string[] {
  const warnings: string[] = [];
  const { requiresPython, configured } = options;
  if (requiresPython !== undefined && origin !== requiresPython.origin) {
    const specifier = parseSpecifierSet(requiresPython.specifier);
    if (!matchesVersion(interpreter.version, { specifier })) {
      const asked = `"${requiresPython.specifier}" of ${requiresPython.origin}`;
      warnings.push(`Python ${interpreter.version} (by ${origin}) does not fit ${asked}`);
    }
  }
  if (configured !== undefined && configured.request !== "" && origin !== configured.origin) {
    const request = parseRequest(configured.request, configured.origin);
    if (request.kind === "version" && !matchesRequest(interpreter, request)) {
      const asked = `${describeRequest(request)} of ${configured.origin}`;
      warnings.push(`Python ${interpreter.version} (by ${origin}) is not ${asked}`);
    }
  }
  return warnings;
}
