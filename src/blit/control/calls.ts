import type {
  DescMethod,
  DescMethodBiDiStreaming,
  DescMethodServerStreaming,
  DescMethodUnary,
  MessageInitShape,
  MessageShape,
} from "@bufbuild/protobuf";
import type { Blit } from "./proto/blit_pb.js";

/** Who has called, as far as the connection proves it. */
export type Peer = {
  /** Numeric; an IPv4 address is always in IPv4's form. See peer-address.ts. */
  readonly address: string;
  readonly port: number;
  readonly isEncrypted: boolean;
  /** Lower-case hexadecimal, of the certificate (DER) whose key the peer has proved to have. */
  readonly certificateSha256: string | undefined;
  /** Common name in that certificate; undefined unless a CA of the daemon vouches for it. */
  readonly certificateName: string | undefined;
  /** Name of the bearer token that came with this call, if the daemon knows it. */
  readonly tokenName: string | undefined;
};

/** What a handler knows about the call beside its messages. */
export type CallContext = {
  readonly peer: Peer;
  /** The same for every call on one connection. */
  readonly connectionId: number;
  /**
   * Keying material that only the two ends of the encrypted connection can compute (RFC 8446,
   * section 7.5), the same on both. undefined: the connection is plain.
   */
  exporter(label: string, context: Uint8Array, bytes?: number): Buffer | undefined;
  /**
   * Aborted when the call is over: the peer has gone or cancelled, the deadline has passed, the
   * daemon closes. A generator that awaits something else than its requests must listen to it.
   */
  readonly signal: AbortSignal;
};

type Handler<M extends DescMethod> =
  M extends DescMethodUnary<infer I, infer O>
    ? (request: MessageShape<I>, context: CallContext) => Promise<MessageInitShape<O>>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageShape<I>, context: CallContext) => AsyncIterable<MessageInitShape<O>>
      : M extends DescMethodBiDiStreaming<infer I, infer O>
        ? (
            requests: AsyncIterable<MessageShape<I>>,
            context: CallContext,
          ) => AsyncIterable<MessageInitShape<O>>
        : never;

/**
 * One function for each call of proto/blit.proto. What they throw as a Fault reaches the client
 * with code, message and hint; anything else is told as a bug without details.
 */
export type ControlHandlers = {
  readonly [Name in keyof (typeof Blit)["method"]]: Handler<(typeof Blit)["method"][Name]>;
};

/** Of one call of a client. */
export type CallOptions = {
  readonly signal?: AbortSignal;
  /** The whole call, answer included. */
  readonly timeoutMs?: number;
};

type Call<M extends DescMethod> =
  M extends DescMethodUnary<infer I, infer O>
    ? (request: MessageInitShape<I>, options?: CallOptions) => Promise<MessageShape<O>>
    : M extends DescMethodServerStreaming<infer I, infer O>
      ? (request: MessageInitShape<I>, options?: CallOptions) => AsyncIterable<MessageShape<O>>
      : M extends DescMethodBiDiStreaming<infer I, infer O>
        ? (
            requests: AsyncIterable<MessageInitShape<I>>,
            options?: CallOptions,
          ) => AsyncIterable<MessageShape<O>>
        : never;

/** The calls as a client makes them; all that goes wrong is a Fault. */
export type ControlCalls = {
  readonly [Name in keyof (typeof Blit)["method"]]: Call<(typeof Blit)["method"][Name]>;
};
