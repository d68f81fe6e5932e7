import type { Socket } from "node:net";
import type { TLSSocket } from "node:tls";
import { Code, ConnectError, type HandlerContext, type ServiceImpl } from "@connectrpc/connect";
import { Fault } from "../../kit/fault/fault.ts";
import type { Connection } from "./admission.ts";
import type { CallContext, ControlHandlers, Peer } from "./calls.ts";
import { faultOfStatus, statusOf } from "./fault-status.ts";
import type { Blit } from "./proto/blit_pb.js";

/** What the server knows about a call before it is let in. */
export type CallFacts = {
  readonly connection: Connection;
  readonly socket: Socket & Partial<TLSSocket>;
  peer: Peer;
  /** Ends the time that a call has for its first message. */
  onFirstMessage: () => void;
};

type ServiceOptions = {
  factsOf(context: HandlerContext): CallFacts | undefined;
  /** Something was thrown that is no Fault. */
  onBug(call: string, error: unknown): void;
};

/** Handlers in the shape that Connect wants; what they throw becomes a gRPC status. */
export function serviceOf(
  handlers: ControlHandlers,
  options: ServiceOptions,
): ServiceImpl<typeof Blit> {
  const wrap = new Wrapper(options);
  return {
    ping: wrap.unary(async (request, context) => {
      const answer = await handlers.ping(request, context);
      // Without a token one is told that a token is needed, and nothing else.
      const isKnown = answer.requiresToken !== true || context.peer.tokenName !== undefined;
      return isKnown ? answer : { ...answer, host: "", motd: "", moduleCount: 0 };
    }),
    push: wrap.both((requests, context) => handlers.push(requests, context)),
    pull: wrap.both((requests, context) => handlers.pull(requests, context)),
    delegatedPull: wrap.both((requests, context) => handlers.delegatedPull(requests, context)),
    list: wrap.answers((request, context) => handlers.list(request, context)),
    find: wrap.answers((request, context) => handlers.find(request, context)),
    diskUsage: wrap.answers((request, context) => handlers.diskUsage(request, context)),
    filesystemStats: wrap.unary((request, context) => handlers.filesystemStats(request, context)),
    purge: wrap.answers((request, context) => handlers.purge(request, context)),
    listJobs: wrap.unary((request, context) => handlers.listJobs(request, context)),
    watchJob: wrap.answers((request, context) => handlers.watchJob(request, context)),
    cancelJob: wrap.unary((request, context) => handlers.cancelJob(request, context)),
  };
}

class Wrapper {
  readonly #options: ServiceOptions;

  constructor(options: ServiceOptions) {
    this.#options = options;
  }

  unary<I, O>(handler: (request: I, context: CallContext) => Promise<O>) {
    return async (request: I, context: HandlerContext): Promise<O> => {
      try {
        const { call, facts } = this.#open(context);
        facts.onFirstMessage();
        return await handler(request, call);
      } catch (error) {
        throw this.#status(context, error);
      }
    };
  }

  answers<I, O>(handler: (request: I, context: CallContext) => AsyncIterable<O>) {
    const wrapper = this;
    return async function* (request: I, context: HandlerContext): AsyncIterable<O> {
      try {
        const { call, facts } = wrapper.#open(context);
        facts.onFirstMessage();
        yield* untilAborted(handler(request, call), context.signal);
      } catch (error) {
        throw wrapper.#status(context, error);
      }
    };
  }

  both<I, O>(handler: (requests: AsyncIterable<I>, context: CallContext) => AsyncIterable<O>) {
    const wrapper = this;
    return async function* (requests: AsyncIterable<I>, context: HandlerContext): AsyncIterable<O> {
      try {
        const { call, facts } = wrapper.#open(context);
        yield* untilAborted(handler(withFaults(requests, facts), call), context.signal);
      } catch (error) {
        throw wrapper.#status(context, error);
      }
    };
  }

  #open(context: HandlerContext): { call: CallContext; facts: CallFacts } {
    const facts = this.#options.factsOf(context);
    if (facts === undefined) throw new Error("a call without connection");
    const { socket } = facts;
    const call: CallContext = {
      peer: facts.peer,
      connectionId: facts.connection.id,
      signal: context.signal,
      exporter: (label, about, bytes = 32) =>
        facts.peer.isEncrypted
          ? socket.exportKeyingMaterial?.(bytes, label, Buffer.from(about))
          : undefined,
    };
    return { call, facts };
  }

  #status(context: HandlerContext, error: unknown): ConnectError {
    if (!(error instanceof Fault || error instanceof ConnectError)) {
      this.#options.onBug(context.method.name, error);
    }
    return statusOf(error);
  }
}

/**
 * The answers of a handler. A call that is cancelled while an answer waits for room in the window
 * is never asked for another one: the handler is ended here, so that its `finally` always runs.
 */
async function* untilAborted<O>(answers: AsyncIterable<O>, signal: AbortSignal): AsyncGenerator<O> {
  const iterator = answers[Symbol.asyncIterator]();
  const end = (): void => {
    // What it throws then has nobody to go to.
    void Promise.resolve(iterator.return?.()).catch(() => undefined);
  };
  signal.addEventListener("abort", end);
  try {
    for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
      yield next.value;
    }
    // A handler that was told to stop has not come to its end, however it returns.
    if (signal.aborted) throw ConnectError.from(signal.reason, Code.Canceled);
  } finally {
    end();
    signal.removeEventListener("abort", end);
  }
}

/** Requests whose end by force is a Fault, as everything that handlers meet. */
async function* withFaults<I>(requests: AsyncIterable<I>, facts: CallFacts): AsyncGenerator<I> {
  try {
    for await (const request of requests) {
      facts.onFirstMessage();
      yield request;
    }
  } catch (error) {
    if (error instanceof ConnectError) throw faultOfStatus(error, facts.peer.address);
    throw error;
  }
}
