import { SOCKADDR_IN_LAYOUT, SOCKADDR_IN6_LAYOUT, SOCKET } from "../../../ffi/abi/socket.ts";
import { Memory } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";

/** What a connection within one machine brings at least, bytes in a second. */
const withinMachine = 2e9;

/** Where the length of an address stands, behind the address. */
const lengthAt = 64;

let memory: Memory | undefined;

/**
 * What a connected socket is likely to bring in a second, before anything has come: known only
 * where both ends are on this machine, when comparing costs more than sending does.
 */
export function linkGuess(fd: number): number | undefined {
  memory ??= new Memory(4096);
  const own = addressOf(memory, fd, sys.getsockname);
  const peer = addressOf(memory, fd, sys.getpeername);
  return own !== undefined && own === peer ? withinMachine : undefined;
}

type NameCall = (fd: number, address: number, length: number) => number;

/** Bytes of an IP address in hex; undefined for other sockets. */
function addressOf({ bytes, buffer, pointer }: Memory, fd: number, call: NameCall) {
  const view = new DataView(buffer);
  view.setUint32(lengthAt, SOCKADDR_IN6_LAYOUT.size, true);
  if (call(fd, pointer, pointer + lengthAt) < 0) return undefined;
  const family = view.getUint16(SOCKADDR_IN_LAYOUT.family, true);
  if (family === SOCKET.AF_INET) return hexOf(bytes, SOCKADDR_IN_LAYOUT.address, 4);
  if (family === SOCKET.AF_INET6) return hexOf(bytes, SOCKADDR_IN6_LAYOUT.address, 16);
  return undefined;
}

function hexOf(bytes: Uint8Array, offset: number, length: number): string {
  return Buffer.from(bytes.subarray(offset, offset + length)).toString("hex");
}
