import { ptr } from "bun:ffi";
import { chmodSync, chownSync, mkdirSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { SOCKET } from "../../../ffi/abi/socket.ts";
import { check, sys } from "../../../ffi/sys.ts";
import { type NotifyMessage, parseNotify } from "./notify-message.ts";

const SOCK_DGRAM = 2;
const SUN_PATH_BYTES = 108;

/**
 * A socket that a service sends its notifications to (sd_notify(3)): one for each service, so that
 * nobody has to be asked who it is. A datagram socket of the Unix kind, which Bun reads as if it
 * were a stream: each call of `data` is one datagram, and an empty one looks like the end
 * (docs/bun.md), upon which the socket is made anew.
 */
export class NotifySocket implements Disposable {
  readonly path: string;
  readonly #owner: { readonly uid: number; readonly gid: number };
  readonly #onMessage: (message: NotifyMessage) => void;
  #close: (() => void) | undefined;
  #isOver = false;

  private constructor(
    path: string,
    owner: { uid: number; gid: number },
    onMessage: (message: NotifyMessage) => void,
  ) {
    this.path = path;
    this.#owner = owner;
    this.#onMessage = onMessage;
  }

  /** @throws Error where the socket cannot be made */
  static open(
    path: string,
    owner: { uid: number; gid: number },
    onMessage: (message: NotifyMessage) => void,
  ): NotifySocket {
    const socket = new NotifySocket(path, owner, onMessage);
    socket.#bind();
    return socket;
  }

  #bind(): void {
    mkdirSync(dirname(this.path), { recursive: true, mode: 0o755 });
    rmSync(this.path, { force: true });
    const type = SOCK_DGRAM | SOCKET.SOCK_NONBLOCK | SOCKET.SOCK_CLOEXEC;
    const fd = check(sys.socket(SOCKET.AF_UNIX, type, 0), "socket");
    const address = addressOf(this.path);
    const bound = sys.bind(fd, ptr(address), address.length);
    if (bound < 0) {
      sys.close(fd);
      check(bound, "bind", this.path);
    }
    chmodSync(this.path, 0o600);
    const { uid, gid } = this.#owner;
    if (process.getuid?.() === 0) chownSync(this.path, uid, gid);
    this.#listen(fd);
  }

  #listen(fd: number): void {
    const again = (): void => {
      if (this.#isOver) return;
      try {
        this.#bind();
      } catch {
        // Without it the service runs into its timeout, and says so.
      }
    };
    const connected = Bun.connect({
      fd,
      socket: {
        data: (_socket: unknown, bytes: Uint8Array) => this.#onMessage(parseNotify(bytes)),
        close: again,
        error: () => undefined,
      },
    } as unknown as Parameters<typeof Bun.connect>[0]);
    this.#close = () => {
      void connected.then((socket) => socket.terminate()).catch(() => undefined);
    };
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#close?.();
    rmSync(this.path, { force: true });
  }
}

/** struct sockaddr_un: unix(7). @throws Error where the path is too long */
function addressOf(path: string): Uint8Array {
  const bytes = Buffer.from(`${path}\0`);
  if (bytes.length > SUN_PATH_BYTES) throw new Error(`Path of a socket too long: "${path}"`);
  const address = new Uint8Array(2 + bytes.length);
  address[0] = SOCKET.AF_UNIX;
  address.set(bytes, 2);
  return address;
}
