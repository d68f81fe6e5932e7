import { errnoText } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { DATA_CHUNK_BYTES_MAX } from "../control/limits.ts";
import { deriveStreamKeys, sessionSecret } from "../control/stream-keys.ts";
import { StreamPump } from "../remote/stream-pump.ts";
import type { StreamKeys, StreamSeat } from "../session/types.ts";
import { preferBbr } from "../wire/congestion.ts";
import { setKernelTls } from "../wire/ktls.ts";
import { callsOf, type Transport } from "../wire/stream-calls.ts";
import type { DataPlane } from "./data-plane.ts";

/** Connections have to be there so soon after the client was told where to. */
const ARRIVAL_MS = 15_000;

/** Nothing moves for so long although it should: told within the 10 s that are promised. */
export const STALL_MS = 9_000;

/** The data streams of one session, however their bytes travel. */
export type SessionStreams = {
  /** For the client: one token for each stream; empty ones where there is no connection. */
  readonly tokens: readonly Uint8Array[];
  readonly dataPort: number;
  /** For connections over RDMA; 0 = none. */
  readonly rdmaPort: number;
  readonly isOverGrpc: boolean;
  readonly isEncrypted: boolean;
  readonly hasKernelTls: boolean;
  /** Id of the session: the context of the exporter. */
  readonly session: Uint8Array;
  /** Hands every stream on as soon as it is there. @throws {Fault} E_NETWORK where one is not */
  attach(addStream: (seat: StreamSeat) => void): Promise<void>;
  /** Takes bytes that came as a message; resolves when there is room for more. */
  take(chunk: Chunk): Promise<void>;
  close(): void;
};

/** A DataChunk, as far as it matters here. */
export type Chunk = {
  readonly stream: number;
  readonly data: Uint8Array;
  readonly isEnd: boolean;
};

/** Streams that are connections of their own. */
export function connectedStreams(options: {
  readonly plane: DataPlane;
  readonly count: number;
  /** The only address that they may come from. */
  readonly peerAddress: string;
  /** The control connection, whose secret the keys come from. */
  readonly end: Parameters<typeof sessionSecret>[0];
  /** Both sides have TLS in their kernel. */
  readonly hasKernelTls: boolean;
  /** The client can come by it. */
  readonly mayUseRdma: boolean;
  /** The client is far away. */
  readonly isFar: boolean;
}): SessionStreams {
  const { plane, count, peerAddress } = options;
  const rdmaPort = options.mayUseRdma ? plane.rdmaPort() : 0;
  const sockets = new Map<number, { readonly fd: number; readonly transport: Transport }>();
  let changed = (): void => {};
  const offer = plane.offer({ count, peerAddress }, (stream, fd, transport) => {
    sockets.set(stream, { fd, transport });
    changed();
  });
  const untilNext = (deadline: number): Promise<void> =>
    new Promise((resolve, reject) => {
      const late = new Fault({
        code: "E_NETWORK",
        message: `The data connections did not come about within ${ARRIVAL_MS / 1000} s`,
        hint: "does a firewall let the client reach the data port? --force-grpc-data needs none",
      });
      const timer = setTimeout(() => reject(late), Math.max(0, deadline - performance.now()));
      changed = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  const secret = sessionSecret(options.end, offer.session);
  const hasKernelTls = options.hasKernelTls && secret !== undefined;
  const keysOf = (fd: number, stream: number, transport: Transport): StreamKeys | undefined => {
    if (secret === undefined) return undefined;
    const keys = deriveStreamKeys({ secret, stream, end: "daemon" });
    if (!hasKernelTls || transport === "rdma") return keys;
    giveKeysToKernel(fd, keys);
    return undefined;
  };
  let isClosed = false;
  return {
    tokens: offer.tokens,
    dataPort: plane.port,
    rdmaPort,
    isOverGrpc: false,
    isEncrypted: secret !== undefined,
    hasKernelTls,
    session: offer.session,
    attach: async (addStream) => {
      const deadline = performance.now() + ARRIVAL_MS;
      for (let arrived = 0; arrived < count && !isClosed; ) {
        if (sockets.size === 0) await untilNext(deadline);
        for (const [index, { fd, transport }] of sockets) {
          sockets.delete(index);
          if (options.isFar && transport === undefined) preferBbr(fd);
          const keys = keysOf(fd, index, transport);
          addStream({ index, fd, transport, keys, stallMs: STALL_MS });
          arrived += 1;
        }
      }
      offer.close();
    },
    take: () => {
      throw new Fault({ code: "E_INTEGRITY", message: "Data came where none was agreed on" });
    },
    close: () => {
      isClosed = true;
      offer.close();
      for (const { fd, transport } of sockets.values()) callsOf(transport).close(fd);
      sockets.clear();
      changed();
    },
  };
}

/** @throws {Fault} E_NETWORK: the client expects the kernel's records */
function giveKeysToKernel(fd: number, keys: StreamKeys): void {
  const result = setKernelTls(fd, keys);
  if (result >= 0) return;
  sys.close(fd);
  throw new Fault({
    code: "E_NETWORK",
    message: `The kernel does not take the keys of a stream: ${errnoText(-result)}`,
  });
}

/** Where pumped bytes go. */
export type ChunkOutlet = {
  push(chunk: Chunk): void;
  readonly hasRoom: () => boolean;
  readonly whenRoom: () => Promise<void>;
};

/** Streams inside of the control stream. */
export async function pumpedStreams(count: number, outlet: ChunkOutlet): Promise<SessionStreams> {
  const pumps: StreamPump[] = [];
  for (let stream = 0; stream < count; stream++) {
    pumps.push(
      await StreamPump.open({
        take: (data) => outlet.push({ stream, data, isEnd: false }),
        hasRoom: outlet.hasRoom,
        whenRoom: outlet.whenRoom,
        ended: () => outlet.push({ stream, data: new Uint8Array(), isEnd: true }),
      }),
    );
  }
  let isAttached = false;
  return {
    tokens: pumps.map(() => new Uint8Array()),
    dataPort: 0,
    rdmaPort: 0,
    isOverGrpc: true,
    isEncrypted: false,
    hasKernelTls: false,
    session: new Uint8Array(),
    attach: async (addStream) => {
      isAttached = true;
      for (const [index, { workerFd }] of pumps.entries()) {
        addStream({ index, fd: workerFd, keys: undefined, stallMs: STALL_MS });
      }
    },
    take: async ({ stream, data, isEnd }) => {
      const pump = pumps[stream];
      if (pump === undefined || data.length > DATA_CHUNK_BYTES_MAX) {
        throw new Fault({ code: "E_INTEGRITY", message: "Data came for a stream that is none" });
      }
      await pump.deliver(data);
      if (isEnd) pump.finish();
    },
    close: () => {
      for (const pump of pumps) {
        pump.close();
        if (!isAttached) sys.close(pump.workerFd);
      }
      isAttached = true;
    },
  };
}
