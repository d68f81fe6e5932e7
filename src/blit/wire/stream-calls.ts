import { rdmaCalls } from "../../../ffi/rdma.ts";
import { sys } from "../../../ffi/sys.ts";
import type { StreamSeat } from "../session/types.ts";

/** What a stream is sent and received with: the kernel's sockets, or those over RDMA. */
export type StreamCalls = Pick<typeof sys, "send" | "recv" | "poll" | "close" | "fcntl">;

/** @throws Error for RDMA where there is none: it must not have been agreed on */
export function callsOf(transport: StreamSeat["transport"]): StreamCalls {
  if (transport === undefined) return sys;
  const calls = rdmaCalls();
  if (calls === undefined) throw new Error("There is no RDMA here");
  return calls;
}
