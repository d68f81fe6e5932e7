import { Fault } from "../../kit/fault/fault.ts";
import {
  type DataTicket,
  DataTokens,
  newSessionId,
  type TokenRefusal,
} from "../control/data-token.ts";
import { hasRdma } from "../wire/rdma.ts";
import type { Transport } from "../wire/stream-calls.ts";
import { DataListener, type Taker } from "./data-listener.ts";

/** Takes over a connection as one stream of a session. */
type StreamTaker = (stream: number, fd: number, transport: Transport) => void;

/** Connections that a client was told to make. */
export type DataOffer = {
  readonly session: Uint8Array;
  readonly tokens: readonly Uint8Array[];
  /** Tokens that were not used are worth nothing from now on. */
  close(): void;
};

/** The data port of a daemon and the sessions that wait for connections to it. */
export class DataPlane {
  readonly #listener: DataListener;
  readonly #tokens = new DataTokens();
  readonly #onRefused: (address: string, reason: TokenRefusal) => void;
  /** By session, hexadecimal. */
  readonly #waiting = new Map<string, StreamTaker>();
  readonly #address: string | undefined;
  /** undefined: not tried yet, or there is none. */
  #rdma: DataListener | undefined;
  #hasTriedRdma = false;

  /**
   * @param onRefused for the log: who came with a token that is not good
   * @throws {Fault} E_NETWORK where the port cannot be listened on
   */
  constructor(
    where: { readonly address: string; readonly port: number } | { readonly fd: number },
    onRefused: (address: string, reason: TokenRefusal) => void,
  ) {
    this.#onRefused = onRefused;
    this.#address = "fd" in where ? undefined : where.address;
    this.#listener = DataListener.open(where, (token, address) => this.#admit(token, address));
  }

  get port(): number {
    return this.#listener.port;
  }

  /** The port for connections over RDMA, opened when first asked for; 0 where there is none. */
  rdmaPort(): number {
    if (!this.#hasTriedRdma && this.#address !== undefined && hasRdma()) {
      const where = { address: this.#address, port: 0 };
      try {
        this.#rdma = DataListener.open(
          where,
          (token, address) => this.#admit(token, address),
          "rdma",
        );
      } catch {
        // A device that is down, or of another network: then TCP it is, without a word.
      }
    }
    this.#hasTriedRdma = true;
    return this.#rdma?.port ?? 0;
  }

  /**
   * Lets a peer make so many connections; each is handed on as it comes, ready for frames.
   *
   * @throws {Fault} E_REFUSED where too many are expected already
   */
  offer(
    to: { readonly count: number; readonly peerAddress: string },
    onStream: StreamTaker,
  ): DataOffer {
    const session = newSessionId();
    const tokens: Uint8Array[] = [];
    for (let stream = 0; stream < to.count; stream++) {
      const token = this.#tokens.issue(session, stream, to.peerAddress);
      if (token === undefined) throw tooMany();
      tokens.push(token);
    }
    const id = hexOf(session);
    this.#waiting.set(id, onStream);
    const listeners = this.#rdma === undefined ? [this.#listener] : [this.#listener, this.#rdma];
    for (const listener of listeners) listener.expect();
    return {
      session,
      tokens,
      close: () => {
        if (!this.#waiting.delete(id)) return;
        this.#tokens.revoke(session);
        for (const listener of listeners) listener.release();
      },
    };
  }

  close(): void {
    this.#listener.close();
    this.#rdma?.close();
    this.#waiting.clear();
  }

  #admit(token: Uint8Array, address: string): Taker | undefined {
    const ticket: DataTicket | TokenRefusal = this.#tokens.redeem(token, address);
    if (typeof ticket === "string") {
      this.#onRefused(address, ticket);
      return undefined;
    }
    const onStream = this.#waiting.get(ticket.session);
    return onStream && ((fd, transport) => onStream(ticket.stream, fd, transport));
  }
}

function hexOf(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function tooMany(): Fault {
  return new Fault({
    code: "E_REFUSED",
    message: "Too many data connections are expected at the moment",
    hint: "try again later",
  });
}
