import { cpus } from "node:os";
import { Fault } from "../../kit/fault/fault.ts";
import type { CallContext } from "../control/calls.ts";
import type { DataCapabilities } from "../control/proto/blit_pb.js";
import { ports } from "../ports.ts";
import type { MessageQueue } from "../remote/message-queue.ts";
import { WarmWorkers } from "../session/warm-workers.ts";
import { WIRE_VERSION } from "../wire/frame.ts";
import { hasKernelTls } from "../wire/ktls.ts";
import type { DaemonLog } from "./daemon-log.ts";
import type { DataPlane } from "./data-plane.ts";
import type { HostRules } from "./host-rules.ts";
import type { JobTable, RunningJob } from "./jobs.ts";
import { identitiesOf, type ModuleTable } from "./modules.ts";
import { type Chunk, connectedStreams, pumpedStreams, type SessionStreams } from "./streams.ts";

/** What transfers need of the daemon. */
export type TransferHost = {
  readonly modules: Pick<ModuleTable, "enter">;
  readonly jobs: JobTable;
  readonly log: DaemonLog;
  /** Threads that sessions share, one after the other. */
  readonly workers: SessionWorkers;
  data(): DataPlane;
  delegation(): { readonly enabled: boolean; readonly hosts: HostRules };
};

/** More streams than this only wait for each other. */
const STREAMS_MAX = 8;

/** So many a session has whose client is near. */
const nearStreams = Math.min(STREAMS_MAX, Math.max(2, cpus().length));

export type SessionWorkers = { readonly send: WarmWorkers; readonly receive: WarmWorkers };

/** One run after the other finds them warm; for one in an hour memory is worth more. */
const idleWorkersMs = 60_000;

/** As many threads of each kind are kept as one session uses. */
export function sessionWorkers(): SessionWorkers {
  const warm = (port: "createSendWorker" | "createReceiveWorker"): WarmWorkers => {
    const make = (): Worker => {
      const create = ports[port];
      if (create === undefined) throw new Error("No way to start a worker is plugged in");
      return create();
    };
    return new WarmWorkers({ make, max: nearStreams, idleMs: idleWorkersMs });
  };
  return { send: warm("createSendWorker"), receive: warm("createReceiveWorker") };
}

/**
 * How many streams a session gets: no more than either side can serve, and fewer where others run,
 * because each is a thread that has to be started.
 * @param running transfers of this daemon, this one too
 */
export function streamCount(client: DataCapabilities | undefined, running: number): number {
  const wanted = client?.streamsMax ?? 0;
  const isFar = client?.isFar === true;
  const own = isFar ? STREAMS_MAX : nearStreams;
  const share = Math.floor((2 * own) / Math.max(1, running));
  return Math.max(1, Math.min(wanted, own, share));
}

/** @throws {Fault} E_NETWORK where the client speaks another version of the wire */
export function checkVersion(client: DataCapabilities | undefined): void {
  const version = client?.wireVersion ?? 0;
  if (version === WIRE_VERSION) return;
  throw new Fault({
    code: "E_NETWORK",
    message: `The client speaks version ${version} of the data plane, the daemon ${WIRE_VERSION}`,
    hint: "use the same release of blit on both sides",
  });
}

/** Begins a job, whose cancellation reaches the conversation once there is one. */
export function startJob(
  host: TransferHost,
  context: CallContext,
  about: { readonly kind: string; readonly module: string; readonly path: string },
): { readonly job: RunningJob; readonly bind: (cancel: (reason: Fault) => void) => void } {
  let cancel = (_: Fault): void => {};
  const { peer } = context;
  const who = { peer: peer.address, identities: identitiesOf(peer) };
  const job = host.jobs.start({ ...about, ...who }, (reason) => cancel(reason));
  return {
    job,
    bind: (action) => {
      cancel = action;
    },
  };
}

/** How pumped bytes become answers. */
type Speech<Answer> = {
  readonly answers: MessageQueue<Answer>;
  readonly message: (chunk: Chunk) => Answer;
};

/** The streams that a client and this daemon can have. */
export async function openStreams<Answer>(
  host: TransferHost,
  context: CallContext,
  client: DataCapabilities | undefined,
  { answers, message }: Speech<Answer>,
): Promise<SessionStreams> {
  const count = streamCount(client, host.jobs.running);
  if (client?.forceGrpcData === true) {
    return pumpedStreams(count, {
      push: (chunk) => answers.push(message(chunk), chunk.data.length),
      hasRoom: () => answers.hasRoom,
      whenRoom: () => answers.whenRoom(),
    });
  }
  return connectedStreams({
    plane: host.data(),
    count,
    peerAddress: context.peer.address,
    end: context,
    mayUseRdma: client?.supportsRdma === true,
    isFar: client?.isFar === true,
    hasKernelTls: client?.supportsKernelTls === true && context.peer.isEncrypted && hasKernelTls(),
  });
}

/** What the client is told about them. */
export function negotiationOf(streams: SessionStreams) {
  return {
    dataPort: streams.dataPort,
    oneTimeTokens: [...streams.tokens],
    supportsRdma: streams.rdmaPort > 0,
    rdmaQp: streams.rdmaPort,
    overGrpc: streams.isOverGrpc,
    kernelTls: streams.hasKernelTls,
    isEncrypted: streams.isEncrypted,
    session: streams.session,
    supportsParts: !streams.isOverGrpc,
  };
}
