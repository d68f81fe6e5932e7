import { userHome } from "../../kit/config/paths.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { parseVersion } from "../pep/version.ts";
import type { ListedPython } from "./find.ts";
import type { Place } from "./places.ts";
import { describeRequest, type PythonRequest } from "./request.ts";

/** A search without result. */
export interface EmptySearch {
  readonly request: PythonRequest;
  readonly text: string;
  readonly origin: string | undefined;
  readonly places: readonly Place[];
  readonly found: readonly ListedPython[];
}

/** Says what was wanted, what there is, where it was looked for, and what to do. */
export function nothingFits(search: EmptySearch): Fault {
  const { request, origin, places, found } = search;
  const wanted = describeRequest(request);
  const asked = origin === undefined ? "" : ` (asked for by ${shortened(origin)})`;
  const searched = places.map((place) => placeText(place)).join("; ");
  const there = found.map((python) => pythonText(python)).join(", ");
  return new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot find ${wanted}${asked}: ${
      found.length === 0 ? "there is no Python at all" : `none of the ${found.length} found fits`
    }`,
    hint: hintFor(search),
    cause: new Error(found.length === 0 ? `searched: ${searched}` : `found: ${there}`, {
      ...(found.length === 0 ? {} : { cause: new Error(`searched: ${searched}`) }),
    }),
    details: {
      request: search.text,
      found: found.map(({ interpreter, place }) => ({
        version: interpreter.version,
        implementation: interpreter.implementation,
        path: interpreter.path,
        place,
      })),
      searched: places.map(({ name, folders }) => ({ name, folders })),
    },
  });
}

function hintFor({ request, found }: EmptySearch): string {
  const install =
    request.kind === "version" && (request.release ?? request.exact) !== undefined
      ? `\`blast python install ${describeRequest(request).replace(/^Python /, "")}\` gets it`
      : "`blast python list` shows what there is and what can be installed";
  const nearest = nearestOf(request, found);
  if (nearest === undefined) return install;
  const { version, path } = nearest.interpreter;
  return `${install}; the nearest here is ${version}, ${shortened(path)}`;
}

function nearestOf(
  request: PythonRequest,
  found: readonly ListedPython[],
): ListedPython | undefined {
  if (request.kind !== "version") return undefined;
  const wanted = request.release ?? request.exact?.release.map(Number);
  if (wanted === undefined) return undefined;
  const distance = (python: ListedPython): number => {
    const release = parseVersion(python.interpreter.version).release.map(Number);
    const [major = 0, minor = 0, patch = 0] = release;
    const [otherMajor = 0, otherMinor = 0, otherPatch = 0] = wanted;
    const parts = [major - otherMajor, minor - otherMinor, (patch - otherPatch) / 100];
    const [majors = 0, minors = 0, patches = 0] = parts.map(Math.abs);
    return majors * 1e6 + minors * 1e3 + patches;
  };
  return found.toSorted((a, b) => distance(a) - distance(b))[0];
}

function placeText({ name, folders }: Place): string {
  if (folders.length === 0) return name;
  return `${name} (${folders.map(shortened).join(", ")})`;
}

function pythonText({ interpreter, place }: ListedPython): string {
  const { implementation, version, isFreeThreaded } = interpreter;
  const name = implementation === "cpython" ? "" : `${implementation} `;
  return `${name}${version}${isFreeThreaded ? "t" : ""} (${place})`;
}

function shortened(path: string): string {
  const home = userHome();
  return path.startsWith(`${home}/`) ? `~${path.slice(home.length)}` : path;
}
