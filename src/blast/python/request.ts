/** Which Python somebody wants: "3.12", ">=3.11,<3.13", "pypy3.10", "3.13t", a path. */

import { isAbsolute, join } from "node:path";
import { userHome } from "../../kit/config/paths.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { PepError } from "../pep/error.ts";
import { parseSpecifierSet, type SpecifierSet } from "../pep/specifier.ts";
import { parseVersion, type Version } from "../pep/version.ts";
import type { Interpreter } from "./probe.ts";

/** A wish, understood. */
export type PythonRequest =
  | { readonly kind: "any" }
  /** A file, or the folder of an environment or installation. */
  | { readonly kind: "path"; readonly path: string }
  /** A program's name to look for in PATH. */
  | { readonly kind: "name"; readonly name: string }
  | VersionRequest;

/** A wish for a version; what is undefined does not matter. */
export interface VersionRequest {
  readonly kind: "version";
  readonly implementation?: string;
  /** `3.12` stands for every 3.12.x. */
  readonly release?: readonly number[];
  /** A pre-release that is named exactly. */
  readonly exact?: Version;
  readonly specifier?: SpecifierSet;
  readonly freeThreaded: boolean;
  readonly debug: boolean;
}

/** Any finished version of the usual kind. */
export const ANY_VERSION: VersionRequest = { kind: "version", freeThreaded: false, debug: false };

const IMPLEMENTATIONS: Readonly<Record<string, string | undefined>> = {
  python: undefined,
  cpython: "cpython",
  cp: "cpython",
  pypy: "pypy",
  pp: "pypy",
  graalpy: "graalpy",
};

const WISH = new RegExp(
  [
    /^(?<name>cpython|python|pypy|graalpy|cp|pp)?[-@]?/,
    /(?<release>\d+(?:\.\d+){0,2})?(?<pre>(?:a|b|rc)\d+)?\+?(?<variant>t|d|td|freethreaded|debug)?/,
    // The rest of a build's key (`-linux-x86_64-gnu`), or PyPy's own version as pyenv writes it.
    /(?:-(?:linux|macos|darwin|windows)-[\w.-]+|-v?\d+(?:\.\d+)*(?:-src)?)?$/,
  ]
    .map((part) => part.source)
    .join(""),
  "i",
);

/**
 * Understands a wish.
 *
 * @param text as given by the user or by a file
 * @param origin who asks, for the message: "--python", ".python-version"
 * @throws {Fault} E_USAGE for what is no version, specifier, name or path
 */
export function parseRequest(text: string, origin: string): PythonRequest {
  const wish = text.trim();
  if (wish === "" || wish === "system" || wish === "any") return { kind: "any" };
  if (wish === "~" || wish.startsWith("~/")) {
    return { kind: "path", path: join(userHome(), wish.slice(1)) };
  }
  if (/[/\\]/.test(wish) || isAbsolute(wish) || wish === "." || wish === "..") {
    return { kind: "path", path: wish };
  }
  const found = WISH.exec(wish)?.groups;
  if (found !== undefined && (found["name"] ?? found["release"]) !== undefined) {
    return versionRequest(found);
  }
  const [, name = "", rest = ""] = /^([a-z]*)\s*([<>=!~].*)$/i.exec(wish) ?? [];
  if (rest === "" && /^[\w.+-]+$/.test(wish)) return { kind: "name", name: wish };
  if (name !== "" && !Object.hasOwn(IMPLEMENTATIONS, name.toLowerCase()))
    throw noWish(wish, origin);
  try {
    const specifier = parseSpecifierSet(rest);
    return { kind: "version", specifier, freeThreaded: false, debug: false, ...nameOf(name) };
  } catch (error) {
    if (error instanceof PepError) throw noWish(wish, origin, error);
    throw error;
  }
}

function versionRequest(found: Readonly<Record<string, string | undefined>>): PythonRequest {
  const variant = (found["variant"] ?? "").toLowerCase();
  const release = found["release"] === undefined ? undefined : releaseOf(found["release"]);
  const pre = found["pre"];
  const exact =
    release === undefined || pre === undefined
      ? {}
      : { exact: parseVersion(`${[...release, 0, 0].slice(0, 3).join(".")}${pre}`) };
  return {
    kind: "version",
    freeThreaded: variant === "freethreaded" || /^td?$/.test(variant),
    debug: variant === "debug" || /^t?d$/.test(variant),
    ...nameOf(found["name"] ?? ""),
    ...(release === undefined || pre !== undefined ? {} : { release }),
    ...exact,
  };
}

function nameOf(name: string): { readonly implementation?: string } {
  const implementation = IMPLEMENTATIONS[name.toLowerCase()];
  return implementation === undefined ? {} : { implementation };
}

/** `312` is how wheels write 3.12. */
function releaseOf(text: string): number[] {
  const compact = /^([23])(\d{1,2})$/.exec(text);
  const parts = compact === null ? text.split(".") : [compact[1], compact[2]];
  return parts.map(Number);
}

function noWish(wish: string, origin: string, cause?: unknown): Fault {
  return new Fault({
    code: "E_USAGE",
    message: `Cannot understand the Python "${wish}" of ${origin}`,
    hint: 'give a version ("3.12"), a range (">=3.11,<3.13"), "pypy", or the path of a Python',
    cause,
  });
}

/** Whether an interpreter is what is wanted; pre-releases and special builds only when asked. */
export function matchesRequest(interpreter: Interpreter, request: PythonRequest): boolean {
  if (request.kind !== "version") return true;
  const { implementation, release, exact, specifier, freeThreaded, debug } = request;
  if (implementation !== undefined && implementation !== interpreter.implementation) return false;
  if (freeThreaded !== interpreter.isFreeThreaded || debug !== interpreter.isDebug) return false;
  return matchesVersion(interpreter.version, { release, exact, specifier });
}

/** Whether a version is among those wanted. */
export function matchesVersion(
  text: string,
  wanted: {
    readonly release?: readonly number[] | undefined;
    readonly exact?: Version | undefined;
    readonly specifier?: SpecifierSet | undefined;
  },
): boolean {
  const version = parseVersion(text);
  const { release, exact, specifier } = wanted;
  if (exact !== undefined && exact.key !== version.key) return false;
  if (release?.some((number, index) => Number(version.release[index] ?? 0) !== number) === true) {
    return false;
  }
  return specifier === undefined || specifier.contains(version, { prereleases: true });
}

/** True for `3.13.0rc1`: taken only when nothing else fits, or when named. */
export function isPrerelease(interpreter: Interpreter): boolean {
  return parseVersion(interpreter.version).isPrerelease;
}

/** The request as a person says it. */
export function describeRequest(request: PythonRequest): string {
  switch (request.kind) {
    case "any":
      return "any Python";
    case "path":
      return request.path;
    case "name":
      return request.name;
    case "version": {
      const name = request.implementation ?? "Python";
      const shown = name === "cpython" ? "CPython" : name === "pypy" ? "PyPy" : name;
      const { exact, release, specifier, freeThreaded, debug } = request;
      const version = exact?.toString() ?? release?.join(".") ?? specifier?.toString() ?? "";
      return `${shown} ${version}${freeThreaded ? "t" : ""}${debug ? "d" : ""}`.trim();
    }
  }
}
