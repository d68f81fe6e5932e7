/** A thread for one job of libalpm, which blocks. */
import { Fault } from "../../kit/fault/fault.ts";
import { faultFromBug } from "../../kit/fault/render.ts";
import { performJob } from "../package/alpm/jobs.ts";
import type { PackageFromWorker, PackageToWorker } from "../package/alpm/messages.ts";
import { keepToThread, showKernelIn } from "../package/alpm/thread.ts";
import { packagePathsOf } from "../package/paths.ts";

declare const self: Worker;

function post(message: PackageFromWorker): void {
  self.postMessage(message);
}

self.onmessage = (event: MessageEvent<PackageToWorker>) => {
  const { options, job } = event.data;
  try {
    keepToThread();
    if (job.kind === "run") showKernelIn(packagePathsOf(options).root);
    const result = performJob(options, job, {
      onEvent: (told) => post({ kind: "event", event: told }),
      onHandle: (handle) => post({ kind: "handle", handle }),
    });
    post({ kind: "done", result });
  } catch (error) {
    const fault = error instanceof Fault ? error : faultFromBug(error);
    post({ kind: "failed", fault: fault.toJson() });
  }
};
