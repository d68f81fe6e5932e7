import type { Socket } from "node:net";
import type { ControlLimits } from "./limits.ts";
import { canonicalAddress } from "./peer-address.ts";

/** One connection, from accept to close. */
export type Connection = {
  readonly id: number;
  readonly address: string;
  readonly port: number;
  readonly socket: Socket;
  readonly ends: string;
  /** A call on it was let in. */
  isAdmitted: boolean;
  refusals: number;
  calls: number;
  lastActiveAt: number;
};

/** Why a connection was closed by the daemon, for its log. */
export type Dismissal =
  | "too many connections"
  | "too many connections from this address"
  | "too many connections that have not asked for anything"
  | "not admitted"
  | "no call in time"
  | "idle"
  | "too many refused calls";

/**
 * Who may hold a connection, decided before a byte of it is read: a peer that says nothing, or says
 * it slowly, takes up one of few places for a short time only.
 */
export class Admission {
  readonly #limits: ControlLimits;
  readonly #admit: (peer: { address: string; port: number }) => boolean;
  readonly #onDismissed: (connection: Connection, reason: Dismissal) => void;
  readonly #byEnds = new Map<string, Connection>();
  readonly #perAddress = new Map<string, number>();
  readonly #timer: ReturnType<typeof setInterval>;
  #strangers = 0;
  #lastId = 0;

  constructor(options: {
    readonly limits: ControlLimits;
    admit(peer: { address: string; port: number }): boolean;
    onDismissed(connection: Connection, reason: Dismissal): void;
  }) {
    this.#limits = options.limits;
    this.#admit = options.admit;
    this.#onDismissed = options.onDismissed;
    const stepMs = Math.min(1000, Math.max(10, options.limits.strangerMs / 4));
    this.#timer = setInterval(() => this.#sweep(performance.now()), stepMs);
    this.#timer.unref();
  }

  get size(): number {
    return this.#byEnds.size;
  }

  /** Takes in a socket that was just accepted, or closes it. */
  enter(socket: Socket): void {
    const connection: Connection = {
      id: ++this.#lastId,
      address: canonicalAddress(socket.remoteAddress ?? ""),
      port: socket.remotePort ?? 0,
      socket,
      ends: endsOf(socket),
      isAdmitted: false,
      refusals: 0,
      calls: 0,
      lastActiveAt: performance.now(),
    };
    // A socket that its peer has reset must not bring the daemon down.
    socket.on("error", () => undefined);
    const reason = this.#refusal(connection);
    if (reason !== undefined) {
      socket.destroy();
      this.#onDismissed(connection, reason);
      return;
    }
    this.#byEnds.set(connection.ends, connection);
    this.#strangers++;
    this.#count(connection.address, 1);
    socket.once("close", () => this.#leave(connection));
  }

  #refusal(connection: Connection): Dismissal | undefined {
    const { address, port } = connection;
    const limits = this.#limits;
    if (this.#byEnds.size >= limits.connectionsMax) return "too many connections";
    if ((this.#perAddress.get(address) ?? 0) >= limits.connectionsPerAddressMax) {
      return "too many connections from this address";
    }
    if (!this.#isWanted({ address, port })) return "not admitted";
    if (this.#strangers >= limits.strangersMax) this.#dismissStranger();
    return undefined;
  }

  /**
   * Makes room for somebody who may have something to say: the address with most connections that
   * have not asked for anything loses the oldest of them. Who holds all places keeps nobody out.
   */
  #dismissStranger(): void {
    const oldest = new Map<string, { connection: Connection; count: number }>();
    let most: { connection: Connection; count: number } | undefined;
    for (const connection of this.#byEnds.values()) {
      if (connection.isAdmitted) continue;
      const known = oldest.get(connection.address) ?? { connection, count: 0 };
      known.count++;
      oldest.set(connection.address, known);
      if (known.count > (most?.count ?? 0)) most = known;
    }
    if (most === undefined) return;
    this.dismiss(most.connection, "too many connections that have not asked for anything");
  }

  /** A question that fails is answered with no. */
  #isWanted(peer: { address: string; port: number }): boolean {
    try {
      return this.#admit(peer);
    } catch {
      return false;
    }
  }

  /** The connection that a socket belongs to; undefined when it is closed already. */
  of(socket: Socket): Connection | undefined {
    return this.#byEnds.get(endsOf(socket));
  }

  /** A call on the connection was let in. */
  admitted(connection: Connection): void {
    if (connection.isAdmitted || this.#byEnds.get(connection.ends) !== connection) return;
    connection.isAdmitted = true;
    this.#strangers--;
  }

  /** A call was refused for what its caller has shown. */
  refused(connection: Connection): void {
    connection.refusals++;
    if (connection.refusals < this.#limits.refusalsMax) return;
    // The answer to this call still goes out.
    setTimeout(() => this.dismiss(connection, "too many refused calls"), 100).unref();
  }

  dismiss(connection: Connection, reason: Dismissal): void {
    if (this.#byEnds.get(connection.ends) !== connection) return;
    this.#leave(connection);
    connection.socket.destroy();
    this.#onDismissed(connection, reason);
  }

  /** Closes all connections. */
  close(): void {
    clearInterval(this.#timer);
    for (const connection of [...this.#byEnds.values()]) {
      this.#leave(connection);
      connection.socket.destroy();
    }
  }

  #leave(connection: Connection): void {
    if (this.#byEnds.get(connection.ends) !== connection) return;
    this.#byEnds.delete(connection.ends);
    if (!connection.isAdmitted) this.#strangers--;
    this.#count(connection.address, -1);
  }

  #count(address: string, by: number): void {
    const count = (this.#perAddress.get(address) ?? 0) + by;
    if (count > 0) this.#perAddress.set(address, count);
    else this.#perAddress.delete(address);
  }

  #sweep(now: number): void {
    for (const connection of [...this.#byEnds.values()]) {
      const quietMs = now - connection.lastActiveAt;
      if (!connection.isAdmitted && quietMs > this.#limits.strangerMs) {
        this.dismiss(connection, "no call in time");
      } else if (connection.calls === 0 && quietMs > this.#limits.idleMs) {
        this.dismiss(connection, "idle");
      }
    }
  }
}

/** What tells one connection from all others: http2 hands out its sockets behind proxies. */
function endsOf(socket: Socket): string {
  const { localAddress, localPort, remoteAddress, remotePort } = socket;
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
