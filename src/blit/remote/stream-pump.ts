import { SOCKET } from "../../../ffi/abi/socket.ts";
import { errnoText } from "../../../ffi/errno.ts";
import { Memory } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { DATA_CHUNK_BYTES_MAX } from "../control/limits.ts";

/** So much may wait for a worker before its peer has to. */
const WAITING_BYTES_MAX = 2 * 1024 * 1024;

/** Where the bytes of a stream go that is no connection of its own. */
export type PumpOutlet = {
  /** Takes bytes of the local worker, at most DATA_CHUNK_BYTES_MAX at a time. */
  readonly take: (data: Uint8Array) => void;
  readonly hasRoom: () => boolean;
  /** Waits until `take` may be called again. */
  readonly whenRoom: () => Promise<void>;
  /** The local worker has closed its end. */
  readonly ended: () => void;
};

/** The part of Bun's socket that is used here. */
type LocalSocket = {
  write(data: Uint8Array): number;
  end(): void;
  pause(): void;
  resume(): void;
};

/**
 * One data stream whose bytes are carried by something else, message by message: a pair of local
 * sockets, one for the worker (which knows no difference), one for the event loop.
 */
export class StreamPump {
  /** The worker's end; owned by whoever gets it. */
  readonly workerFd: number;
  readonly #outlet: PumpOutlet;
  #socket: LocalSocket | undefined;
  #rest: Uint8Array[] = [];
  #restBytes = 0;
  #isEnding = false;
  #isClosed = false;
  #drained: (() => void)[] = [];

  private constructor(workerFd: number, outlet: PumpOutlet) {
    this.workerFd = workerFd;
    this.#outlet = outlet;
  }

  /** @throws {Fault} E_IO where there are no descriptors left */
  static async open(outlet: PumpOutlet): Promise<StreamPump> {
    const memory = new Memory(4096);
    const type = SOCKET.SOCK_STREAM | SOCKET.SOCK_NONBLOCK | SOCKET.SOCK_CLOEXEC;
    const made = sys.socketpair(SOCKET.AF_UNIX, type, 0, memory.pointer);
    if (made < 0) {
      const reason = errnoText(-made);
      throw new Fault({ code: "E_IO", message: `Cannot make a pair of sockets: ${reason}` });
    }
    const [workerFd = -1, loopFd = -1] = new Int32Array(memory.buffer, 0, 2);
    const pump = new StreamPump(workerFd, outlet);
    await pump.#attach(loopFd);
    return pump;
  }

  /**
   * Hands bytes of the other side to the worker. Resolves when there is room for more: waiting for
   * the worker's socket after each message would cost a turn of both threads for each.
   */
  async deliver(data: Uint8Array): Promise<void> {
    if (this.#isClosed) return;
    this.#rest.push(data);
    this.#restBytes += data.length;
    this.#writeRest();
    while (this.#restBytes > WAITING_BYTES_MAX && !this.#isClosed) {
      await new Promise<void>((resolve) => this.#drained.push(resolve));
    }
  }

  /** The other side has ended its stream: the worker reads to the end of what was delivered. */
  finish(): void {
    this.#isEnding = true;
    this.#writeRest();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket?.end();
    this.#letGo();
  }

  async #attach(fd: number): Promise<void> {
    const handlers = {
      data: (_: unknown, data: Uint8Array) => this.#onData(data),
      drain: () => this.#writeRest(),
      close: () => this.#onClose(),
      error: () => this.#onClose(),
    };
    // Bun takes over a connected descriptor; its types do not name the option.
    const options = { fd, socket: handlers } as unknown as Parameters<typeof Bun.connect>[0];
    this.#socket = (await Bun.connect(options)) as unknown as LocalSocket;
  }

  #onData(data: Uint8Array): void {
    for (let at = 0; at < data.length; at += DATA_CHUNK_BYTES_MAX) {
      this.#outlet.take(data.subarray(at, at + DATA_CHUNK_BYTES_MAX));
    }
    const socket = this.#socket;
    if (socket === undefined || this.#outlet.hasRoom()) return;
    socket.pause();
    void this.#outlet.whenRoom().then(() => {
      if (!this.#isClosed) socket.resume();
    });
  }

  #onClose(): void {
    const wasClosed = this.#isClosed;
    this.#isClosed = true;
    this.#letGo();
    if (!wasClosed) this.#outlet.ended();
  }

  #writeRest(): void {
    const socket = this.#socket;
    while (socket !== undefined && !this.#isClosed) {
      const [first] = this.#rest;
      if (first === undefined) break;
      const written = Math.max(0, socket.write(first));
      this.#restBytes -= written;
      if (written < first.length) {
        this.#rest[0] = first.subarray(written);
        this.#letGo();
        return;
      }
      this.#rest.shift();
    }
    if (this.#isEnding) this.close();
    this.#letGo();
  }

  #letGo(): void {
    if (this.#isClosed) {
      this.#rest = [];
      this.#restBytes = 0;
    }
    for (const resume of this.#drained.splice(0)) resume();
  }
}
