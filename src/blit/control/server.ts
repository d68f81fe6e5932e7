import { constants } from "node:crypto";
import * as http2 from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import {
  Code,
  ConnectError,
  createConnectRouter,
  createContextKey,
  createContextValues,
  type HandlerContext,
} from "@connectrpc/connect";
import type { UniversalHandler } from "@connectrpc/connect/protocol";
import {
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import { Fault } from "../../kit/fault/fault.ts";
import { Admission, type Connection, type Dismissal } from "./admission.ts";
import { type TokenTable, tokenOwner } from "./bearer-tokens.ts";
import type { ControlHandlers, Peer } from "./calls.ts";
import { statusOf } from "./fault-status.ts";
import {
  CALLS_PER_CONNECTION_MAX,
  CONNECTION_WINDOW_BYTES,
  CONTROL_LIMITS,
  type ControlLimits,
  HEADER_BYTES_MAX,
  MESSAGE_BYTES_MAX,
  PING_TIMES,
  type PingTimes,
  STREAM_WINDOW_BYTES,
} from "./limits.ts";
import { watchSession } from "./ping.ts";
import { Blit } from "./proto/blit_pb.js";
import { type CallFacts, serviceOf } from "./service.ts";

/** Where and how the control plane listens. */
export type ControlServerOptions = {
  /** An address and a port (0 = any), or a listening socket that was handed over. */
  readonly listen: { readonly host: string; readonly port: number } | { readonly fd: number };
  /** Absent: plain. */
  readonly tls?: ServerTls;
  /** Absent: no token is asked for. An empty table lets nobody in. */
  readonly tokens?: TokenTable;
  readonly handlers: ControlHandlers;
  /** Looks at an address before anything is read; absent: all are let in. */
  admit?(peer: { readonly address: string; readonly port: number }): boolean;
  readonly limits?: Partial<ControlLimits>;
  readonly pingTimes?: PingTimes;
  /** For the daemon's log. Never gets secrets. */
  onEvent?(event: ControlEvent): void;
};

/** PEM texts. With `clientCa` a client must show a certificate from one of these. */
export type ServerTls = {
  readonly cert: string;
  readonly key: string;
  readonly clientCa?: string;
};

/** What happens beside the calls. */
export type ControlEvent =
  | { readonly kind: "dismissed"; readonly address: string; readonly reason: Dismissal }
  | { readonly kind: "refused"; readonly address: string; readonly reason: string }
  | { readonly kind: "handshake-failed"; readonly reason: string }
  | { readonly kind: "bug"; readonly call: string; readonly error: unknown };

/** A control plane that listens. */
export type ControlServer = {
  readonly address: string;
  readonly port: number;
  readonly connections: () => number;
  /** From the next call on. */
  setTokens(tokens: TokenTable | undefined): void;
  /**
   * Another certificate, from the next connection on.
   *
   * @throws Fault E_CONFIG when encryption or client certificates would begin or end: that needs a
   * new start
   */
  setTls(tls: ServerTls | undefined): void;
  /** Accepts no more connections and no more calls; those under way go on. */
  drain(): void;
  /** Ends everything: signals of calls are aborted, then connections closed. */
  close(): Promise<void>;
};

/** How long calls have to end when the daemon closes. */
const FAREWELL_MS = 500;

// A resumed session would vouch for a client by what its certificate was worth back then.
const SECURE_OPTIONS = constants.SSL_OP_NO_TICKET;

const SHUTTING_DOWN = new Fault({
  code: "E_TERMINATED",
  message: "The daemon is shutting down",
  hint: "try again when it is back",
});

const callFacts = createContextKey<CallFacts | undefined>(undefined);

/**
 * Listens for calls of the control plane: gRPC only, over HTTP/2 with prior knowledge or TLS 1.3.
 *
 * @throws Fault E_NETWORK when the address cannot be listened on
 */
export async function startControlServer(options: ControlServerOptions): Promise<ControlServer> {
  const plane = new ControlPlane(options);
  const server = createHttp2Server(options.tls);
  plane.attach(server);
  await listen(server, options.listen);
  const bound = server.address() as AddressInfo | null;
  return {
    address: bound?.address ?? "",
    port: bound?.port ?? 0,
    connections: () => plane.admission.size,
    setTokens: (tokens) => plane.setTokens(tokens),
    setTls: (tls) => replaceTls(server, options.tls, tls),
    drain: () => {
      server.close();
      plane.drain();
    },
    close: async () => {
      server.close();
      await plane.close();
    },
  };
}

type AnyServer = http2.Http2Server | http2.Http2SecureServer;

function createHttp2Server(tls: ServerTls | undefined): AnyServer {
  const common = {
    settings: {
      initialWindowSize: STREAM_WINDOW_BYTES,
      maxConcurrentStreams: CALLS_PER_CONNECTION_MAX,
      maxHeaderListSize: HEADER_BYTES_MAX,
      enablePush: false,
    },
    // MiB. The default of 10 is less than what the windows allow to be under way.
    maxSessionMemory: 64,
  };
  if (tls === undefined) return http2.createServer(common);
  return http2.createSecureServer({
    ...common,
    cert: tls.cert,
    key: tls.key,
    minVersion: "TLSv1.3",
    secureOptions: SECURE_OPTIONS,
    ALPNProtocols: ["h2"],
    allowHTTP1: false,
    // Who shows a wrong certificate, or none, is told so by the first call: see gate().
    requestCert: tls.clientCa !== undefined,
    rejectUnauthorized: false,
    ...(tls.clientCa === undefined ? {} : { ca: tls.clientCa }),
  });
}

function replaceTls(
  server: AnyServer,
  first: ServerTls | undefined,
  next: ServerTls | undefined,
): void {
  const isSameKind =
    (first === undefined) === (next === undefined) &&
    (first?.clientCa === undefined) === (next?.clientCa === undefined);
  if (!isSameKind) {
    throw new Fault({
      code: "E_CONFIG",
      message: "Cannot switch TLS or client certificates on or off while the daemon runs",
      hint: "restart blitd",
    });
  }
  if (next === undefined || !("setSecureContext" in server)) return;
  const { cert, key, clientCa } = next;
  server.setSecureContext({
    cert,
    key,
    minVersion: "TLSv1.3",
    secureOptions: SECURE_OPTIONS,
    ...(clientCa === undefined ? {} : { ca: clientCa }),
  });
}

function listen(server: AnyServer, where: ControlServerOptions["listen"]): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      const place = "fd" in where ? "the socket handed over" : `${where.host} port ${where.port}`;
      const reason = error.code === "EADDRINUSE" ? "it is in use" : error.message;
      reject(
        new Fault({
          code: "E_NETWORK",
          message: `Cannot listen on ${place}: ${reason}`,
          hint: error.code === "EADDRINUSE" ? "is another blitd running?" : undefined,
          cause: error,
        }),
      );
    };
    server.once("error", onError);
    server.listen("fd" in where ? { fd: where.fd } : { ...where, backlog: 512 }, () => {
      server.off("error", onError);
      server.on("error", () => undefined);
      resolve();
    });
  });
}

type Routes = ReadonlyMap<string, UniversalHandler>;

/** What stands between the sockets and the handlers. */
class ControlPlane {
  readonly admission: Admission;
  readonly #options: ControlServerOptions;
  readonly #limits: ControlLimits;
  readonly #shutdown = new AbortController();
  readonly #sessions = new Set<http2.ServerHttp2Session>();
  #tokens: TokenTable | undefined;
  #isDraining = false;
  #calls = 0;

  constructor(options: ControlServerOptions) {
    this.#options = options;
    this.#limits = { ...CONTROL_LIMITS, ...options.limits };
    this.#tokens = options.tokens;
    this.admission = new Admission({
      limits: this.#limits,
      admit: (peer) => options.admit?.(peer) ?? true,
      onDismissed: ({ address }, reason) => this.#tell({ kind: "dismissed", address, reason }),
    });
  }

  setTokens(tokens: TokenTable | undefined): void {
    this.#tokens = tokens;
  }

  drain(): void {
    this.#isDraining = true;
    // GOAWAY: what is under way goes on.
    for (const session of this.#sessions) session.close();
  }

  async close(): Promise<void> {
    this.#isDraining = true;
    this.#shutdown.abort(statusOf(SHUTTING_DOWN));
    // Handlers that listen to their signal still tell their callers why.
    for (let waitedMs = 0; this.#calls > 0 && waitedMs < FAREWELL_MS; waitedMs += 5) {
      await Bun.sleep(5);
    }
    for (const session of this.#sessions) session.destroy();
    this.admission.close();
  }

  attach(server: AnyServer): void {
    server.on("connection", (socket: Socket) => this.admission.enter(socket));
    server.on("session", (session) => this.#openSession(session));
    server.on("sessionError", () => undefined);
    server.on("tlsClientError", (error: Error) =>
      this.#tell({ kind: "handshake-failed", reason: error.message }),
    );
    const routes = this.#routes();
    server.on("request", (request, response) => {
      // Nothing that a stranger sends may throw out of here: it would end the daemon.
      this.#answer(routes, request, response).catch(() => {
        request.stream.close(http2.constants.NGHTTP2_PROTOCOL_ERROR);
      });
    });
  }

  async #answer(
    routes: Routes,
    request: http2.Http2ServerRequest,
    response: http2.Http2ServerResponse,
  ): Promise<void> {
    const handler = routes.get((request.url ?? "").split("?", 1)[0] ?? "");
    const facts = this.#factsOf(request);
    if (handler === undefined || facts === undefined) {
      response.writeHead(404);
      response.end();
      return;
    }
    const values = createContextValues().set(callFacts, facts);
    // Throws for headers such as an authority that is none.
    const call = universalRequestFromNodeRequest(request, response, undefined, values);
    const timer = setTimeout(
      () => request.stream.close(http2.constants.NGHTTP2_CANCEL),
      this.#limits.firstMessageMs,
    );
    facts.onFirstMessage = () => clearTimeout(timer);
    facts.connection.calls++;
    this.#calls++;
    request.once("close", () => {
      clearTimeout(timer);
      facts.connection.calls--;
      this.#calls--;
      facts.connection.lastActiveAt = performance.now();
    });
    const answer = await handler(call);
    // Fails where the peer has gone while it was written to: its signal has told the handler.
    await universalResponseToNodeResponse(answer, response);
  }

  #openSession(session: http2.ServerHttp2Session): void {
    this.#sessions.add(session);
    session.on("error", () => undefined);
    session.setLocalWindowSize(CONNECTION_WINDOW_BYTES);
    const stop = watchSession(session, this.#options.pingTimes ?? PING_TIMES, () =>
      session.destroy(),
    );
    session.once("close", () => {
      stop();
      this.#sessions.delete(session);
    });
  }

  #routes(): Routes {
    const router = createConnectRouter({
      grpc: true,
      connect: false,
      grpcWeb: false,
      // Answers would be compressed by default, and then no window holds them back.
      acceptCompression: [],
      readMaxBytes: MESSAGE_BYTES_MAX,
      writeMaxBytes: MESSAGE_BYTES_MAX,
      shutdownSignal: this.#shutdown.signal,
      requestGate: (context) => this.#gate(context),
    });
    const service = serviceOf(this.#options.handlers, {
      factsOf: (context) => context.values.get(callFacts),
      onBug: (call, error) => this.#tell({ kind: "bug", call, error }),
    });
    router.service(Blit, service);
    return new Map(router.handlers.map((handler) => [handler.requestPath, handler]));
  }

  #factsOf(request: http2.Http2ServerRequest): CallFacts | undefined {
    const session = request.stream.session;
    const socket = session?.socket as (Socket & Partial<TLSSocket>) | undefined;
    const connection = socket === undefined ? undefined : this.#connectionOf(socket);
    if (socket === undefined || connection === undefined) return undefined;
    return {
      connection,
      socket,
      peer: peerOf(connection, socket),
      onFirstMessage: () => undefined,
    };
  }

  #connectionOf(socket: Socket): Connection | undefined {
    return this.admission.of(socket);
  }

  /** Lets a call in, or not, before any of its messages is read. */
  #gate(context: HandlerContext): void {
    const facts = context.values.get(callFacts);
    if (facts === undefined) throw new ConnectError("no connection", Code.Internal);
    if (this.#isDraining) {
      throw statusOf(SHUTTING_DOWN);
    }
    try {
      this.#checkCertificate(facts);
      this.#checkToken(facts, context);
    } catch (error) {
      const { address } = facts.connection;
      if (error instanceof Fault) this.#tell({ kind: "refused", address, reason: error.message });
      this.admission.refused(facts.connection);
      throw statusOf(error);
    }
    this.admission.admitted(facts.connection);
  }

  #checkCertificate(facts: CallFacts): void {
    if (this.#options.tls?.clientCa === undefined || facts.peer.certificateName !== undefined) {
      return;
    }
    const has = facts.peer.certificateSha256 !== undefined;
    throw new Fault({
      code: "E_AUTH",
      message: has
        ? "The daemon does not know who has signed your certificate"
        : "The daemon asks for a client certificate",
      hint: "give one that its operator has signed, with --cert and --key",
    });
  }

  #checkToken(facts: CallFacts, context: HandlerContext): void {
    if (this.#tokens === undefined) return;
    const header = context.requestHeader.get("authorization");
    const tokenName = tokenOwner(this.#tokens, header);
    if (tokenName !== undefined) {
      facts.peer = { ...facts.peer, tokenName };
      return;
    }
    // Whoever has no token may learn that one is needed, and nothing else: see service.ts.
    if (context.method === Blit.method.ping && header === null) return;
    throw new Fault({
      code: "E_AUTH",
      message:
        header === null ? "The daemon asks for a token" : "The daemon does not take this token",
      hint: "give one with --token-file; its operator makes them",
    });
  }

  #tell(event: ControlEvent): void {
    this.#options.onEvent?.(event);
  }
}

function peerOf(connection: Connection, socket: Socket & Partial<TLSSocket>): Peer {
  const certificate = socket.getPeerX509Certificate?.();
  const isVouchedFor = certificate !== undefined && socket.authorized === true;
  const name = /^CN=(.*)$/m.exec(certificate?.subject ?? "")?.[1] ?? "";
  return {
    address: connection.address,
    port: connection.port,
    isEncrypted: socket.encrypted === true,
    certificateSha256: certificate?.fingerprint256.replaceAll(":", "").toLowerCase(),
    certificateName: isVouchedFor ? name : undefined,
    tokenName: undefined,
  };
}
