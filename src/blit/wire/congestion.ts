import { readFileSync } from "node:fs";
import { SOCKET_OPTION } from "../../../ffi/abi/socket.ts";
import { Memory } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";

/** What the operator of this machine lets every program choose: tcp(7). */
const allowedFile = "/proc/sys/net/ipv4/tcp_allowed_congestion_control";

const bbr = "bbr";

let memory: Memory | undefined;

/**
 * Has the kernel send by BBR on a connection to a machine that is far away, where every lost packet
 * would halve the speed otherwise. A hint: where it is not among what the operator allows
 * everybody, the connection stays as it is.
 */
export function preferBbr(fd: number): void {
  if (!isAllowed()) return;
  memory ??= new Memory(4096);
  memory.text.latin1Write(bbr, 0);
  const { IPPROTO_TCP, TCP_CONGESTION } = SOCKET_OPTION;
  sys.setsockopt(fd, IPPROTO_TCP, TCP_CONGESTION, memory.pointer, bbr.length);
}

function isAllowed(): boolean {
  try {
    return readFileSync(allowedFile, "latin1").trim().split(/\s+/).includes(bbr);
  } catch {
    return false;
  }
}
