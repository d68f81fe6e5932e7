/** A thread for one administrative request below a module whose users have fewer rights. */
import { Fault } from "../../kit/fault/fault.ts";
import { faultFromBug } from "../../kit/fault/render.ts";
import { paced } from "../admin/pace.ts";
import { answer } from "../admin/request.ts";
import type { AdminFromWorker, AdminToWorker } from "../admin/worker-messages.ts";
import { confineThread } from "../daemon/confine.ts";

declare const self: Worker;

/** Parts that the caller may still be sent. */
let credit = 0;
let wake: (() => void) | undefined;

function post(message: AdminFromWorker): void {
  self.postMessage(message);
}

async function run(message: Extract<AdminToWorker, { kind: "start" }>): Promise<void> {
  const { base, request, confine } = message;
  try {
    confineThread({ rootFd: base.fd, ...confine });
    for await (const chunk of paced(answer(base, request))) {
      while (credit === 0) await new Promise<void>((resolve) => (wake = resolve));
      credit -= 1;
      post({ kind: "chunk", chunk });
    }
    post({ kind: "done" });
  } catch (error) {
    const fault = error instanceof Fault ? error : faultFromBug(error);
    post({ kind: "failed", fault: fault.toJson() });
  }
}

self.onmessage = (event: MessageEvent<AdminToWorker>) => {
  const message = event.data;
  if (message.kind === "start") void run(message);
  else {
    credit += message.chunks;
    wake?.();
  }
};
