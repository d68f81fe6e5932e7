/** A thread for one administrative request to a daemon. */
import { Fault } from "../../kit/fault/fault.ts";
import { faultFromBug } from "../../kit/fault/render.ts";
import { paced } from "../admin/pace.ts";
import { answer } from "../admin/request.ts";
import type { AdminFromWorker, AdminToWorker } from "../admin/worker-messages.ts";
import { confineThread } from "../daemon/confine.ts";

declare const self: Worker;

/** Parts that may still be sent. */
let credit = 0;
let wake: (() => void) | undefined;
const cancellation = new AbortController();
const { signal } = cancellation;

function post(message: AdminFromWorker): void {
  self.postMessage(message);
}

async function run(message: Extract<AdminToWorker, { kind: "start" }>): Promise<void> {
  const { base, request, confine } = message;
  try {
    if (confine !== undefined) confineThread({ rootFd: base.fd, ...confine });
    for await (const chunk of paced(answer(base, request), signal)) {
      while (credit === 0 && !signal.aborted) await more();
      if (signal.aborted) break;
      credit -= 1;
      post({ kind: "chunk", chunk });
    }
    post({ kind: "done" });
  } catch (error) {
    const fault = error instanceof Fault ? error : faultFromBug(error);
    post({ kind: "failed", fault: fault.toJson() });
  }
}

function more(): Promise<void> {
  return new Promise((resolve) => {
    wake = resolve;
  });
}

self.onmessage = (event: MessageEvent<AdminToWorker>) => {
  const message = event.data;
  if (message.kind === "start") void run(message);
  if (message.kind === "credit") credit += message.chunks;
  if (message.kind === "cancel") cancellation.abort();
  wake?.();
};
