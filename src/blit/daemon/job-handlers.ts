import type { MessageInitShape } from "@bufbuild/protobuf";
import { Fault } from "../../kit/fault/fault.ts";
import type { CallContext, ControlHandlers, Peer } from "../control/calls.ts";
import { isLoopback } from "../control/peer-address.ts";
import type { JobSchema } from "../control/proto/blit_pb.js";
import { type Job, type JobTable, unknownJob } from "./jobs.ts";
import { identitiesOf, type ModuleTable } from "./modules.ts";

/** How often a watched job is told about. */
const WATCH_MS = 500;

/** What the calls about jobs need of the daemon. */
export type JobPort = {
  readonly jobs: JobTable;
  readonly modules: Pick<ModuleTable, "isVisible">;
};

/**
 * Answers the calls about jobs. A caller sees what happens in the modules that it may use; it ends
 * only what is its own, unless it calls from the daemon's machine.
 */
export function createJobHandlers(
  port: JobPort,
): Pick<ControlHandlers, "listJobs" | "watchJob" | "cancelJob"> {
  const { jobs, modules } = port;
  const find = async (id: string, { peer }: CallContext): Promise<Job> => {
    const job = jobs.get(id);
    // What one may not see looks as if it were not there.
    if (!(await modules.isVisible(job.module, peer))) throw unknownJob(id);
    return job;
  };
  return {
    async listJobs(_request, { peer }) {
      const visible: MessageInitShape<typeof JobSchema>[] = [];
      for (const job of jobs.list()) {
        if (await modules.isVisible(job.module, peer)) visible.push(jobMessage(job));
      }
      return { jobs: visible };
    },
    async *watchJob({ id }, context) {
      const job = await find(id, context);
      while (job.state === "running" && !context.signal.aborted) {
        yield jobMessage(job);
        await pause(WATCH_MS, context.signal);
      }
      yield jobMessage(job);
    },
    async cancelJob({ id }, context) {
      const job = await find(id, context);
      if (!mayCancel(job, context.peer)) {
        throw new Fault({
          code: "E_AUTH",
          message: `Cannot cancel the job "${job.id}": another client has started it`,
          hint: "call from where it was started, or from the daemon's machine",
        });
      }
      return { wasRunning: jobs.cancel(job.id) };
    },
  };
}

function mayCancel(job: Job, peer: Peer): boolean {
  if (isLoopback(peer.address)) return true;
  const identities = identitiesOf(peer);
  return job.peer === peer.address && job.identities.every((one) => identities.includes(one));
}

function jobMessage(job: Job): MessageInitShape<typeof JobSchema> {
  const { counts, isFinal } = job.progress();
  return {
    id: job.id,
    kind: job.kind,
    peer: job.peer,
    module: job.module,
    path: Buffer.from(job.path, "latin1"),
    startedMilliseconds: BigInt(job.startedMs),
    progress: { counts: [...counts], isFinal },
    state: job.state,
  };
}

/** Returns early when the call is over. */
function pause(forMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, forMs);
    function done(): void {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    }
    signal.addEventListener("abort", done);
  });
}
