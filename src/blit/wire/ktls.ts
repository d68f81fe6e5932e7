import { randomBytes } from "node:crypto";
import { KTLS, KTLS_AES_GCM_256_LAYOUT } from "../../../ffi/abi/ktls.ts";
import { MSG, SOCKADDR_IN_LAYOUT, SOCKET, SOCKET_OPTION } from "../../../ffi/abi/socket.ts";
import { errno } from "../../../ffi/errno.ts";
import { Memory } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";
import type { StreamKeys } from "../session/types.ts";

/**
 * Encryption by the kernel: TLS 1.3 records with AES-256-GCM, keyed from outside (tls(7) of the
 * kernel's documentation). sendfile(2) works on such a socket as on a plain one. Both ends have to
 * be set up before the first byte after the handshake of the stream.
 */

const ulp = "tls";

/** Whether the kernel encrypts this socket. */
export function isKernelEncrypted(fd: number): boolean {
  const memory = scratch();
  const view = new DataView(memory.buffer);
  view.setUint32(64, 16, true);
  const { IPPROTO_TCP, TCP_ULP } = SOCKET_OPTION;
  const { pointer } = memory;
  const result = sys.getsockopt(fd, IPPROTO_TCP, TCP_ULP, pointer, pointer + 64);
  const length = view.getUint32(64, true);
  return result === 0 && length >= 3 && memory.text.latin1Slice(0, 3) === ulp;
}

/**
 * Has the kernel encrypt a connected TCP socket. Returns 0 or -errno: -ENOENT and -EOPNOTSUPP
 * where it cannot. After a failure the socket may be half set up: it has to be closed.
 */
export function setKernelTls(fd: number, keys: StreamKeys): number {
  const memory = scratch();
  memory.text.latin1Write(`${ulp}\0`, 0);
  const { IPPROTO_TCP, TCP_ULP } = SOCKET_OPTION;
  const loaded = sys.setsockopt(fd, IPPROTO_TCP, TCP_ULP, memory.pointer, ulp.length + 1);
  if (loaded < 0) return loaded;
  const sending = setKey(fd, KTLS.TLS_TX, keys.sendKey, keys.sendIv);
  if (sending < 0) return sending;
  const receiving = setKey(fd, KTLS.TLS_RX, keys.receiveKey, keys.receiveIv);
  if (receiving < 0) return receiving;
  // The peer pads no records: they are decrypted in place then. Younger than TLS 1.3 itself.
  new DataView(memory.buffer).setUint32(0, 1, true);
  sys.setsockopt(fd, KTLS.SOL_TLS, KTLS.TLS_RX_EXPECT_NO_PAD, memory.pointer, 4);
  return 0;
}

function setKey(fd: number, direction: number, key: Uint8Array, iv: Uint8Array): number {
  const layout = KTLS_AES_GCM_256_LAYOUT;
  if (key.length !== 32 || iv.length !== 12) return -errno.EINVAL;
  const { bytes, buffer, pointer } = scratch();
  bytes.fill(0, 0, layout.size);
  const view = new DataView(buffer);
  view.setUint16(layout.version, KTLS.TLS_1_3_VERSION, true);
  view.setUint16(layout.cipher, KTLS.TLS_CIPHER_AES_GCM_256, true);
  bytes.set(key, layout.key);
  // The 12 bytes of TLS 1.3's IV: four are called salt here.
  bytes.set(iv.subarray(0, 4), layout.salt);
  bytes.set(iv.subarray(4), layout.iv);
  const result = sys.setsockopt(fd, KTLS.SOL_TLS, direction, pointer, layout.size);
  bytes.fill(0, 0, layout.size);
  return result;
}

let isThere: boolean | undefined;

/**
 * Whether this kernel encrypts streams: tried once, with two sockets over loopback and a few
 * bytes, because a module may be there that knows the cipher in one direction only.
 */
export function hasKernelTls(): boolean {
  isThere ??= probe();
  return isThere;
}

function probe(): boolean {
  const ends = connectedPair();
  if (ends === undefined) return false;
  const { left, right } = ends;
  try {
    const key = (): Uint8Array => new Uint8Array(randomBytes(32));
    const iv = (): Uint8Array => new Uint8Array(randomBytes(12));
    const keys = { sendKey: key(), sendIv: iv(), receiveKey: key(), receiveIv: iv() };
    const mirrored: StreamKeys = {
      sendKey: keys.receiveKey,
      sendIv: keys.receiveIv,
      receiveKey: keys.sendKey,
      receiveIv: keys.sendIv,
    };
    if (setKernelTls(left, keys) < 0 || setKernelTls(right, mirrored) < 0) return false;
    const { pointer, text } = scratch();
    text.latin1Write("blit", 0);
    if (sys.send(left, pointer, 4, MSG.NOSIGNAL) !== 4) return false;
    return sys.recv(right, pointer + 8, 4, 0) === 4 && text.latin1Slice(8, 12) === "blit";
  } finally {
    sys.close(left);
    sys.close(right);
  }
}

/** Two TCP sockets of this process, connected over loopback; undefined where there is none. */
function connectedPair(): { readonly left: number; readonly right: number } | undefined {
  const { buffer, bytes, pointer } = scratch();
  const view = new DataView(buffer);
  const length = SOCKADDR_IN_LAYOUT.size;
  const type = SOCKET.SOCK_STREAM | SOCKET.SOCK_CLOEXEC;
  bytes.fill(0, 0, 128);
  view.setUint16(SOCKADDR_IN_LAYOUT.family, SOCKET.AF_INET, true);
  view.setUint32(SOCKADDR_IN_LAYOUT.address, 0x7f000001);
  view.setUint32(64, length, true);
  const listener = sys.socket(SOCKET.AF_INET, type, 0);
  const left = sys.socket(SOCKET.AF_INET, type, 0);
  let right = -1;
  if (
    listener >= 0 &&
    left >= 0 &&
    sys.bind(listener, pointer, length) === 0 &&
    sys.listen(listener, 1) === 0 &&
    sys.getsockname(listener, pointer, pointer + 64) === 0 &&
    sys.connect(left, pointer, length) === 0
  ) {
    right = sys.accept4(listener, 0, 0, SOCKET.SOCK_CLOEXEC);
  }
  if (listener >= 0) sys.close(listener);
  if (right >= 0) return { left, right };
  if (left >= 0) sys.close(left);
  return undefined;
}

let memory: Memory | undefined;

function scratch(): Memory {
  memory ??= new Memory(4096);
  return memory;
}
