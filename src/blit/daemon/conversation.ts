import { Fault } from "../../kit/fault/fault.ts";
import type { CallContext } from "../control/calls.ts";
import { cancelReason } from "../engine/shared-state.ts";
import { MessageQueue } from "../remote/message-queue.ts";
import type { SessionProgress, StreamSeat } from "../session/types.ts";
import type { DaemonLog } from "./daemon-log.ts";
import { endLine, startLine } from "./job-line.ts";
import type { RunningJob } from "./jobs.ts";
import type { SessionStreams } from "./streams.ts";

/** How often the client is told how far this side is. */
const PROGRESS_MS = 250;

/** What is common to a SendSession, a ReceiveSession and a link to another daemon. */
type AnySession = {
  progress(): SessionProgress;
  cancel(reason: number): void;
  close(): Promise<void>;
  /** Resolves with the reason as soon as the session cannot go on. */
  readonly failed?: Promise<Fault>;
};

/**
 * The daemon's side of one transfer, as far as pushes and pulls are alike: what it says goes
 * through one queue, what it holds is given back whichever way it ends.
 */
export class Conversation<Answer> {
  readonly answers = new MessageQueue<Answer>();
  readonly #signal: AbortSignal;
  readonly #job: RunningJob;
  readonly #log: DaemonLog;
  readonly #onAbort = (): void => this.#break();
  readonly #held: (() => void)[] = [];
  readonly #pending = new Set<Promise<void>>();
  #session: AnySession | undefined;
  #streams: SessionStreams | undefined;
  #attached: Promise<void> | undefined;
  #timer: Timer | undefined;
  #failure: unknown;
  #isOver = false;
  /** Why it was told to end, where it was. */
  #cancelled: Fault | undefined;

  constructor(context: CallContext, job: RunningJob, log: DaemonLog) {
    this.#signal = context.signal;
    this.#job = job;
    this.#log = log;
    log.verbose(startLine(job.job));
    context.signal.addEventListener("abort", this.#onAbort);
  }

  /** Calls it when the conversation is over: at once where it is already, since a client may go. */
  hold(release: () => void): void {
    if (this.#isOver) release();
    else this.#held.push(release);
  }

  /**
   * From now on the session is cancelled and closed with the conversation.
   * @throws {Fault} where that is over already: the session is closed
   */
  open(session: AnySession): void {
    if (this.#isOver) {
      session.cancel(cancelReason.interrupted);
      void session.close();
      throw cancelled();
    }
    this.#session = session;
    this.#job.watch(() => session.progress());
    void session.failed?.then((fault) => {
      if (!this.#isOver) this.#fail(fault);
    });
    if (this.#cancelled !== undefined || this.#signal.aborted) this.#break();
  }

  /** Gives the session its streams as they come. */
  attach(streams: SessionStreams, addStream: (seat: StreamSeat) => void): void {
    this.#streams = streams;
    this.#attached = streams.attach(addStream);
    this.also(this.#attached);
  }

  /** A pass begins on all streams at once. @throws {Fault} E_NETWORK where one does not come */
  async allAttached(): Promise<void> {
    await this.#attached;
  }

  get streams(): SessionStreams {
    if (this.#streams === undefined) throw outOfOrder();
    return this.#streams;
  }

  /** Work beside the reading of requests; its failure ends the conversation. */
  also(work: Promise<void>): void {
    const watched = work
      .catch((error: unknown) => this.#fail(error))
      .finally(() => this.#pending.delete(watched));
    this.#pending.add(watched);
  }

  /** Says from time to time how far this side is, until `quiet`. */
  tell(message: (progress: SessionProgress) => Answer): void {
    this.quiet();
    const session = this.#session;
    if (session === undefined) return;
    this.#timer = setInterval(() => this.answers.push(message(session.progress())), PROGRESS_MS);
  }

  quiet(): void {
    clearInterval(this.#timer);
  }

  /** The client, or somebody who may, has asked for the end. */
  cancel(reason: Fault = cancelled()): void {
    this.#cancelled ??= reason;
    this.#break();
  }

  /**
   * Answers until `talk` has come to its end, which reads the requests.
   * Whatever was begun is over when this is.
   */
  async *run(talk: () => Promise<void>): AsyncGenerator<Answer, void, undefined> {
    const talking = talk().then(
      async () => {
        await this.#settled();
        if (this.#failure === undefined) this.answers.end();
        else this.answers.fail(this.#failure);
      },
      (error: unknown) => this.#fail(error),
    );
    let isWhole = false;
    try {
      yield* this.answers;
      isWhole = true;
    } finally {
      if (!isWhole) this.#break();
      await this.#finish(isWhole && this.#failure === undefined);
      // A client that says nothing more must not keep what is over.
      void talking;
    }
  }

  async #settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending);
  }

  #fail(error: unknown): void {
    // What breaks because it was told to is no failure of its own.
    this.#failure ??= this.#cancelled ?? error;
    this.#break();
    this.answers.fail(this.#failure);
  }

  /** Stops what runs. Whole files stay; partial ones go, or stay hidden. */
  #break(): void {
    if (this.#isOver) return;
    this.#session?.cancel(cancelReason.interrupted);
    this.#streams?.close();
    if (this.#cancelled !== undefined) this.answers.fail(this.#cancelled);
    else if (this.#signal.aborted) this.answers.end();
  }

  async #finish(isDone: boolean): Promise<void> {
    this.#isOver = true;
    this.quiet();
    this.#signal.removeEventListener("abort", this.#onAbort);
    this.#streams?.close();
    try {
      await this.#session?.close();
    } finally {
      const isCut = this.#cancelled !== undefined || this.#signal.aborted;
      this.#job.end(isCut ? "cancelled" : isDone ? "done" : "failed");
      this.#log.note(endLine(this.#job.job, Date.now(), this.#failure));
      for (const release of this.#held.splice(0)) release();
    }
  }
}

function cancelled(): Fault {
  return new Fault({ code: "E_INTERRUPTED", message: "The transfer was cancelled" });
}

/** A client that does not keep to the order of messages. */
export function outOfOrder(): Fault {
  return new Fault({
    code: "E_INTEGRITY",
    message: "The client sent a message that has no place here",
  });
}

/** Takes the first message off a stream, whose other ones are still to be read. */
export async function firstMessage<Message>(
  messages: AsyncIterable<Message>,
): Promise<{ readonly first: Message; readonly rest: AsyncIterable<Message> }> {
  const iterator = messages[Symbol.asyncIterator]();
  const { done, value } = await iterator.next();
  if (done === true) throw outOfOrder();
  return { first: value, rest: { [Symbol.asyncIterator]: () => iterator } };
}
