/** A thread that helps an install: wheels to compare or a list of units in, one answer out. */

import { Fault } from "../../kit/fault/fault.ts";
import { workOnLinks } from "../env/link.ts";
import type { FromInstallWorker, ToInstallWorker } from "../env/link-helpers.ts";
import { isSoundWheel } from "../wheel/verify.ts";

declare const self: Worker;

function perform(job: ToInstallWorker): FromInstallWorker {
  try {
    if (job.kind === "compare") return { kind: "done", isSound: job.wheels.every(isSoundWheel) };
    workOnLinks(job.list, job.mode, "end");
    return { kind: "done", isSound: true };
  } catch (error) {
    if (error instanceof Fault) return { kind: "fault", fault: error.toJson() };
    // An uncaught throw would arrive as one line of text (docs/bun.md).
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    return { kind: "crashed", message, stack: stack ?? "" };
  }
}

self.onmessage = (event: MessageEvent<ToInstallWorker>) => {
  self.postMessage(perform(event.data));
};
