/** A thread that unpacks wheels: jobs in, hashes or faults out. */
import { Fault } from "../../kit/fault/fault.ts";
import type { FromUnpackWorker, ToUnpackWorker } from "../wheel/messages.ts";
import { unpackWheel } from "../wheel/unpack.ts";

declare const self: Worker;

function perform({ id, store, job }: ToUnpackWorker): FromUnpackWorker {
  try {
    return { kind: "done", id, sha256: unpackWheel(store, job) };
  } catch (error) {
    if (error instanceof Fault) return { kind: "fault", id, fault: error.toJson() };
    // An uncaught throw would arrive as one line of text (docs/bun.md).
    const { message, stack } = error instanceof Error ? error : new Error(String(error));
    return { kind: "crashed", id, message, stack: stack ?? "" };
  }
}

self.onmessage = (event: MessageEvent<ToUnpackWorker>) => {
  self.postMessage(perform(event.data));
};
