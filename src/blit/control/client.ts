import type { ClientHttp2Session } from "node:http2";
import { Code, ConnectError, createClient, type Interceptor } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { Fault } from "../../kit/fault/fault.ts";
import type { CallOptions, ControlCalls } from "./calls.ts";
import { type ClientSecurity, type Dialled, dial } from "./dial.ts";
import { faultOfStatus } from "./fault-status.ts";
import { MESSAGE_BYTES_MAX, PING_TIMES, type PingTimes } from "./limits.ts";
import { hostAndPort, isLoopback } from "./peer-address.ts";
import { watchSession } from "./ping.ts";
import { Blit } from "./proto/blit_pb.js";

/** Where a daemon is. */
export type ControlEndpoint = { readonly host: string; readonly port: number };

export type ConnectOptions = {
  /** Connection, encryption and first answer together; default 10 s. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
  readonly pingTimes?: PingTimes;
};

/** A connection to a daemon's control plane. It is one connection: it never dials again. */
export type ControlClient = ControlCalls & {
  /** "host:port", for messages. */
  readonly endpoint: string;
  /** Of the daemon, numeric: where its data port is. */
  readonly address: string;
  readonly isEncrypted: boolean;
  /** SHA-256 of the daemon's certificate, lower-case hexadecimal. */
  readonly certificateSha256: string | undefined;
  /** As CallContext.exporter, with the same result. */
  exporter(label: string, context: Uint8Array, bytes?: number): Buffer | undefined;
  /**
   * How long a round trip takes, in milliseconds; `limitMs` where it takes longer than that, 0 to
   * this machine itself.
   */
  roundTripMs(limitMs: number): Promise<number>;
  /** When the connection has ended; the Fault says why unless close() did it. */
  readonly ended: Promise<Fault | undefined>;
  /** Calls under way are cut off. */
  close(): void;
};

const CONNECT_TIMEOUT_MS = 10_000;

/**
 * Connects, and returns when the daemon is known to be the right one and to speak HTTP/2.
 *
 * @throws Fault E_NETWORK when nobody answers, E_AUTH when it is not who it should be, E_REFUSED
 * when a token would go over the network in clear
 */
export async function connectControl(
  endpoint: ControlEndpoint,
  security: ClientSecurity,
  options: ConnectOptions = {},
): Promise<ControlClient> {
  const shown = hostAndPort(endpoint.host, endpoint.port);
  const dialled = await dial(endpoint, security, {
    timeoutMs: options.timeoutMs ?? CONNECT_TIMEOUT_MS,
    ...(options.signal === undefined ? {} : { signal: options.signal }),
  });
  if (security.token !== undefined) refuseClearToken(security, dialled, shown);
  const link = new Link(dialled, shown, options.pingTimes ?? PING_TIMES);
  return { ...callsOver(link, security.token), ...link.facts() };
}

/** A token in clear can be read and used by everybody on the way. */
function refuseClearToken(security: ClientSecurity, dialled: Dialled, shown: string): void {
  if (security.kind !== "plain" || security.allowsClearToken === true) return;
  if (isLoopback(dialled.address)) return;
  dialled.session.destroy();
  throw new Fault({
    code: "E_REFUSED",
    message: `Cannot send the token to "${shown}": the connection is not encrypted`,
    hint: "use --tls, or leave out the token",
  });
}

/** The one HTTP/2 session of a client, and how it ends. */
class Link {
  readonly session: ClientHttp2Session;
  readonly shown: string;
  readonly authority: string;
  readonly #dialled: Dialled;
  readonly #ended = Promise.withResolvers<Fault | undefined>();
  #reason: Fault | undefined;
  #isClosing = false;

  constructor(dialled: Dialled, shown: string, pingTimes: PingTimes) {
    this.session = dialled.session;
    this.shown = shown;
    this.authority = dialled.authority;
    this.#dialled = dialled;
    const stop = watchSession(this.session, pingTimes, () => {
      this.#reason = new Fault({
        code: "E_STALL",
        message: `"${shown}" has stopped answering`,
        hint: "is the daemon's machine up, and the network on the way to it?",
      });
      this.session.destroy();
    });
    this.session.on("error", (error: Error) => {
      this.#reason ??= faultOfStatus(error, shown);
    });
    this.session.once("close", () => {
      stop();
      this.#ended.resolve(this.#isClosing ? undefined : (this.#reason ?? this.#hungUp()));
    });
    if (this.session.destroyed) this.#ended.resolve(this.#hungUp());
  }

  facts() {
    const { address, certificateSha256, socket } = this.#dialled;
    return {
      endpoint: this.shown,
      address,
      certificateSha256,
      isEncrypted: certificateSha256 !== undefined,
      exporter: (label: string, about: Uint8Array, bytes = 32): Buffer | undefined =>
        certificateSha256 === undefined
          ? undefined
          : socket.exportKeyingMaterial?.(bytes, label, Buffer.from(about)),
      roundTripMs: async (limitMs: number) => {
        if (isLoopback(address)) return 0;
        const first = await this.#roundTripMs(limitMs);
        // The first one may have waited for either side to compile what it takes.
        return first < limitMs ? first : await this.#roundTripMs(limitMs);
      },
      ended: this.#ended.promise,
      close: (): void => {
        this.#isClosing = true;
        this.session.destroy();
      },
    };
  }

  #roundTripMs(limitMs: number): Promise<number> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(limitMs), limitMs);
      const onAnswer = (error: Error | null, durationMs: number): void => {
        clearTimeout(timer);
        resolve(error === null ? Math.min(durationMs, limitMs) : limitMs);
      };
      // A session that has ended takes none; the next call says why.
      if (this.session.destroyed || !this.session.ping(onAnswer)) resolve(limitMs);
    });
  }

  /**
   * What is wrong with a call. What ended the connection says more than what the call has met, and
   * a call that its caller has not cancelled was ended by the other side.
   */
  fault(error: unknown, signal: AbortSignal | undefined): Fault {
    const own = faultOfStatus(error, this.shown);
    if (own.code === "E_NETWORK") return this.#reason ?? own;
    if (!(error instanceof ConnectError) || error.code !== Code.Canceled) return own;
    if (signal?.aborted === true || this.#isClosing) return own;
    return this.#reason ?? this.#hungUp();
  }

  request(): ClientHttp2Session {
    if (this.session.destroyed || this.session.closed) throw this.#reason ?? this.#hungUp();
    return this.session;
  }

  #hungUp(): Fault {
    return new Fault({
      code: "E_NETWORK",
      message: `"${this.shown}" has ended the connection or the call`,
      hint: "see the log of blitd there",
    });
  }
}

function callsOver(link: Link, token: string | undefined): ControlCalls {
  const authorise: Interceptor = (next) => (request) => {
    request.header.set("authorization", `Bearer ${token}`);
    return next(request);
  };
  const transport = createGrpcTransport({
    baseUrl: link.authority,
    acceptCompression: [],
    readMaxBytes: MESSAGE_BYTES_MAX,
    writeMaxBytes: MESSAGE_BYTES_MAX,
    interceptors: token === undefined ? [] : [authorise],
    sessionManager: {
      authority: link.authority,
      request: async (method, path, headers, options) =>
        link.request().request({ ...headers, ":method": method, ":path": path }, options),
      notifyResponseByteRead: () => undefined,
    },
  });
  const calls = createClient(Blit, transport);
  const wrap = new CallWrapper(link);
  return {
    ping: wrap.unary(calls.ping),
    push: wrap.streaming(calls.push),
    pull: wrap.streaming(calls.pull),
    delegatedPull: wrap.streaming(calls.delegatedPull),
    list: wrap.streaming(calls.list),
    find: wrap.streaming(calls.find),
    diskUsage: wrap.streaming(calls.diskUsage),
    filesystemStats: wrap.unary(calls.filesystemStats),
    purge: wrap.streaming(calls.purge),
    listJobs: wrap.unary(calls.listJobs),
    watchJob: wrap.streaming(calls.watchJob),
    cancelJob: wrap.unary(calls.cancelJob),
  };
}

/** Makes a Fault of whatever a call throws. */
class CallWrapper {
  readonly #link: Link;

  constructor(link: Link) {
    this.#link = link;
  }

  unary<I, O>(call: (request: I, options?: CallOptions) => Promise<O>) {
    return async (request: I, options?: CallOptions): Promise<O> => {
      try {
        return await call(request, options);
      } catch (error) {
        throw this.#link.fault(error, options?.signal);
      }
    };
  }

  streaming<I, O>(call: (request: I, options?: CallOptions) => AsyncIterable<O>) {
    const link = this.#link;
    return async function* (request: I, options?: CallOptions): AsyncIterable<O> {
      const own = new AbortController();
      const signal =
        options?.signal === undefined ? own.signal : AbortSignal.any([own.signal, options.signal]);
      try {
        yield* call(request, { ...options, signal });
      } catch (error) {
        throw link.fault(error, options?.signal);
      } finally {
        // Connect's iterator has no return(): without this a call whose answers are not wanted any
        // more would go on at the daemon.
        own.abort();
      }
    };
  }
}
