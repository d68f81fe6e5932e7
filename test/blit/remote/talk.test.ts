import { describe, expect, test } from "bun:test";
import { MessageQueue } from "../../../src/blit/remote/message-queue.ts";
import { Talk } from "../../../src/blit/remote/talk.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";

type Answer = {
  payload:
    | { case: "one"; value: number }
    | { case: "two"; value: string }
    | { case: "noise"; value: number }
    | { case: undefined; value?: undefined };
};

function start(listeners: ConstructorParameters<typeof Talk<string, Answer>>[1] = {}) {
  const answers = new MessageQueue<Answer>();
  const heard: string[] = [];
  let signal: AbortSignal | undefined;
  const talk = new Talk<string, Answer>(async function* (requests, options) {
    signal = options?.signal;
    void (async () => {
      for await (const request of requests) heard.push(request);
    })();
    yield* answers;
  }, listeners);
  return { answers, heard, talk, isAborted: () => signal?.aborted === true };
}

describe("a two-way call", () => {
  test("answers reach who waits for their kind, early or late", async () => {
    const { answers, talk, heard } = start();
    talk.requests.push("hello");
    const one = talk.next("one");
    answers.push({ payload: { case: "two", value: "b" } });
    answers.push({ payload: { case: "one", value: 1 } });
    answers.push({ payload: { case: undefined } });
    expect(await one).toBe(1);
    expect(await talk.next("two")).toBe("b");
    expect(heard).toEqual(["hello"]);
    answers.end();
    await talk.over;
    expect(talk.failure).toBeUndefined();
  });

  test("listeners take theirs one after the other", async () => {
    const order: string[] = [];
    const { answers, talk } = start({
      noise: async (value) => {
        order.push(`in ${value}`);
        await Promise.resolve();
        order.push(`out ${value}`);
      },
    });
    answers.push({ payload: { case: "noise", value: 1 } });
    answers.push({ payload: { case: "noise", value: 2 } });
    answers.end();
    await talk.over;
    expect(order).toEqual(["in 1", "out 1", "in 2", "out 2"]);
  });

  test("what ends the call is what everybody gets", async () => {
    const { answers, talk } = start();
    const waiting = talk.next("one").catch((error: Error) => error.message);
    answers.fail(new Fault({ code: "E_NOT_FOUND", message: "no such module" }));
    expect(await waiting).toBe("no such module");
    await talk.over;
    expect(await talk.next("two").catch((error: Error) => error.message)).toBe("no such module");
    expect(talk.isOver).toBe(true);
  });

  test("an end without a reason is a fault of the network", async () => {
    const { answers, talk } = start();
    const waiting = talk.next("one").catch((error: Fault) => error.code);
    answers.end();
    expect(await waiting).toBe("E_NETWORK");
  });

  test("a flood of answers that nobody asked for ends it", async () => {
    const { answers, talk } = start();
    for (let i = 0; i < 100; i++) answers.push({ payload: { case: "one", value: i } });
    await talk.over;
    expect((talk.failure as Fault).code).toBe("E_INTEGRITY");
  });

  test("a long report in parts is no flood for who reads it", async () => {
    const { answers, talk } = start();
    for (let i = 0; i < 2000; i++) {
      answers.push({ payload: i < 1000 ? { case: "one", value: i } : { case: "two", value: "x" } });
    }
    for (let i = 0; i < 1000; i++) expect(await talk.next("one")).toBe(i);
    for (let i = 0; i < 1000; i++) expect(await talk.next("two")).toBe("x");
  });

  test("abort reaches the call", async () => {
    const { talk, isAborted, answers } = start();
    talk.abort();
    expect(isAborted()).toBe(true);
    answers.end();
    await talk.over;
  });
});
