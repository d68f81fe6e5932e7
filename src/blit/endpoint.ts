import { Fault } from "../kit/fault/fault.ts";

/**
 * Names of places on other machines, as they are typed: `server:/module/path`, `server://path`,
 * `server:9031:/module/`, `server:9031/module/`, `[::1]:/module/`. Whatever has a colon before its
 * first slash names a server; a local file of such a name is written `./a:b`. Everything is latin1,
 * one character per byte.
 */

/** Where blitd listens unless it is told otherwise. */
export const DEFAULT_PORT = 9031;

/** A server that is named without a module. */
export type ServerEndpoint = {
  readonly kind: "server";
  /** A name or an address, IPv6 without its brackets. */
  readonly host: string;
  readonly port: number;
};

/** A place below a module of a server. */
export type PlaceEndpoint = {
  readonly kind: "place";
  readonly host: string;
  readonly port: number;
  /** UTF-8 as text; "" = the default export. */
  readonly module: string;
  /** Below the module, latin1, without a slash at its start; "" = the module's root. */
  readonly path: string;
  /** As typed, latin1. */
  readonly typed: string;
};

export type Endpoint = ServerEndpoint | PlaceEndpoint;

/** Whether an argument names another machine; cheap, for every argument of every command. */
export function looksRemote(argument: string): boolean {
  const colon = argument.indexOf(":");
  if (colon < 0) return false;
  const slash = argument.indexOf("/");
  return slash < 0 || colon < slash;
}

/** `host:9031`, with brackets around an IPv6 address. */
export function hostPort(endpoint: Pick<Endpoint, "host" | "port">): string {
  const { host, port } = endpoint;
  return `${host.includes(":") ? `[${host}]` : host}:${port}`;
}

/**
 * Takes an argument apart that `looksRemote` has let through, or the bare name of a server.
 * @throws {Fault} E_USAGE, whose hint shows how it is written
 */
export function parseEndpoint(argument: string): Endpoint {
  const { host, rest } = splitHost(argument);
  if (rest === "") return { kind: "server", host, port: DEFAULT_PORT };
  // rest starts with a colon
  const afterColon = rest.slice(1);
  if (afterColon.startsWith("/")) {
    return placeOf(argument, { host, port: DEFAULT_PORT, path: afterColon });
  }
  const digits = /^[0-9]+/.exec(afterColon)?.[0] ?? "";
  const afterPort = afterColon.slice(digits.length);
  const isPort = digits !== "" && (afterPort === "" || /^:?\//.test(afterPort));
  if (!isPort) throw notUnderstood(argument, whyNot(argument, host, afterColon));
  const port = portOf(argument, digits);
  if (afterPort === "") return { kind: "server", host, port };
  return placeOf(argument, { host, port, path: afterPort.replace(/^:/, "") });
}

/**
 * As `parseEndpoint`, for commands that need a place.
 * @throws {Fault} E_USAGE
 */
export function parsePlace(argument: string): PlaceEndpoint {
  const endpoint = parseEndpoint(argument);
  if (endpoint.kind === "place") return endpoint;
  const server = argument.replace(/:$/, "");
  throw new Fault({
    code: "E_USAGE",
    message: `Cannot use ${quoted(argument)}: it names a server, but no place on it`,
    hint:
      `write ${quoted(`${server}:/module/path`)}; "blit list ${shown(server)}" shows the ` +
      `modules, and a local file of that name is ${quoted(`./${argument}`)}`,
  });
}

/** The place as it is typed with nothing left out but the default port. */
export function formatPlace(place: Omit<PlaceEndpoint, "kind" | "typed">): string {
  const host = place.host.includes(":") ? `[${place.host}]` : place.host;
  const port = place.port === DEFAULT_PORT ? "" : `:${place.port}`;
  const module = Buffer.from(place.module).toString("latin1");
  return `${host}${port}:/${module}/${place.path}`;
}

function splitHost(argument: string): { host: string; rest: string } {
  if (argument.startsWith("[")) return splitBracketed(argument);
  const slash = argument.indexOf("/");
  const colon = argument.indexOf(":");
  if (slash >= 0 && (colon < 0 || slash < colon)) {
    throw notUnderstood(argument, "there is no colon between the server and the path");
  }
  const host = colon < 0 ? argument : argument.slice(0, colon);
  if (host === "") throw notUnderstood(argument, "there is no server before the colon");
  if (!isHostName(host)) throw notUnderstood(argument, `${quoted(host)} is no name of a server`);
  return { host, rest: colon < 0 ? "" : argument.slice(colon) };
}

function splitBracketed(argument: string): { host: string; rest: string } {
  const end = argument.indexOf("]");
  const host = argument.slice(1, Math.max(end, 1));
  const rest = argument.slice(end + 1);
  const isWell = end > 0 && isAddressV6(host) && (rest === "" || rest.startsWith(":"));
  if (!isWell) throw notUnderstood(argument, "an IPv6 address in brackets is followed by a colon");
  return { host, rest };
}

/** RFC 1123 names (with the underscores that are in use) and IPv4 addresses. */
function isHostName(host: string): boolean {
  return host.length <= 253 && /^[A-Za-z0-9_]([A-Za-z0-9._-]*[A-Za-z0-9_.])?$/.test(host);
}

/** Good enough to tell an address from anything else; the resolver has the last word. */
function isAddressV6(host: string): boolean {
  const [address = "", zone] = host.split("%", 2);
  if (zone !== undefined && !/^[A-Za-z0-9._-]+$/.test(zone)) return false;
  return /^[0-9A-Fa-f:.]+$/.test(address) && address.split(":").length >= 3;
}

function portOf(argument: string, digits: string): number {
  const port = Number(digits);
  if (digits.length <= 5 && port >= 1 && port <= 65_535) return port;
  throw new Fault({
    code: "E_USAGE",
    message: `Cannot use ${quoted(argument)}: ${digits} is no port`,
    hint: "ports go from 1 to 65535",
  });
}

/** `path` begins with the slash before the module. */
function placeOf(
  argument: string,
  parts: { readonly host: string; readonly port: number; readonly path: string },
): PlaceEndpoint {
  const { host, port, path } = parts;
  const end = path.indexOf("/", 1);
  const server = argument.slice(0, argument.length - path.length);
  if (end < 0) throw withoutSlash(argument, server.replace(/:?$/, ":"), path.slice(1));
  const module = shown(path.slice(1, end));
  if (module === "." || module === "..") {
    throw notUnderstood(argument, `"${module}" is no name of a module`);
  }
  const below = path.slice(end + 1).replace(/^\/+/, "");
  return { kind: "place", host, port, module, path: below, typed: argument };
}

/** `server:/name`: a module without the slash behind it, or a path of the default export. */
function withoutSlash(argument: string, server: string, name: string): Fault {
  if (name === "") {
    return new Fault({
      code: "E_USAGE",
      message: `Cannot use ${quoted(argument)}: it names no module`,
      hint:
        `write ${quoted(`${server}/module/`)} for a module, or ${quoted(`${server}//`)} for ` +
        "what the server exports by default",
    });
  }
  return new Fault({
    code: "E_USAGE",
    message: `Cannot use ${quoted(argument)}: it could be a module or a path`,
    hint:
      `write ${quoted(`${server}/${name}/`)} for the module, or ${quoted(`${server}//${name}`)} ` +
      "for the path in what the server exports by default",
  });
}

function whyNot(argument: string, host: string, afterColon: string): string {
  const isBareV6 = isAddressV6(argument.split("/")[0] ?? "") && /^[0-9A-Fa-f]+$/.test(host);
  if (isBareV6) return "an IPv6 address needs brackets";
  return afterColon === ""
    ? "there is nothing behind the colon"
    : "behind the colon of a server comes a slash or a port";
}

function notUnderstood(argument: string, why: string): Fault {
  return new Fault({
    code: "E_USAGE",
    message: `Cannot use ${quoted(argument)} as a place on a server: ${why}`,
    hint:
      'places are written "server:/module/path" or "server:9031:/module/path"; a local file of ' +
      `that name is ${quoted(`./${argument}`)}`,
  });
}

function quoted(text: string): string {
  return `"${shown(text)}"`;
}

/** latin1 to text; what is no UTF-8 is replaced, since this is only shown. */
function shown(latin1: string): string {
  return Buffer.from(latin1, "latin1").toString("utf8");
}
