import * as http2 from "node:http2";
import * as net from "node:net";
import * as tls from "node:tls";
import { Fault } from "../../kit/fault/fault.ts";
import type { FirstContact } from "./known-hosts.ts";
import { CONNECTION_WINDOW_BYTES, HEADER_BYTES_MAX, STREAM_WINDOW_BYTES } from "./limits.ts";
import { canonicalAddress, hostAndPort } from "./peer-address.ts";
import { type ServerTrust, verifyServer } from "./server-trust.ts";

/** How a client and a daemon make sure of each other. */
export type ClientSecurity =
  | {
      readonly kind: "plain";
      readonly token?: string | undefined;
      /** The token may go in clear over a network. */
      readonly allowsClearToken?: boolean;
    }
  | {
      readonly kind: "tls";
      readonly trust: ServerTrust;
      /** PEM texts of the client's own certificate. */
      readonly identity?: { readonly cert: string; readonly key: string } | undefined;
      readonly token?: string | undefined;
    };

/** A connection whose other end is known and speaks HTTP/2. */
export type Dialled = {
  readonly session: http2.ClientHttp2Session;
  readonly socket: MaybeTlsSocket;
  /** As in URLs: scheme, host, port. */
  readonly authority: string;
  /** Of the other end, numeric. */
  readonly address: string;
  /** undefined: plain. */
  readonly certificateSha256: string | undefined;
};

type MaybeTlsSocket = net.Socket & Partial<tls.TLSSocket>;

type Endpoint = { readonly host: string; readonly port: number };

type DialOptions = { readonly timeoutMs: number; readonly signal?: AbortSignal };

/** @throws Fault E_NETWORK, E_AUTH; E_INTERRUPTED when the signal says so */
export async function dial(
  endpoint: Endpoint,
  security: ClientSecurity,
  options: DialOptions,
): Promise<Dialled> {
  let wasAsked = false;
  const noting = notingQuestions(security, () => {
    wasAsked = true;
  });
  try {
    const dialled = await dialOnce(endpoint, noting, options);
    if (!wasAsked) return dialled;
    dialled.session.destroy();
  } catch (error) {
    if (!wasAsked || !(error instanceof Fault) || error.code !== "E_NETWORK") throw error;
  }
  // The daemon does not wait for as long as a person may think, so this is a connection of its own;
  // what the person has decided is noted by now.
  return dialOnce(endpoint, security, options);
}

function notingQuestions(security: ClientSecurity, onAsked: () => void): ClientSecurity {
  if (security.kind === "plain" || security.trust.kind !== "known-hosts") return security;
  const { acceptsFirst } = security.trust;
  if (acceptsFirst === undefined) return security;
  const noting = (contact: FirstContact): boolean | Promise<boolean> => {
    onAsked();
    return acceptsFirst(contact);
  };
  return { ...security, trust: { ...security.trust, acceptsFirst: noting } };
}

async function dialOnce(
  endpoint: Endpoint,
  security: ClientSecurity,
  options: DialOptions,
): Promise<Dialled> {
  const deadline = new Deadline(endpoint, options);
  try {
    const socket = await deadline.socket(openSocket(endpoint, security), security);
    const certificateSha256 =
      security.kind === "plain"
        ? undefined
        : // Nothing but the handshake has gone over the connection when this refuses. A question
          // to the user may take longer than the deadline.
          await deadline.pausedFor(() => verifyServer(socket, endpoint, security.trust));
    const scheme = security.kind === "plain" ? "http" : "https";
    const authority = `${scheme}://${hostAndPort(endpoint.host, endpoint.port)}`;
    const session = http2.connect(authority, {
      createConnection: () => socket,
      maxSessionMemory: 64,
      settings: {
        initialWindowSize: STREAM_WINDOW_BYTES,
        maxHeaderListSize: HEADER_BYTES_MAX,
        enablePush: false,
      },
    });
    await deadline.firstSettings(session, security);
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    const address = canonicalAddress(socket.remoteAddress ?? "");
    return { session, socket, authority: new URL(authority).origin, address, certificateSha256 };
  } finally {
    deadline.stop();
  }
}

function openSocket(endpoint: Endpoint, security: ClientSecurity): MaybeTlsSocket {
  const { host, port } = endpoint;
  if (security.kind === "plain")
    return net.connect({ host, port, noDelay: true }) as MaybeTlsSocket;
  return tls.connect({
    host,
    port,
    // RFC 6066, section 3: no addresses.
    ...(net.isIP(host) === 0 ? { servername: host } : {}),
    ALPNProtocols: ["h2"],
    minVersion: "TLSv1.3",
    ...(security.identity === undefined ? {} : security.identity),
    // Decided in words by verifyServer(), before anything is said.
    rejectUnauthorized: false,
    ...(security.trust.kind === "ca" ? { ca: security.trust.ca } : {}),
  });
}

/** One time limit over all steps, and what to say at each of them. */
class Deadline {
  readonly #endpoint: Endpoint;
  readonly #shown: string;
  readonly #timeoutMs: number;
  readonly #signal: AbortSignal | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #fail: (fault: Fault) => void = () => undefined;
  readonly #onAbort = (): void =>
    this.#fail(new Fault({ code: "E_INTERRUPTED", message: `Gave up on "${this.#shown}"` }));

  constructor(endpoint: Endpoint, options: DialOptions) {
    this.#endpoint = endpoint;
    this.#shown = hostAndPort(endpoint.host, endpoint.port);
    this.#timeoutMs = options.timeoutMs;
    this.#signal = options.signal;
    this.#signal?.addEventListener("abort", this.#onAbort);
    this.#start();
  }

  #start(): void {
    this.#timer = setTimeout(
      () =>
        this.#fail(
          new Fault({
            code: "E_NETWORK",
            message: `Cannot reach "${this.#shown}": no answer in ${this.#timeoutMs / 1000} s`,
            hint: "is the address right, and does a firewall let the port through?",
          }),
        ),
      this.#timeoutMs,
    );
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }

  async pausedFor<T>(step: () => Promise<T>): Promise<T> {
    clearTimeout(this.#timer);
    const result = await step();
    this.#start();
    return result;
  }

  /** Until the connection is there, encrypted where it should be. */
  socket<S extends MaybeTlsSocket>(socket: S, security: ClientSecurity): Promise<S> {
    const { promise, resolve, reject } = Promise.withResolvers<S>();
    let isConnected = false;
    const onError = (error: NodeJS.ErrnoException): void =>
      this.#fail(
        isConnected && security.kind === "tls"
          ? this.#notEncrypted(error)
          : unreachable(this.#endpoint, this.#shown, error),
      );
    this.#fail = (fault) => {
      reject(fault);
      socket.destroy();
    };
    const onClose = (): void => onError(new Error("it closed the connection"));
    const onReady = (): void => {
      socket.off("error", onError);
      socket.off("close", onClose);
      resolve(socket);
    };
    // Also when the next steps have listeners of their own.
    socket.on("error", () => undefined);
    socket.on("error", onError);
    socket.once("close", onClose);
    socket.once("connect", () => {
      isConnected = true;
      if (security.kind === "plain") onReady();
    });
    socket.once("secureConnect", onReady);
    if (this.#signal?.aborted === true) this.#onAbort();
    return promise;
  }

  /** Until the other end has shown that it speaks HTTP/2. */
  firstSettings(session: http2.ClientHttp2Session, security: ClientSecurity): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#fail = (fault) => {
      reject(fault);
      session.destroy();
    };
    session.once("remoteSettings", () => {
      this.#fail = () => undefined;
      resolve();
    });
    session.on("error", () => this.#fail(this.#notOurs(security)));
    session.once("close", () => this.#fail(this.#notOurs(security)));
    if (this.#signal?.aborted === true) this.#onAbort();
    return promise;
  }

  #notEncrypted(error: Error): Fault {
    return new Fault({
      code: "E_NETWORK",
      message: `Cannot encrypt the connection to "${this.#shown}": ${error.message}`,
      hint: "does the daemon there speak TLS? if not, leave out --tls",
      cause: error,
    });
  }

  #notOurs(security: ClientSecurity): Fault {
    return new Fault({
      code: "E_NETWORK",
      message: `"${this.#shown}" closed the connection before it answered`,
      hint:
        security.kind === "plain"
          ? "is it a blitd, does it want --tls, and does it let this machine in?"
          : "does the daemon let this machine in, and is it at its limit of connections?",
    });
  }
}

function unreachable(endpoint: Endpoint, shown: string, error: NodeJS.ErrnoException): Fault {
  const { message, hint } = reasonOf(endpoint, error);
  return new Fault({
    code: "E_NETWORK",
    message: `Cannot reach "${shown}": ${message}`,
    hint,
    cause: error,
  });
}

function reasonOf(
  endpoint: Endpoint,
  error: NodeJS.ErrnoException,
): { message: string; hint: string } {
  switch (error.code) {
    case "ECONNREFUSED":
      return {
        message: "nothing listens there",
        hint: `is blitd running on ${endpoint.host}, with port ${endpoint.port}?`,
      };
    case "ENOTFOUND":
    case "EAI_AGAIN":
    case "EAI_FAIL":
    case "EAI_NODATA":
      return { message: "the name has no address", hint: "check the spelling of the host" };
    case "EHOSTUNREACH":
    case "ENETUNREACH":
      return { message: "there is no route to it", hint: "check the network" };
    case "ETIMEDOUT":
      return { message: "no answer", hint: "does a firewall let the port through?" };
    default:
      return { message: error.message, hint: "check the address and the network" };
  }
}
