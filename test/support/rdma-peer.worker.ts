/** The other end of a stream over RDMA: connects, takes a file, says that it has it. */
import { SOCKET } from "../../ffi/abi/socket.ts";
import { rdmaCalls } from "../../ffi/rdma.ts";
import { check } from "../../ffi/sys.ts";
import { DataSocket } from "../../src/blit/wire/data-socket.ts";
import { inetAddress } from "./socket-pair.ts";

declare const self: Worker;

export type RdmaRequest = {
  readonly address: string;
  readonly port: number;
  readonly file: number;
  readonly length: number;
};

self.onmessage = ({ data }: MessageEvent<RdmaRequest>) => {
  const calls = rdmaCalls();
  if (calls === undefined) throw new Error("There is no library");
  const to = inetAddress(data.address, data.port);
  const fd = check(calls.socket(SOCKET.AF_INET, SOCKET.SOCK_STREAM, 0), "rsocket");
  check(calls.connect(fd, to.pointer, to.length), "rconnect");
  const socket = new DataSocket(
    { index: 0, fd, transport: "rdma", keys: undefined, stallMs: 60_000 },
    { isCancelled: () => false },
  );
  const received = socket.receiveToFile(data.file, 0, data.length);
  socket.reserve(4);
  socket.commit(socket.out.text.latin1Write("done", socket.outPosition));
  const flushed = socket.flush();
  // The end of the other side, before this one goes.
  const end = socket.need(1);
  socket.close();
  self.postMessage({ received, flushed, end });
};
