import { FCNTL, O } from "../../../ffi/abi/constants.ts";
import { MSG, POLL, POLLFD_LAYOUT, SOCKET_OPTION } from "../../../ffi/abi/socket.ts";
import { errno, errnoText } from "../../../ffi/errno.ts";
import { Memory } from "../../../ffi/mem.ts";
import { type ConnectCalls, connectCallsOf, type Transport } from "../wire/stream-calls.ts";
import { familyOf, socketAddress } from "./socket-address.ts";

/** What a data connection begins with: "BLITDAT1", u16 length of the token, the token. */
const MAGIC = "BLITDAT1";

/** So long the data port may take to be there; then the control stream carries the data. */
export const CONNECT_TIMEOUT_MS = 5000;

/** So long the daemon may take for its one byte of answer. */
const ANSWER_TIMEOUT_MS = 10_000;

let scratch: Memory | undefined;

/** The data port cannot be reached from here; the transfer can still go another way. */
export class DataPortUnreachable extends Error {}

export type DataAddress = {
  /** Numeric, of the machine that the control connection leads to. */
  readonly address: string;
  readonly port: number;
};

/**
 * Connects to a daemon's data port and shows the token: a socket that is ready for frames, owned
 * by the caller. It does not block.
 * @throws {DataPortUnreachable} where no such connection comes about
 */
export async function connectData(
  to: DataAddress,
  token: Uint8Array,
  signal: AbortSignal,
  transport?: Transport,
): Promise<number> {
  const calls = connectCallsOf(transport);
  const bytes = socketAddress(to.address, to.port);
  if (bytes === undefined) throw new DataPortUnreachable(`"${to.address}" is no address`);
  // One for all connections: what is in it never outlives a turn of the event loop.
  scratch ??= new Memory(4096);
  const memory = scratch;
  const fd = calls.socket(familyOf(bytes), calls.streamType, 0);
  if (fd < 0) throw new DataPortUnreachable(errnoText(-fd));
  try {
    if (transport === "rdma") calls.fcntl(fd, FCNTL.SETFL, O.NONBLOCK);
    memory.bytes.set(bytes);
    const begun = calls.connect(fd, memory.pointer, bytes.length);
    if (begun < 0 && begun !== -errno.EINPROGRESS) throw new DataPortUnreachable(errnoText(-begun));
    const waiting = { memory, calls, fd, signal };
    if (begun < 0) await finishConnect(waiting);
    if (transport === undefined) setNoDelay(waiting);
    await sendHello(waiting, token);
    await readAnswer(waiting);
    return fd;
  } catch (error) {
    calls.close(fd);
    throw error;
  }
}

type Waiting = {
  readonly memory: Memory;
  readonly calls: ConnectCalls;
  readonly fd: number;
  readonly signal: AbortSignal;
};

async function finishConnect(waiting: Waiting): Promise<void> {
  if (!(await isReady(waiting, POLL.OUT, CONNECT_TIMEOUT_MS))) {
    throw new DataPortUnreachable(`no answer for ${CONNECT_TIMEOUT_MS / 1000} s`);
  }
  const { memory, calls, fd } = waiting;
  const values = new Int32Array(memory.buffer, 0, 2);
  values.set([0, 4]);
  const { SOL_SOCKET } = SOCKET_OPTION;
  const asked = calls.getsockopt(fd, SOL_SOCKET, SO_ERROR, memory.pointer, memory.pointer + 4);
  const failure = asked < 0 ? -asked : (values[0] ?? 0);
  if (failure !== 0) throw new DataPortUnreachable(errnoText(failure));
}

/** Of socket(7): why a connect has failed. */
const SO_ERROR = 4;

function setNoDelay({ memory, calls, fd }: Waiting): void {
  new Int32Array(memory.buffer, 0, 1)[0] = 1;
  const { IPPROTO_TCP, TCP_NODELAY } = SOCKET_OPTION;
  calls.setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, memory.pointer, 4);
}

async function sendHello(waiting: Waiting, token: Uint8Array): Promise<void> {
  const { memory, calls, fd } = waiting;
  const length = MAGIC.length + 2 + token.length;
  memory.bytes.set(Buffer.from(MAGIC, "latin1"));
  new DataView(memory.buffer).setUint16(MAGIC.length, token.length, true);
  memory.bytes.set(token, MAGIC.length + 2);
  // A new connection has room for these few bytes at once.
  const sent = calls.send(fd, memory.pointer, length, MSG.NOSIGNAL);
  if (sent !== length) throw new DataPortUnreachable("the connection broke at its first bytes");
}

async function readAnswer(waiting: Waiting): Promise<void> {
  if (!(await isReady(waiting, POLL.IN, ANSWER_TIMEOUT_MS))) {
    throw new DataPortUnreachable("the data port does not answer");
  }
  const { memory, calls, fd } = waiting;
  const received = calls.recv(fd, memory.pointer, 1, 0);
  if (received === 1 && memory.bytes[0] === 0) return;
  // A tunnel or address translation shows the daemon another address than the token is bound to.
  if (received === 1) throw new DataPortUnreachable("the data port refuses the token");
  throw new DataPortUnreachable("the data port closed the connection");
}

/** Whether an event comes in time. The event loop keeps its turns: nothing here waits in a call. */
async function isReady(waiting: Waiting, event: number, timeoutMs: number): Promise<boolean> {
  const { memory, calls, fd, signal } = waiting;
  const at = memory.buffer.byteLength - POLLFD_LAYOUT.size;
  const view = new DataView(memory.buffer, at, POLLFD_LAYOUT.size);
  const deadline = performance.now() + timeoutMs;
  for (let pauseMs = 0; ; pauseMs = Math.min(pauseMs + 1, 10)) {
    view.setInt32(POLLFD_LAYOUT.fd, fd, true);
    view.setInt16(POLLFD_LAYOUT.events, event, true);
    view.setInt16(POLLFD_LAYOUT.revents, 0, true);
    if (calls.poll(memory.pointer + at, 1, 0) > 0) return true;
    signal.throwIfAborted();
    if (performance.now() > deadline) return false;
    await new Promise<void>((resolve) => setTimeout(resolve, pauseMs));
  }
}
