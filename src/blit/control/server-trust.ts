import { timingSafeEqual } from "node:crypto";
import type { Socket } from "node:net";
import * as tls from "node:tls";
import { Fault } from "../../kit/fault/fault.ts";
import { checkKnownHost, type KnownHosts } from "./known-hosts.ts";
import { hostAndPort } from "./peer-address.ts";

/** By what a client knows that a daemon is the right one. */
export type ServerTrust =
  /** Its certificate is the one of last time, as ssh does it. */
  | ({ readonly kind: "known-hosts" } & KnownHosts)
  /** One of these authorities (PEM) has signed its certificate, which names the host. */
  | { readonly kind: "ca"; readonly ca: string }
  /** Its certificate (DER) has this SHA-256, hexadecimal. */
  | { readonly kind: "pinned"; readonly certificateSha256: string };

/** What the handshake itself checks. */
export function tlsTrustOptions(trust: ServerTrust, host: string): tls.ConnectionOptions {
  // What is pinned is compared after the handshake: see verifyServer().
  if (trust.kind !== "ca") return { rejectUnauthorized: false };
  return {
    ca: trust.ca,
    rejectUnauthorized: true,
    checkServerIdentity: (_, certificate) => tls.checkServerIdentity(host, certificate),
  };
}

/**
 * Decides whether the other end is the right one, before anything is said to it.
 *
 * @returns SHA-256 of its certificate, lower-case hexadecimal
 * @throws Fault E_AUTH; the socket is destroyed
 */
export async function verifyServer(
  socket: Socket & Partial<tls.TLSSocket>,
  endpoint: { readonly host: string; readonly port: number },
  trust: ServerTrust,
): Promise<string> {
  try {
    const shown = hostAndPort(endpoint.host, endpoint.port);
    const certificate = socket.getPeerX509Certificate?.();
    if (certificate === undefined) {
      throw new Fault({ code: "E_AUTH", message: `"${shown}" has shown no certificate` });
    }
    const sha256 = certificate.fingerprint256.replaceAll(":", "").toLowerCase();
    if (trust.kind === "known-hosts") await checkKnownHost(trust, endpoint, sha256);
    else if (trust.kind === "pinned") checkPin(sha256, trust.certificateSha256, shown);
    else if (socket.authorized !== true) throw notSigned(shown, socket.authorizationError);
    if (socket.alpnProtocol !== "h2") {
      throw new Fault({
        code: "E_NETWORK",
        message: `"${shown}" does not speak HTTP/2`,
        hint: "is it a blitd?",
      });
    }
    return sha256;
  } catch (error) {
    socket.destroy();
    throw error;
  }
}

function checkPin(shownHash: string, pinned: string, shown: string): void {
  const [a, b] = [Buffer.from(shownHash, "hex"), Buffer.from(pinned, "hex")];
  if (a.length === 32 && b.length === 32 && timingSafeEqual(a, b)) return;
  throw new Fault({
    code: "E_AUTH",
    message: `"${shown}" shows another certificate than it should`,
    hint: "someone may stand between you and it; ask its operator",
    details: { shown: shownHash, expected: pinned },
  });
}

function notSigned(shown: string, reason: unknown): Fault {
  return new Fault({
    code: "E_AUTH",
    message: `"${shown}" shows a certificate that the given CA does not vouch for: ${reason}`,
  });
}
