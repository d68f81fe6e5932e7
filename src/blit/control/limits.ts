/** What the control plane allows; zero never means unlimited. */

/** Window of one stream, bytes. With HTTP/2's 64 KiB a stream reaches a third of the speed. */
export const STREAM_WINDOW_BYTES = 4 * 1024 * 1024;

/** Window of a connection, bytes. */
export const CONNECTION_WINDOW_BYTES = 8 * 1024 * 1024;

/** Of one message, either way. What may grow beyond is sent in several: see report-parts.ts. */
export const MESSAGE_BYTES_MAX = 4 * 1024 * 1024;

/** Of the bytes of one DataChunk. */
export const DATA_CHUNK_BYTES_MAX = 1024 * 1024;

/** Of all headers of one call, bytes. */
export const HEADER_BYTES_MAX = 16 * 1024;

/** Calls at the same time on one connection. */
export const CALLS_PER_CONNECTION_MAX = 64;

/** What an operator may want to change. */
export type ControlLimits = {
  /** Connections at the same time. */
  readonly connectionsMax: number;
  /** Of them, those from one address. */
  readonly connectionsPerAddressMax: number;
  /** Of them, those that have not made a call that was let in. */
  readonly strangersMax: number;
  /** A connection has so long for its first call that is let in. */
  readonly strangerMs: number;
  /** A call has so long for its first message. */
  readonly firstMessageMs: number;
  /** A connection without calls is closed after so long. */
  readonly idleMs: number;
  /** Refused calls on one connection, before it is closed. */
  readonly refusalsMax: number;
};

export const CONTROL_LIMITS: ControlLimits = {
  connectionsMax: 1024,
  connectionsPerAddressMax: 256,
  strangersMax: 128,
  strangerMs: 10_000,
  firstMessageMs: 30_000,
  idleMs: 15 * 60_000,
  refusalsMax: 8,
};

/** How a silent peer is noticed. The sum stays below the 10 s in which a stall is told. */
export type PingTimes = {
  readonly intervalMs: number;
  readonly timeoutMs: number;
};

export const PING_TIMES: PingTimes = { intervalMs: 3_000, timeoutMs: 6_000 };
