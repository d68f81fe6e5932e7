import { hostname, networkInterfaces } from "node:os";
import { join } from "node:path";
import { type Environment, xdgPaths } from "../../kit/config/paths.ts";
import {
  type LoadedIdentity,
  loadCertificates,
  loadIdentity,
  loadOrMakeIdentity,
} from "../control/identity.ts";
import type { ServerTls } from "../control/server.ts";
import type { DaemonSettings } from "./settings.ts";

/** What the control plane is encrypted with, and the fingerprint for the log. */
export type DaemonTls = ServerTls & {
  readonly certificateSha256: string;
  /** Where a certificate was made just now. */
  readonly madeIn: string | undefined;
};

/**
 * Reads the certificate of the config; without one, the daemon's own, which is made at the first
 * start and stays, so that clients know it again.
 *
 * @returns undefined: TLS is off
 * @throws {Fault} E_CONFIG, E_REFUSED, E_NOT_FOUND, E_IO for its files
 */
export function daemonTls(
  { tls }: Pick<DaemonSettings, "tls">,
  environment: Environment,
): DaemonTls | undefined {
  if (!tls.enabled) return undefined;
  const clientCa = tls.client_ca === undefined ? {} : { clientCa: loadCertificates(tls.client_ca) };
  const { certificate, key } = tls;
  if (certificate !== undefined && key !== undefined) {
    const given = loadIdentity({ certFile: certificate, keyFile: key });
    return { ...pick(given), ...clientCa, madeIn: undefined };
  }
  const folder = stateFolder(environment);
  const own = loadOrMakeIdentity({
    certFile: join(folder, "blitd.crt"),
    keyFile: join(folder, "blitd.key"),
    commonName: hostname().slice(0, 64),
    names: ownNames(),
  });
  return { ...pick(own), ...clientCa, madeIn: own.isNew ? folder : undefined };
}

function pick({ cert, key, certificateSha256 }: LoadedIdentity) {
  return { cert, key, certificateSha256 };
}

/** systemd names a folder for what a service keeps; root has one of the system's. */
function stateFolder(environment: Environment): string {
  const named = environment["STATE_DIRECTORY"]?.split(":")[0];
  if (named !== undefined && named !== "") return named;
  return process.geteuid?.() === 0 && environment["XDG_STATE_HOME"] === undefined
    ? "/var/lib/blit"
    : join(xdgPaths(environment).state, "blit");
}

/** Under which names clients may call this machine. */
function ownNames(): string[] {
  const addresses = Object.values(networkInterfaces()).flatMap((list) =>
    (list ?? []).map(({ address }) => address.replace(/%.*$/, "")),
  );
  return [...new Set([hostname(), "localhost", ...addresses])];
}
