import {
  MSG,
  SOCKADDR_IN_LAYOUT,
  SOCKADDR_IN6_LAYOUT,
  SOCKET,
  SOCKET_OPTION,
} from "../../../ffi/abi/socket.ts";
import { errno, errnoText } from "../../../ffi/errno.ts";
import { Memory } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { canonicalAddress } from "../control/peer-address.ts";
import { familyOf, socketAddress } from "../remote/socket-address.ts";
import { type ConnectCalls, connectCallsOf, type Transport } from "../wire/stream-calls.ts";

/** What a data connection begins with, before the length of the token and the token. */
const MAGIC = Buffer.from("BLITDAT1", "latin1");

/** Largest token that is read; ours are shorter. */
const TOKEN_BYTES_MAX = 256;

/** A connection has so long to show its token. */
const HANDSHAKE_MS = 5000;

/** So long after the last expected connection others are still told that they are refused. */
const LINGER_MS = 5000;

/** Longest pause between two looks at the port: while connections are expected, and after it. */
const pauseMsMax = { expecting: 10, lingering: 50 } as const;

/** Connections that have not shown one yet; the oldest goes when there is a further one. */
const STRANGERS_MAX = 128;

/** Connections that the kernel holds until they are accepted. */
const BACKLOG = 256;

/** Accepted in one turn of the event loop. */
const ACCEPTS_PER_TURN = 64;

const answer = { welcome: 0, refused: 1 } as const;

/**
 * Looks at a token that came from an address. Whoever returns a function takes over the socket: the
 * function is called with it once the peer has been told.
 */
export type TokenCheck = (token: Uint8Array, address: string) => Taker | undefined;

/** Takes over a socket; over RDMA its descriptor is one of ffi/rdma.ts. */
export type Taker = (fd: number, transport: Transport) => void;

type Stranger = {
  readonly fd: number;
  readonly address: string;
  readonly bytes: Uint8Array;
  length: number;
  readonly deadline: number;
};

/**
 * The port of the data connections. It is looked at while somebody expects connections, and for a
 * few seconds after that, so that who comes late or a second time is told so. Whoever comes at
 * other times cannot have a token, and is sent away when the next one is expected.
 */
export class DataListener {
  readonly port: number;
  readonly #fd: number;
  readonly #transport: Transport;
  readonly #calls: ConnectCalls;
  readonly #check: TokenCheck;
  readonly #strangers = new Set<Stranger>();
  #expected = 0;
  #lingersUntil = 0;
  #timer: Timer | undefined;
  #pauseMs = 0;

  private constructor(fd: number, transport: Transport, check: TokenCheck) {
    this.#fd = fd;
    this.#transport = transport;
    this.#calls = connectCallsOf(transport);
    this.port = portOf(this.#calls, fd);
    this.#check = check;
  }

  /**
   * Listens.
   * @param where a numeric address and a port (0 = any), or a listening socket to take over
   * @throws {Fault} E_NETWORK
   */
  static open(
    where: { readonly address: string; readonly port: number } | { readonly fd: number },
    check: TokenCheck,
    transport?: Transport,
  ): DataListener {
    const calls = connectCallsOf(transport);
    const fd = "fd" in where ? where.fd : listen(calls, where.address, where.port);
    calls.fcntl(fd, F_SETFL, O_NONBLOCK);
    return new DataListener(fd, transport, check);
  }

  /** Says that connections will come, until as many calls of `release`. */
  expect(): void {
    if (this.#timer === undefined) this.#acceptAll((fd) => this.#refuse(fd));
    this.#expected += 1;
    this.#pauseMs = 0;
    this.#schedule();
  }

  release(): void {
    this.#expected -= 1;
    this.#lingersUntil = performance.now() + LINGER_MS;
  }

  close(): void {
    clearTimeout(this.#timer);
    for (const { fd } of this.#strangers) this.#calls.close(fd);
    this.#strangers.clear();
    this.#calls.close(this.#fd);
  }

  #schedule(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const isExpecting = this.#expected > 0 || this.#strangers.size > 0;
    if (!isExpecting && performance.now() > this.#lingersUntil) return;
    this.#timer = setTimeout(() => this.#turn(), this.#pauseMs);
    const max = isExpecting ? pauseMsMax.expecting : pauseMsMax.lingering;
    this.#pauseMs = Math.min(this.#pauseMs + 0.5, max);
  }

  #turn(): void {
    this.#acceptAll((fd, address) => this.#enter(fd, address));
    const now = performance.now();
    for (const stranger of this.#strangers) {
      if (this.#listenTo(stranger)) continue;
      if (now > stranger.deadline) this.#sendAway(stranger);
    }
    this.#schedule();
  }

  #acceptAll(onAccepted: (fd: number, address: string) => void): void {
    const { memory, sizeAt } = scratch();
    for (let count = 0; count < ACCEPTS_PER_TURN; count++) {
      new DataView(memory.buffer).setUint32(sizeAt, SOCKADDR_IN6_LAYOUT.size, true);
      const fd = this.#calls.accept(this.#fd, memory.pointer, memory.pointer + sizeAt);
      // Also where a connection is gone again, or there are no descriptors left: the next turn.
      if (fd < 0) return;
      onAccepted(fd, addressIn(memory));
    }
  }

  #enter(fd: number, address: string): void {
    if (this.#strangers.size >= STRANGERS_MAX) {
      const [oldest] = this.#strangers;
      if (oldest !== undefined) this.#sendAway(oldest);
    }
    const bytes = new Uint8Array(MAGIC.length + 2 + TOKEN_BYTES_MAX);
    const deadline = performance.now() + HANDSHAKE_MS;
    this.#strangers.add({ fd, address, bytes, length: 0, deadline });
  }

  /** Takes what has come. True: it is no stranger any more, or gone. */
  #listenTo(stranger: Stranger): boolean {
    const { memory } = scratch();
    for (;;) {
      const wanted = wantedBytes(stranger);
      if (wanted === undefined) break;
      if (wanted === 0) {
        this.#decide(stranger);
        return true;
      }
      const received = this.#calls.recv(stranger.fd, memory.pointer, wanted, MSG.DONTWAIT);
      if (received === -errno.EAGAIN) return false;
      if (received <= 0) break;
      stranger.bytes.set(memory.bytes.subarray(0, received), stranger.length);
      stranger.length += received;
    }
    this.#sendAway(stranger);
    return true;
  }

  #decide(stranger: Stranger): void {
    const { fd, address, bytes, length } = stranger;
    const take = this.#check(bytes.slice(MAGIC.length + 2, length), address);
    if (take === undefined || !this.#say(fd, answer.welcome)) {
      this.#sendAway(stranger);
      return;
    }
    this.#strangers.delete(stranger);
    if (this.#transport === undefined) setNoDelay(fd);
    take(fd, this.#transport);
  }

  #sendAway(stranger: Stranger): void {
    this.#strangers.delete(stranger);
    this.#refuse(stranger.fd);
  }

  #refuse(fd: number): void {
    this.#say(fd, answer.refused);
    this.#calls.close(fd);
  }

  #say(fd: number, byte: number): boolean {
    const { memory } = scratch();
    memory.bytes[0] = byte;
    return this.#calls.send(fd, memory.pointer, 1, MSG.NOSIGNAL | MSG.DONTWAIT) === 1;
  }
}

/** How many bytes are still to come; undefined: it is no data connection of ours. */
function wantedBytes({ bytes, length }: Stranger): number | undefined {
  const head = MAGIC.length + 2;
  if (!MAGIC.subarray(0, length).equals(bytes.subarray(0, Math.min(length, MAGIC.length)))) {
    return undefined;
  }
  if (length < head) return head - length;
  const tokenBytes = (bytes[head - 2] ?? 0) | ((bytes[head - 1] ?? 0) << 8);
  if (tokenBytes === 0 || tokenBytes > TOKEN_BYTES_MAX) return undefined;
  return head + tokenBytes - length;
}

const F_SETFL = 4;
const O_NONBLOCK = 0o4000;
/** Where the length of an address lies in the scratch memory. */
const sizeAt = 128;
let memory: Memory | undefined;

/** What calls are made with; nothing in it outlives a turn. */
function scratch(): { readonly memory: Memory; readonly sizeAt: number } {
  memory ??= new Memory(4096);
  return { memory, sizeAt };
}

function listen(calls: ConnectCalls, address: string, port: number): number {
  const bytes = socketAddress(address, port);
  if (bytes === undefined) throw cannotListen(address, port, errno.EINVAL);
  const { memory } = scratch();
  const fd = calls.socket(familyOf(bytes), calls.streamType, 0);
  if (fd < 0) throw cannotListen(address, port, -fd);
  new DataView(memory.buffer).setInt32(0, 1, true);
  const { SOL_SOCKET, SO_REUSEADDR } = SOCKET_OPTION;
  calls.setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, memory.pointer, 4);
  memory.bytes.set(bytes);
  const bound = calls.bind(fd, memory.pointer, bytes.length);
  const listening = bound < 0 ? bound : calls.listen(fd, BACKLOG);
  if (listening >= 0) return fd;
  calls.close(fd);
  throw cannotListen(address, port, -listening);
}

function cannotListen(address: string, port: number, error: number): Fault {
  return new Fault({
    code: "E_NETWORK",
    message: `Cannot listen for data on ${address} port ${port}: ${errnoText(error)}`,
  });
}

function portOf(calls: ConnectCalls, fd: number): number {
  const { memory, sizeAt } = scratch();
  const view = new DataView(memory.buffer);
  view.setUint32(sizeAt, SOCKADDR_IN6_LAYOUT.size, true);
  if (calls.getsockname(fd, memory.pointer, memory.pointer + sizeAt) < 0) return 0;
  return view.getUint16(SOCKADDR_IN_LAYOUT.port, false);
}

/** The address that a call has left at the beginning of the memory, as text. */
function addressIn({ buffer }: Memory): string {
  const view = new DataView(buffer);
  if (view.getUint16(SOCKADDR_IN_LAYOUT.family, true) === SOCKET.AF_INET) {
    const at = SOCKADDR_IN_LAYOUT.address;
    return [0, 1, 2, 3].map((index) => view.getUint8(at + index)).join(".");
  }
  const at = SOCKADDR_IN6_LAYOUT.address;
  const words = Array.from({ length: 8 }, (_, index) => view.getUint16(at + index * 2, false));
  return canonicalAddress(words.map((word) => word.toString(16)).join(":"));
}

function setNoDelay(fd: number): void {
  const { memory } = scratch();
  new DataView(memory.buffer).setInt32(0, 1, true);
  const { IPPROTO_TCP, TCP_NODELAY } = SOCKET_OPTION;
  sys.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, memory.pointer, 4);
}
