import { Fault } from "../../kit/fault/fault.ts";
import { looksRemote, type PlaceEndpoint, parsePlace } from "../endpoint.ts";
import { displayPath, meansContents, splitPath } from "../engine/path.ts";

/** Sources in one module of one daemon. */
export type RemoteSources = {
  readonly host: string;
  readonly port: number;
  readonly module: string;
  readonly places: readonly PlaceEndpoint[];
};

/** Which way a transfer goes. Local paths are latin1. */
export type Route =
  | { readonly kind: "push"; readonly sources: readonly string[]; readonly target: PlaceEndpoint }
  | { readonly kind: "pull"; readonly from: RemoteSources; readonly target: string }
  | { readonly kind: "between"; readonly from: RemoteSources; readonly target: PlaceEndpoint };

/** A path below a module as sessions take it: the module's root is "./", its contents. */
export function sessionPath(place: Pick<PlaceEndpoint, "path">): string {
  return place.path === "" ? "./" : place.path;
}

/**
 * Sorts the arguments of a transfer of which at least one is remote.
 * @throws {Fault} E_USAGE for what is no place, and for sources that do not go together;
 * E_REFUSED for a place onto itself
 */
export function routeOf(command: string, sources: readonly string[], target: string): Route {
  const remote = sources.filter(looksRemote);
  if (remote.length === 0) return { kind: "push", sources, target: parsePlace(target) };
  if (remote.length < sources.length) {
    throw new Fault({
      code: "E_USAGE",
      message: `Cannot ${command} from here and from a server in one run`,
      hint: "name the local sources in one command and those of the server in another",
    });
  }
  const from = together(command, sources.map(parsePlace));
  if (!looksRemote(target)) return { kind: "pull", from, target };
  const place = parsePlace(target);
  for (const source of from.places) refuseOverlap(command, source, place);
  return { kind: "between", from, target: place };
}

function together(command: string, places: readonly PlaceEndpoint[]): RemoteSources {
  const [first] = places;
  if (first === undefined) throw new Fault({ code: "E_USAGE", message: "Cannot use no source" });
  const { host, port, module } = first;
  const other = places.find((each) => !isSameModule(first, each));
  if (other === undefined) return { host, port, module, places };
  throw new Fault({
    code: "E_USAGE",
    message:
      `Cannot ${command} "${displayPath(first.typed)}" and "${displayPath(other.typed)}" in ` +
      "one run: they are in different modules",
    hint: "name the sources of each module in a command of its own",
  });
}

function isSameModule(a: PlaceEndpoint, b: PlaceEndpoint): boolean {
  const isSameHost = a.host.toLowerCase() === b.host.toLowerCase();
  return isSameHost && a.port === b.port && a.module === b.module;
}

/** Components of a path, `.` left out; `..` stays, since links may lead elsewhere. */
function componentsOf(path: string): string[] {
  return path.split("/").filter((part) => part !== "" && part !== ".");
}

function isWithin(inner: readonly string[], outer: readonly string[]): boolean {
  return outer.length <= inner.length && outer.every((part, index) => part === inner[index]);
}

/**
 * By name alone, for what is typed: a daemon that is asked for both sides may look closer. Also
 * refuses a mirror whose target holds its source.
 */
function refuseOverlap(command: string, source: PlaceEndpoint, target: PlaceEndpoint): void {
  if (!isSameModule(source, target)) return;
  const [from, to] = [componentsOf(source.path), componentsOf(target.path)];
  const shown = `"${displayPath(source.typed)}"`;
  const isContents = source.path === "" || meansContents(source.path);
  const placed = isContents ? to : [...to, splitPath(source.path).name];
  const isOnto = isWithin(from, to) && isWithin(to, from);
  const isBelowItself = !isContents && isWithin(placed, from) && isWithin(from, placed);
  if (isOnto || isBelowItself) {
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot ${command} ${shown} onto itself`,
      hint: "name another target",
    });
  }
  if (isWithin(to, from)) {
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot ${command} ${shown} into itself: "${displayPath(target.typed)}" lies in it`,
      hint: "name a target outside the source",
    });
  }
  if (command === "mirror" && isContents && isWithin(from, to)) {
    throw new Fault({
      code: "E_REFUSED",
      message: `Refusing to mirror onto "${displayPath(target.typed)}": the source lies in it`,
      hint: "name a target that does not hold the source",
    });
  }
}
