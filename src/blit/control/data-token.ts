import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { canonicalAddress } from "./peer-address.ts";

/**
 * Tickets for data connections: nonce (16 bytes), session (8), stream u16, expiry u64 in
 * milliseconds, HMAC-SHA256 (32) over all of it and the address of the peer; little-endian.
 */

/** Bytes of a token. */
export const DATA_TOKEN_BYTES = 66;

/** How long a token is good for. */
export const DATA_TOKEN_MS = 15_000;

/** Of a session's id. */
export const SESSION_ID_BYTES = 8;

/** Tokens that were given out and not used yet, over all sessions. */
const OUTSTANDING_MAX = 65_536;

const NONCE_BYTES = 16;
const SIGNED_BYTES = NONCE_BYTES + SESSION_ID_BYTES + 2 + 8;

/** Why a token is refused, for the log; the peer learns only that it is. */
export type TokenRefusal = "malformed" | "forged" | "foreign" | "late" | "used";

/** What a good token says. */
export type DataTicket = {
  /** Lower-case hexadecimal. */
  readonly session: string;
  readonly stream: number;
};

/** Gives out tokens and takes each of them once. The key lives as long as the process. */
export class DataTokens {
  readonly #key = randomBytes(32);
  readonly #now: () => number;
  /** Nonces that may still come, with the time until which, oldest first. */
  readonly #outstanding = new Map<string, { session: string; untilMs: number }>();

  /** @param now milliseconds that never go backwards; tests bring their own */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /**
   * @param session SESSION_ID_BYTES bytes
   * @param peer address that the control connection came from
   * @returns undefined: too many tokens are outstanding
   */
  issue(session: Uint8Array, stream: number, peer: string): Uint8Array | undefined {
    const now = this.#now();
    this.#forgetLate(now);
    if (this.#outstanding.size >= OUTSTANDING_MAX) return undefined;
    const token = Buffer.alloc(DATA_TOKEN_BYTES);
    const nonce = randomBytes(NONCE_BYTES);
    nonce.copy(token);
    token.set(session.subarray(0, SESSION_ID_BYTES), NONCE_BYTES);
    token.writeUInt16LE(stream, NONCE_BYTES + SESSION_ID_BYTES);
    const untilMs = Math.ceil(now) + DATA_TOKEN_MS;
    token.writeBigUInt64LE(BigInt(untilMs), SIGNED_BYTES - 8);
    this.#sign(token, peer).copy(token, SIGNED_BYTES);
    this.#outstanding.set(nonce.toString("hex"), {
      session: Buffer.from(session).toString("hex"),
      untilMs,
    });
    // A plain copy: slices of a Buffer share its memory.
    return new Uint8Array(token);
  }

  /** Takes a token, once. A wrong one changes nothing. */
  redeem(token: Uint8Array, peer: string): DataTicket | TokenRefusal {
    if (token.length !== DATA_TOKEN_BYTES) return "malformed";
    const bytes = Buffer.from(token);
    if (!timingSafeEqual(this.#sign(bytes, peer), bytes.subarray(SIGNED_BYTES))) {
      return this.#outstanding.has(nonceOf(bytes)) ? "foreign" : "forged";
    }
    if (this.#now() > Number(bytes.readBigUInt64LE(SIGNED_BYTES - 8))) return "late";
    // Known and not forgotten: used up from here on.
    const known = this.#outstanding.get(nonceOf(bytes));
    if (known === undefined) return "used";
    this.#outstanding.delete(nonceOf(bytes));
    return { session: known.session, stream: bytes.readUInt16LE(NONCE_BYTES + SESSION_ID_BYTES) };
  }

  /** Tokens of a session that is over are good for nothing. */
  revoke(session: Uint8Array): void {
    const hex = Buffer.from(session).toString("hex");
    for (const [nonce, known] of this.#outstanding) {
      if (known.session === hex) this.#outstanding.delete(nonce);
    }
  }

  #sign(token: Buffer, peer: string): Buffer {
    return createHmac("sha256", this.#key)
      .update(token.subarray(0, SIGNED_BYTES))
      .update(canonicalAddress(peer))
      .digest();
  }

  #forgetLate(now: number): void {
    for (const [nonce, known] of this.#outstanding) {
      if (known.untilMs >= now) return;
      this.#outstanding.delete(nonce);
    }
  }
}

/** An id for a session, which also goes into its keys. */
export function newSessionId(): Uint8Array {
  return new Uint8Array(randomBytes(SESSION_ID_BYTES));
}

function nonceOf(token: Buffer): string {
  return token.toString("hex", 0, NONCE_BYTES);
}
