import { AT, O } from "../../ffi/abi/constants.ts";
import { SOCKADDR_IN_LAYOUT, SOCKET } from "../../ffi/abi/socket.ts";
import { Memory, writeCString } from "../../ffi/mem.ts";
import { check, sys } from "../../ffi/sys.ts";

/** Two connected stream sockets of this process; they block. */
export type SocketPair = { readonly left: number; readonly right: number };

/** A pair of TCP sockets over loopback. */
export function tcpPair(): SocketPair {
  const memory = new Memory(4096);
  const { pointer } = memory;
  const view = new DataView(memory.buffer);
  const length = SOCKADDR_IN_LAYOUT.size;
  const type = SOCKET.SOCK_STREAM | SOCKET.SOCK_CLOEXEC;
  view.setUint16(SOCKADDR_IN_LAYOUT.family, SOCKET.AF_INET, true);
  view.setUint32(SOCKADDR_IN_LAYOUT.address, 0x7f000001);
  view.setUint32(64, length, true);
  const listener = check(sys.socket(SOCKET.AF_INET, type, 0), "socket");
  check(sys.bind(listener, pointer, length), "bind");
  check(sys.listen(listener, 1), "listen");
  check(sys.getsockname(listener, pointer, pointer + 64), "getsockname");
  const left = check(sys.socket(SOCKET.AF_INET, type, 0), "socket");
  check(sys.connect(left, pointer, length), "connect");
  const right = check(sys.accept4(listener, 0, 0, SOCKET.SOCK_CLOEXEC), "accept4");
  sys.close(listener);
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
