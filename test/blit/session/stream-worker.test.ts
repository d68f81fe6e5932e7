import { expect, test } from "bun:test";
import { type LifeMessage, StreamWorker } from "../../../src/blit/session/stream-worker.ts";
import type { StreamKeys, StreamSeat } from "../../../src/blit/session/types.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { fakeWorker } from "../../support/fake-worker.ts";

type Told = { readonly kind: "work" } | { readonly kind: "start"; readonly seat: StreamSeat };
type Said = { readonly kind: "done" | "broken" };

/** A stream whose worker says what the test wants. */
function open(keys?: StreamKeys) {
  const fake = fakeWorker<Told | { readonly kind: "close" }, Said | LifeMessage>();
  const faults: string[] = [];
  const start = { kind: "start", seat: { index: 0, fd: -1, keys, stallMs: 10_000 } } as const;
  const stream: StreamWorker<Told, Said, string> = new StreamWorker<Told, Said, string>(
    fake.worker,
    start,
    {
      side: "sending",
      hear: ({ kind }) => {
        if (kind === "done") stream.answered("done");
        else stream.fail(new Fault({ code: "E_NETWORK", message: "why" }));
      },
      failed: (fault) => faults.push(fault.message),
    },
  );
  return { ...fake, stream, faults };
}

test("an answer comes once it is there, and a fault where none comes", async () => {
  const { stream, say, faults } = open();
  say({ kind: "done" });
  expect(await stream.answer()).toBe("done");
  const waiting = stream.answer();
  say({ kind: "crashed", message: "odd", stack: "at x" });
  say({ kind: "broken" });
  expect(await waiting.catch((error: unknown) => error)).toMatchObject({
    code: "E_BUG",
    message: "A sending worker failed: odd",
  });
  expect(faults).toEqual(["A sending worker failed: odd"]);
});

test("who waits while a stream is closed hears that its thread has ended", async () => {
  const { stream, worker, end, faults } = open();
  const waiting = stream.answer().catch((error: unknown) => error);
  const closing = stream.close({ take: () => worker, keep: () => {} });
  end();
  await closing;
  expect(await waiting).toMatchObject({ code: "E_BUG" });
  expect(faults).toEqual([]);
});

/** Closes the stream while its worker answers by `answer`; what became of the worker. */
async function endOf(opened: ReturnType<typeof open>, answer: () => void) {
  const { stream, worker, ends, listeners, posted } = opened;
  const closing = stream.close({ take: () => worker, keep: () => ends.push("kept") });
  answer();
  await closing;
  const before = posted.length;
  stream.post({ kind: "work" });
  return { ends, hears: listeners.size, posts: posted.length - before };
}

test("a worker in which nothing is left is given back, and the stream lets go of it", async () => {
  const opened = open();
  const ended = await endOf(opened, () => opened.say({ kind: "closed", isWiped: true }));
  expect(ended).toEqual({ ends: ["kept"], hears: 0, posts: 0 });
});

const noKeys = new Uint8Array(32);
const keys = { sendKey: noKeys, sendIv: noKeys, receiveKey: noKeys, receiveIv: noKeys };

test.each([
  ["is not wiped", undefined, ({ say }) => say({ kind: "closed", isWiped: false })],
  ["had keys", keys, ({ say }) => say({ kind: "closed", isWiped: true })],
  [
    "has failed",
    undefined,
    ({ say }) => {
      say({ kind: "crashed", message: "why", stack: "" });
      say({ kind: "closed", isWiped: true });
    },
  ],
  [
    "has broken off",
    undefined,
    ({ say }) => {
      say({ kind: "broken" });
      say({ kind: "closed", isWiped: true });
    },
  ],
  ["has gone", undefined, ({ end }) => end()],
  [
    "has gone after its last word",
    undefined,
    ({ say, end }) => {
      say({ kind: "closed", isWiped: true });
      end();
    },
  ],
] as [string, StreamKeys | undefined, (opened: ReturnType<typeof open>) => void][])(
  "a worker that %s is ended",
  async (_, seatKeys, answer) => {
    const opened = open(seatKeys);
    const ended = await endOf(opened, () => answer(opened));
    expect(ended).toEqual({ ends: ["ended"], hears: 0, posts: 0 });
  },
);
