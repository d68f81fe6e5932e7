import type { MessageInitShape } from "@bufbuild/protobuf";
import { errnoText } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import { Fault } from "../../kit/fault/fault.ts";
import type { ControlClient } from "../control/client.ts";
import type {
  DataChunk,
  DataChunkSchema,
  DataTransferNegotiation,
} from "../control/proto/blit_pb.js";
import { deriveStreamKeys, sessionSecret } from "../control/stream-keys.ts";
import type { StreamKeys, StreamSeat } from "../session/types.ts";
import { preferBbr } from "../wire/congestion.ts";
import { setKernelTls } from "../wire/ktls.ts";
import { hasRdma } from "../wire/rdma.ts";
import { callsOf, type Transport } from "../wire/stream-calls.ts";
import { connectData, type DataAddress, DataPortUnreachable } from "./data-connection.ts";
import type { MessageQueue } from "./message-queue.ts";
import { StreamPump } from "./stream-pump.ts";

/** Nothing moves for so long although it should: told within the 10 s that are promised. */
const STALL_MS = 9_000;

/** Streams that a client ever asks for. */
export const STREAMS_MAX = 8;

/** A daemon whose answer takes at least so long is far away. */
const FAR_MS = 5;

/** To such a daemon; more than that cost a small transfer more than they bring a large one. */
const FAR_STREAMS = 4;

/** What a client asks for. */
export type WantedStreams = {
  readonly count: number;
  /** The daemon is far away: one stream waits for acknowledgements for most of its time. */
  readonly isFar: boolean;
};

/** As many streams as this machine can serve at full speed. */
export function nearStreams(): WantedStreams {
  const count = Math.min(STREAMS_MAX, Math.max(2, navigator.hardwareConcurrency));
  return { count, isFar: false };
}

/** To a daemon that is far away there are more. */
export async function wantedStreams(
  client: Pick<ControlClient, "roundTripMs">,
): Promise<WantedStreams> {
  const isFar = (await client.roundTripMs(FAR_MS)) >= FAR_MS;
  const near = nearStreams();
  return isFar ? { count: Math.max(near.count, FAR_STREAMS), isFar } : near;
}

/** The data streams of one session, ready for frames. */
export type ClientStreams = {
  readonly transport: "tcp" | "rdma";
  readonly seats: readonly StreamSeat[];
  /** Takes bytes that came as a message; resolves when there is room for more. */
  take(chunk: DataChunk): Promise<void>;
  /** Closes what no session has taken over. */
  close(options: { readonly seatsToo: boolean }): void;
};

/**
 * Makes the connections that a daemon has offered, all at once.
 * @param isFar the daemon is far away
 * @throws {DataPortUnreachable} where one of them does not come about; none stays open then
 */
export async function connectStreams(
  client: Pick<ControlClient, "address" | "exporter" | "isEncrypted">,
  offer: DataTransferNegotiation,
  { signal, isFar }: { readonly signal: AbortSignal; readonly isFar: boolean },
): Promise<ClientStreams> {
  checkEncryption(client, offer);
  const { transport, fds } = await dial(client.address, offer, signal);
  if (isFar && transport === undefined) fds.forEach(preferBbr);
  const { close } = callsOf(transport);
  const seats: StreamSeat[] = [];
  try {
    for (const [index, fd] of fds.entries()) {
      const keys = keysOf(client, offer, { fd, index, transport });
      seats.push({ index, fd, transport, keys, stallMs: STALL_MS });
    }
  } catch (error) {
    for (const fd of fds) close(fd);
    throw error;
  }
  return {
    transport: transport ?? "tcp",
    seats,
    take: () => Promise.reject(notAgreed("data came where none was agreed on")),
    close: ({ seatsToo }) => {
      if (seatsToo) for (const fd of fds) close(fd);
    },
  };
}

type Dialled = { readonly transport: Transport; readonly fds: readonly number[] };

/** Connects over RDMA where both sides have it and the one reaches the other, else over TCP. */
async function dial(
  address: string,
  offer: DataTransferNegotiation,
  signal: AbortSignal,
): Promise<Dialled> {
  const tokens = offer.oneTimeTokens;
  const tcp = { address, port: offer.dataPort };
  const [first, ...others] = tokens;
  if (first === undefined || !offer.supportsRdma || !hasRdma()) {
    return dialAll({ to: tcp, transport: undefined, tokens, fds: [] }, signal);
  }
  const to = { address, port: offer.rdmaQp };
  let probe: number;
  try {
    // One for all: the address may be of a network that the device is not part of.
    probe = await connectData(to, first, signal, "rdma");
  } catch (error) {
    if (!(error instanceof DataPortUnreachable)) throw error;
    return dialAll({ to: tcp, transport: undefined, tokens, fds: [] }, signal);
  }
  return dialAll({ to, transport: "rdma", tokens: others, fds: [probe] }, signal);
}

/** @throws {DataPortUnreachable} where one does not come about; none stays open then */
async function dialAll(
  request: Dialled & { readonly to: DataAddress; readonly tokens: readonly Uint8Array[] },
  signal: AbortSignal,
): Promise<Dialled> {
  const { to, transport, tokens } = request;
  const dialled = await Promise.allSettled(
    tokens.map((token) => connectData(to, token, signal, transport)),
  );
  const made = dialled.flatMap((each) => (each.status === "fulfilled" ? [each.value] : []));
  const fds = [...request.fds, ...made];
  const failed = dialled.find((each) => each.status === "rejected");
  if (failed === undefined) return { transport, fds };
  for (const fd of fds) callsOf(transport).close(fd);
  throw failed.reason;
}

/**
 * The keys of a stream; undefined where it is plain, or where the kernel has taken them.
 * @throws {Fault} E_NETWORK where it does not, E_INTEGRITY where there can be none
 */
function keysOf(
  client: Pick<ControlClient, "exporter">,
  offer: DataTransferNegotiation,
  stream: { readonly fd: number; readonly index: number; readonly transport: Transport },
): StreamKeys | undefined {
  const { fd, index, transport } = stream;
  if (!offer.isEncrypted) return undefined;
  const secret = sessionSecret(client, offer.session);
  if (secret === undefined) throw notAgreed("it wants the data encrypted without TLS");
  const keys = deriveStreamKeys({ secret, stream: index, end: "client" });
  if (!offer.kernelTls || transport === "rdma") return keys;
  const result = setKernelTls(fd, keys);
  if (result >= 0) return undefined;
  throw new Fault({
    code: "E_NETWORK",
    message: `The kernel does not take the keys of a stream: ${errnoText(-result)}`,
  });
}

/** What is encrypted on one connection must not go in clear over another. */
function checkEncryption(
  client: Pick<ControlClient, "isEncrypted">,
  offer: DataTransferNegotiation,
): void {
  if (client.isEncrypted && !offer.isEncrypted) {
    throw notAgreed("it wants the data in clear although the control connection is encrypted");
  }
  if (offer.oneTimeTokens.length === 0 || offer.oneTimeTokens.length > STREAMS_MAX) {
    throw notAgreed(`it offers ${offer.oneTimeTokens.length} data connections`);
  }
}

function notAgreed(what: string): Fault {
  return new Fault({
    code: "E_INTEGRITY",
    message: `The daemon does not keep to the protocol: ${what}`,
    hint: "are both sides of the same version of blit?",
  });
}

type ChunkInit = MessageInitShape<typeof DataChunkSchema>;

/** Streams whose bytes go through the control stream. */
export async function pumpStreams<M>(
  count: number,
  requests: MessageQueue<M>,
  messageOf: (chunk: ChunkInit) => M,
): Promise<ClientStreams> {
  if (count > STREAMS_MAX) throw notAgreed(`it offers ${count} streams`);
  const pumps: StreamPump[] = [];
  for (let stream = 0; stream < Math.max(1, count); stream++) {
    pumps.push(
      await StreamPump.open({
        take: (data) => requests.push(messageOf({ stream, data, isEnd: false }), data.length),
        hasRoom: () => requests.hasRoom,
        whenRoom: () => requests.whenRoom(),
        ended: () => requests.push(messageOf({ stream, data: new Uint8Array(), isEnd: true })),
      }),
    );
  }
  return {
    transport: "tcp",
    seats: pumps.map(
      ({ workerFd }, index): StreamSeat => ({
        index,
        fd: workerFd,
        keys: undefined,
        stallMs: STALL_MS,
      }),
    ),
    take: async ({ stream, data, isEnd }) => {
      const pump = pumps[stream];
      if (pump === undefined) throw notAgreed("data came for a stream that is none");
      await pump.deliver(data);
      if (isEnd) pump.finish();
    },
    close: ({ seatsToo }) => {
      for (const pump of pumps) {
        pump.close();
        if (seatsToo) sys.close(pump.workerFd);
      }
    },
  };
}
