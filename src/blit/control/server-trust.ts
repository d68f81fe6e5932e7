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

type MaybeTlsSocket = Socket & Partial<tls.TLSSocket>;

/**
 * Decides whether the other end is the right one, before anything is said to it.
 *
 * @returns SHA-256 of its certificate, lower-case hexadecimal
 * @throws Fault E_AUTH; the socket is destroyed
 */
export async function verifyServer(
  socket: MaybeTlsSocket,
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
    else checkAuthority(socket, endpoint.host, shown);
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

/** RFC 9525: the chain, and the name or address in the certificate. */
function checkAuthority(socket: MaybeTlsSocket, host: string, shown: string): void {
  if (socket.authorized !== true) {
    const reason = socket.authorizationError;
    throw new Fault({
      code: "E_AUTH",
      message: `The given authority does not vouch for "${shown}": ${reason ?? "it is unknown"}`,
      hint: "is it the right --ca, and is the daemon's certificate up to date?",
    });
  }
  const certificate = socket.getPeerCertificate?.();
  const wrong =
    certificate === undefined
      ? new Error("no certificate")
      : tls.checkServerIdentity(host, certificate);
  if (wrong === undefined) return;
  throw new Fault({
    code: "E_AUTH",
    message: `The certificate of "${shown}" is for another host: ${wrong.message}`,
    hint: "use a name that stands in the certificate",
  });
}
