import { AT, O } from "../../ffi/abi/constants.ts";
import { SOCKADDR_IN_LAYOUT, SOCKET } from "../../ffi/abi/socket.ts";
import { Memory, writeCString } from "../../ffi/mem.ts";
import { check, sys } from "../../ffi/sys.ts";

/** Two connected stream sockets of this process; they block. */
export type SocketPair = { readonly left: number; readonly right: number };

/** A struct sockaddr_in in memory of its own, with room for a length behind it. */
export function inetAddress(address: string, port: number): { pointer: number; length: number } {
  return new InetAddress(address, port);
}

class InetAddress {
  readonly #memory = new Memory(4096);
  readonly #view = new DataView(this.#memory.buffer);
  readonly length = SOCKADDR_IN_LAYOUT.size;

  constructor(address: string, port: number) {
    this.#view.setUint16(SOCKADDR_IN_LAYOUT.family, SOCKET.AF_INET, true);
    this.#view.setUint16(SOCKADDR_IN_LAYOUT.port, port);
    for (const [i, part] of address.split(".").entries()) {
      this.#view.setUint8(SOCKADDR_IN_LAYOUT.address + i, Number(part));
    }
    this.#view.setUint32(64, this.length, true);
  }
  get pointer(): number {
    return this.#memory.pointer;
  }
  get port(): number {
    return this.#view.getUint16(SOCKADDR_IN_LAYOUT.port);
  }
}

type Calls = Pick<typeof sys, "socket" | "bind" | "listen" | "getsockname">;

/** A listening TCP socket on a free port, or one over RDMA. */
export function listenOn(address: string, calls: Calls = sys): { fd: number; port: number } {
  const own = new InetAddress(address, 0);
  const fd = check(calls.socket(SOCKET.AF_INET, SOCKET.SOCK_STREAM, 0), "socket");
  check(calls.bind(fd, own.pointer, own.length), "bind");
  check(calls.listen(fd, 1), "listen");
  check(calls.getsockname(fd, own.pointer, own.pointer + 64), "getsockname");
  return { fd, port: own.port };
}

/** A pair of TCP sockets over loopback. */
export function tcpPair(): SocketPair {
  const type = SOCKET.SOCK_STREAM | SOCKET.SOCK_CLOEXEC;
  const listener = listenOn("127.0.0.1");
  const to = new InetAddress("127.0.0.1", listener.port);
  const left = check(sys.socket(SOCKET.AF_INET, type, 0), "socket");
  check(sys.connect(left, to.pointer, to.length), "connect");
  const right = check(sys.accept4(listener.fd, 0, 0, SOCKET.SOCK_CLOEXEC), "accept4");
  sys.close(listener.fd);
  return { left, right };
}

/** A pair of local sockets: what stands in for TCP where frames go through gRPC. */
export function localPair(): SocketPair {
  const memory = new Memory(4096);
  const type = SOCKET.SOCK_STREAM | SOCKET.SOCK_CLOEXEC;
  check(sys.socketpair(SOCKET.AF_UNIX, type, 0, memory.pointer), "socketpair");
  const [left = -1, right = -1] = new Int32Array(memory.buffer, 0, 2);
  return { left, right };
}

/** Opens a file of a test. */
export function openFile(path: string, flags: number): number {
  const memory = new Memory(8192);
  writeCString(memory.bytes, 0, path);
  return check(sys.openat(AT.FDCWD, memory.pointer, flags | O.CLOEXEC, 0o644), "openat", path);
}
