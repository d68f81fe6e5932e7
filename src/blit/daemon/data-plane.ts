import { Fault } from "../../kit/fault/fault.ts";
import {
  type DataTicket,
  DataTokens,
  newSessionId,
  type TokenRefusal,
} from "../control/data-token.ts";
import { DataListener } from "./data-listener.ts";

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
  readonly #waiting = new Map<string, (stream: number, fd: number) => void>();

  /**
   * @param onRefused for the log: who came with a token that is not good
   * @throws {Fault} E_NETWORK where the port cannot be listened on
   */
  constructor(
    where: { readonly address: string; readonly port: number } | { readonly fd: number },
    onRefused: (address: string, reason: TokenRefusal) => void,
  ) {
    this.#onRefused = onRefused;
    this.#listener = DataListener.open(where, (token, address) => this.#admit(token, address));
  }

  get port(): number {
    return this.#listener.port;
  }

  /**
   * Lets a peer make so many connections; each is handed on as it comes, ready for frames.
   *
   * @throws {Fault} E_REFUSED where too many are expected already
   */
  offer(
    to: { readonly count: number; readonly peerAddress: string },
    onStream: (stream: number, fd: number) => void,
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
    this.#listener.expect();
    return {
      session,
      tokens,
      close: () => {
        if (!this.#waiting.delete(id)) return;
        this.#tokens.revoke(session);
        this.#listener.release();
      },
    };
  }

  close(): void {
    this.#listener.close();
    this.#waiting.clear();
  }

  #admit(token: Uint8Array, address: string): ((fd: number) => void) | undefined {
    const ticket: DataTicket | TokenRefusal = this.#tokens.redeem(token, address);
    if (typeof ticket === "string") {
      this.#onRefused(address, ticket);
      return undefined;
    }
    const onStream = this.#waiting.get(ticket.session);
    return onStream && ((fd) => onStream(ticket.stream, fd));
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
