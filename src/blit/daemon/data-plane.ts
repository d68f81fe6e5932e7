import { randomBytes } from "node:crypto";
import { sys } from "../../../ffi/sys.ts";
import { DataListener } from "./data-listener.ts";

/** Makes tokens for data connections and knows them again; control/data-token.ts. */
export type TokenDesk = {
  issue(about: {
    readonly session: Uint8Array;
    readonly stream: number;
    readonly address: string;
  }): Uint8Array;
  /** What a token was issued for; undefined where it is not good, or no longer. */
  redeem(
    token: Uint8Array,
    address: string,
  ): { readonly session: Uint8Array; readonly stream: number } | undefined;
};

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
  readonly #desk: TokenDesk;
  /** By session, hexadecimal. */
  readonly #waiting = new Map<string, (stream: number, fd: number) => void>();

  /** @throws {Fault} E_NETWORK where the port cannot be listened on */
  constructor(
    where: { readonly address: string; readonly port: number } | { readonly fd: number },
    desk: TokenDesk,
  ) {
    this.#desk = desk;
    this.#listener = DataListener.open(where, (token, address) => this.#admit(token, address));
  }

  get port(): number {
    return this.#listener.port;
  }

  /** Lets a peer make so many connections; each is handed on as it comes, ready for frames. */
  offer(
    to: { readonly count: number; readonly peerAddress: string; readonly session?: Uint8Array },
    onStream: (stream: number, fd: number) => void,
  ): DataOffer {
    const session = to.session ?? randomBytes(8);
    const id = Buffer.from(session).toString("hex");
    const tokens = Array.from({ length: to.count }, (_, stream) =>
      this.#desk.issue({ session, stream, address: to.peerAddress }),
    );
    this.#waiting.set(id, onStream);
    this.#listener.expect();
    return {
      session,
      tokens,
      close: () => {
        if (this.#waiting.delete(id)) this.#listener.release();
      },
    };
  }

  close(): void {
    this.#listener.close();
    this.#waiting.clear();
  }

  #admit(token: Uint8Array, address: string): ((fd: number) => void) | undefined {
    const about = this.#desk.redeem(token, address);
    if (about === undefined) return undefined;
    const onStream = this.#waiting.get(Buffer.from(about.session).toString("hex"));
    if (onStream === undefined) return undefined;
    return (fd) => {
      // The session may have ended in this very turn.
      try {
        onStream(about.stream, fd);
      } catch (error) {
        sys.close(fd);
        throw error;
      }
    };
  }
}
