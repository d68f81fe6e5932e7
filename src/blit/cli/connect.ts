import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { type Environment, xdgPaths } from "../../kit/config/paths.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { reasonOf } from "../../kit/fault/reason.ts";
import type { Printer } from "../../kit/out/printer.ts";
import type { ConnectOptions, ControlClient, ControlEndpoint } from "../control/client.ts";
import type { ClientSecurity } from "../control/dial.ts";
import type { FirstContact } from "../control/known-hosts.ts";
import type { ConnectionFlags } from "./connection-args.ts";

/** What says how a daemon is talked to. */
export type ConnectionWishes = {
  readonly flags: ConnectionFlags;
  readonly printer: Printer;
  readonly environment?: Environment;
};

/**
 * Connects to a daemon as the flags say: in clear, or over TLS with a certificate that is known, is
 * taken at the first contact, or is vouched for.
 *
 * @throws {Fault} E_NETWORK, E_AUTH, E_REFUSED; E_NOT_FOUND, E_IO for files that flags name
 */
export async function connectDaemon(
  endpoint: ControlEndpoint,
  wishes: ConnectionWishes,
  options?: ConnectOptions,
): Promise<ControlClient> {
  const [{ connectControl }, security] = await Promise.all([
    import("../control/client.ts"),
    securityFor(endpoint, wishes),
  ]);
  return connectControl(endpoint, security, options);
}

/** How a daemon is talked to. @throws {Fault} E_USAGE, E_NOT_FOUND, E_IO */
export async function securityFor(
  endpoint: ControlEndpoint,
  { flags, printer, environment = process.env }: ConnectionWishes,
): Promise<ClientSecurity> {
  const { ca, cert, key } = flags;
  if ((cert === undefined) !== (key === undefined)) {
    throw new Fault({
      code: "E_USAGE",
      message: "Cannot use --cert without --key, nor the other way round",
      hint: "a certificate is shown together with its private key",
    });
  }
  const token = flags["token-file"] === undefined ? undefined : readToken(flags["token-file"]);
  const { isKnownHost } = await import("../control/known-hosts.ts");
  const file = join(xdgPaths(environment).config, "blit", "known_hosts");
  const isTls = flags.tls || flags["accept-new"] || ca !== undefined || cert !== undefined;
  if (!isTls && !isKnownHost(file, endpoint)) return { kind: "plain", token };
  return {
    kind: "tls",
    token,
    trust:
      ca === undefined
        ? {
            kind: "known-hosts",
            file,
            acceptsFirst: (contact) => acceptsFirst(contact, flags["accept-new"], printer),
          }
        : { kind: "ca", ca: read(ca) },
    ...(cert === undefined || key === undefined
      ? {}
      : { identity: { cert: read(cert), key: readSecret(key) } }),
  };
}

/** A daemon that was never met: as ssh, its fingerprint is shown and a person decides. */
async function acceptsFirst(
  contact: FirstContact,
  isAccepted: boolean,
  printer: Printer,
): Promise<boolean> {
  const { endpoint, fingerprint } = contact;
  if (isAccepted) {
    printer.note(`"${endpoint}" is new; its certificate has the SHA-256 ${fingerprint}`);
    return true;
  }
  const { askOnTerminal } = await import("../../kit/cli/ask.ts");
  const question =
    `"${endpoint}" is not known. Its certificate has the SHA-256\n${fingerprint}\n` +
    "Is that what blitd says there? Take it from now on?";
  return (await askOnTerminal(printer, question)) === "yes";
}

function readToken(path: string): string {
  const token = readSecret(path).trim();
  if (token !== "" && !/\s/.test(token)) return token;
  throw new Fault({
    code: "E_CONFIG",
    message: `Cannot take a token from "${path}": it holds ${token === "" ? "none" : "more"}`,
    hint: "the file has the token alone in it, on one line",
  });
}

/** A file that only its owner may read. */
function readSecret(path: string): string {
  const text = read(path);
  const mode = statSync(path).mode & 0o077;
  if (mode === 0 || process.platform === "win32") return text;
  throw new Fault({
    code: "E_REFUSED",
    message: `Cannot use "${path}": others may read it`,
    hint: `chmod 600 "${path}"`,
  });
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === "ENOENT";
    throw new Fault({
      code: isMissing ? "E_NOT_FOUND" : "E_IO",
      message: `Cannot read "${path}": ${reasonOf(error)}`,
    });
  }
}
