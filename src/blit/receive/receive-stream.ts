import { type Fault, faultFromJson } from "../../kit/fault/fault.ts";
import { type LifeMessage, StreamWorker } from "../session/stream-worker.ts";
import type { WorkerSource } from "../session/warm-workers.ts";
import type { Found, FromReceiver, ToReceiver } from "./messages.ts";

/** What a worker says at the end of a phase. */
export type StreamAnswer = Extract<FromReceiver, { kind: "written" | "finished" | "cancelled" }>;

type Said = Exclude<FromReceiver, LifeMessage>;

export type StreamEvents = {
  readonly found: (found: Found) => void;
  /** The stream is of no use any more; undefined: because the run was cancelled. */
  readonly failed: (fault: Fault | undefined) => void;
};

/** One receiving stream as the main thread sees it. */
export class ReceiveStream {
  readonly #worker: StreamWorker<ToReceiver, Said, StreamAnswer>;
  readonly #events: StreamEvents;

  constructor(worker: Worker, start: Extract<ToReceiver, { kind: "start" }>, events: StreamEvents) {
    this.#events = events;
    this.#worker = new StreamWorker<ToReceiver, Said, StreamAnswer>(worker, start, {
      side: "receiving",
      hear: (message) => this.#hear(message),
      failed: events.failed,
    });
  }

  post(message: ToReceiver): void {
    this.#worker.post(message);
  }

  /** The worker's answer to the last phase. @throws Fault where the stream cannot go on */
  answer(): Promise<StreamAnswer> {
    return this.#worker.answer();
  }

  /** As StreamWorker.close. */
  async close(workers?: WorkerSource): Promise<void> {
    await this.#worker.close(workers);
  }

  #hear(message: Said): void {
    switch (message.kind) {
      case "found":
        this.#events.found(message);
        return;
      case "written":
      case "finished":
      case "cancelled":
        if (message.kind === "cancelled") this.#events.failed(undefined);
        this.#worker.answered(message);
        return;
      case "broken":
        this.#worker.fail(faultFromJson(message.fault));
    }
  }
}
