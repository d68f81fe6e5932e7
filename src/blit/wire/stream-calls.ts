import { FCNTL, O } from "../../../ffi/abi/constants.ts";
import { SOCKET } from "../../../ffi/abi/socket.ts";
import { rdmaCalls } from "../../../ffi/rdma.ts";
import { sys } from "../../../ffi/sys.ts";
import type { StreamSeat } from "../session/types.ts";

/** What a stream is sent and received with: the kernel's sockets, or those over RDMA. */
export type StreamCalls = Pick<typeof sys, "send" | "recv" | "poll" | "close" | "fcntl">;

/** What connections are made and taken with. */
export type ConnectCalls = StreamCalls &
  Pick<typeof sys, "socket" | "bind" | "listen" | "connect" | "getsockname"> &
  Pick<typeof sys, "getsockopt" | "setsockopt"> & {
    /** The type for `socket`: those over RDMA know no flags in it. */
    readonly streamType: number;
    /** As accept(2); the new socket does not block, and is closed on exec. */
    readonly accept: (fd: number, address: number, length: number) => number;
  };

/** "rdma", or undefined: a socket of the kernel. */
export type Transport = StreamSeat["transport"];

/** Calls of the kernel take their place in `sys` when first made: it is asked each time. */
const kernel: ConnectCalls = Object.assign(Object.create(sys) as typeof sys, {
  streamType: SOCKET.SOCK_STREAM | SOCKET.SOCK_NONBLOCK | SOCKET.SOCK_CLOEXEC,
  accept: (fd: number, address: number, length: number) =>
    sys.accept4(fd, address, length, SOCKET.SOCK_NONBLOCK | SOCKET.SOCK_CLOEXEC),
});

/** @throws Error for RDMA where there is none: it must not have been agreed on */
export function callsOf(transport: Transport): StreamCalls {
  return transport === undefined ? sys : rdma();
}

/** As {@link callsOf}, for those who make connections. */
export function connectCallsOf(transport: Transport): ConnectCalls {
  if (transport === undefined) return kernel;
  const calls = rdma();
  return {
    ...calls,
    streamType: SOCKET.SOCK_STREAM,
    accept: (fd, address, length) => {
      const accepted = calls.accept(fd, address, length);
      if (accepted >= 0) calls.fcntl(accepted, FCNTL.SETFL, O.NONBLOCK);
      return accepted;
    },
  };
}

function rdma(): NonNullable<ReturnType<typeof rdmaCalls>> {
  const calls = rdmaCalls();
  if (calls === undefined) throw new Error("There is no RDMA here");
  return calls;
}
