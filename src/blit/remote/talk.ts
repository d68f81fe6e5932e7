import { Fault } from "../../kit/fault/fault.ts";
import type { CallOptions } from "../control/calls.ts";
import { MessageQueue } from "./message-queue.ts";

/** A message of a conversation: one of several kinds. */
type Tagged = { readonly payload: { readonly case?: string | undefined } };

/** The kinds of a message that have a value. */
type Kind<M extends Tagged> = Extract<M["payload"], { case: string }>["case"];

type ValueOf<M extends Tagged, K> = Extract<M["payload"], { case: K; value: unknown }>["value"];

/** What to do with messages that nobody waits for, as they come; the next one comes when done. */
export type Listeners<M extends Tagged> = {
  readonly [K in Kind<M>]?: (value: ValueOf<M, K>) => void | Promise<void>;
};

type Waiter = {
  readonly kind: string;
  readonly resolve: (payload: never) => void;
  readonly reject: (error: unknown) => void;
};

/**
 * The client's side of a two-way call: requests go through a queue, answers to whoever waits for
 * one of their kind. When the call ends, in whatever way, nobody waits any more.
 */
export class Talk<Request, Answer extends Tagged> {
  readonly requests = new MessageQueue<Request>();
  readonly #controller = new AbortController();
  readonly #waiters: Waiter[] = [];
  /** Answers of kinds that are waited for, which came before anybody did. */
  readonly #early: Answer["payload"][] = [];
  #failure: unknown;
  #isOver = false;
  /** Resolves when the call is over. It never rejects. */
  readonly over: Promise<void>;

  constructor(
    call: (requests: AsyncIterable<Request>, options?: CallOptions) => AsyncIterable<Answer>,
    listeners: Listeners<Answer>,
  ) {
    const answers = call(this.requests, { signal: this.#controller.signal });
    this.over = this.#read(answers, listeners as Readonly<Record<string, Listener | undefined>>);
  }

  /** Why the call came to nothing, where it has. */
  get failure(): unknown {
    return this.#failure;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * The value of the next answer of a kind.
   * @throws {Fault} what the daemon says instead, or that it has ended the call
   */
  next<K extends Kind<Answer>>(kind: K): Promise<ValueOf<Answer, K>> {
    const at = this.#early.findIndex((payload) => payload.case === kind);
    if (at >= 0) {
      const [payload] = this.#early.splice(at, 1);
      return Promise.resolve((payload as { value: ValueOf<Answer, K> }).value);
    }
    if (this.#isOver) return Promise.reject(this.#failure ?? endedEarly());
    return new Promise((resolve, reject) => {
      const take = (payload: { value: ValueOf<Answer, K> }): void => resolve(payload.value);
      this.#waiters.push({ kind, resolve: take as (payload: never) => void, reject });
    });
  }

  /** Cuts the call off. */
  abort(): void {
    this.requests.end();
    this.#controller.abort();
  }

  async #read(
    answers: AsyncIterable<Answer>,
    listeners: Readonly<Record<string, Listener | undefined>>,
  ): Promise<void> {
    try {
      for await (const { payload } of answers) {
        const kind = payload.case;
        if (kind === undefined) continue;
        const listener = listeners[kind];
        if (listener !== undefined) await listener((payload as { value: unknown }).value);
        else this.#hand(payload, kind);
      }
    } catch (error) {
      this.#failure = error;
    } finally {
      this.#isOver = true;
      this.requests.end();
      const reason = this.#failure ?? endedEarly();
      for (const { reject } of this.#waiters.splice(0)) reject(reason);
    }
  }

  #hand(payload: Answer["payload"], kind: string): void {
    const at = this.#waiters.findIndex((waiter) => waiter.kind === kind);
    const waiter = this.#waiters[at];
    if (waiter === undefined) {
      if (this.#early.length >= earlyMax) throw tooMuch();
      this.#early.push(payload);
      return;
    }
    this.#waiters.splice(at, 1);
    waiter.resolve(payload as never);
  }
}

type Listener = (value: unknown) => void | Promise<void>;

/** A pass has few answers of its own; a daemon that sends more means harm. */
const earlyMax = 16;

function endedEarly(): Fault {
  return new Fault({
    code: "E_NETWORK",
    message: "The daemon ended the transfer before it was done",
    hint: "see the log of blitd there",
  });
}

function tooMuch(): Fault {
  return new Fault({ code: "E_INTEGRITY", message: "The daemon sends what nobody asked for" });
}
