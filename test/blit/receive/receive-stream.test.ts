import { expect, test } from "bun:test";
import { SharedState } from "../../../src/blit/engine/shared-state.ts";
import type { FromReceiver, ToReceiver } from "../../../src/blit/receive/messages.ts";
import { PartTable } from "../../../src/blit/receive/part-table.ts";
import { ReceiveStream } from "../../../src/blit/receive/receive-stream.ts";
import { firstOptions } from "../../../src/blit/receive/target-options.ts";
import { freeBase } from "../../../src/blit/session/open-beneath.ts";
import type { StreamKeys } from "../../../src/blit/session/types.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { plainOptions } from "../../support/stream-transfer.ts";

/** A stream whose worker says what the test wants. */
function open(keys?: StreamKeys) {
  const ends: string[] = [];
  const posted: ToReceiver[] = [];
  const listeners = new Set<() => void>();
  const fake = {
    onmessage: undefined as ((event: { data: FromReceiver }) => void) | undefined,
    onerror: undefined,
    addEventListener: (_: string, listener: () => void) => listeners.add(listener),
    removeEventListener: (_: string, listener: () => void) => listeners.delete(listener),
    postMessage: (message: ToReceiver) => posted.push(message),
    terminate: () => ends.push("ended"),
  };
  const worker = fake as unknown as Worker;
  const start = {
    kind: "start" as const,
    row: 1,
    seat: { index: 0, fd: -1, keys, stallMs: 10_000 },
    options: firstOptions(plainOptions, freeBase),
    shared: SharedState.create(2).buffers,
    parts: PartTable.create(1).buffer,
    base: freeBase,
  };
  const stream = new ReceiveStream(worker, start, { found: () => {}, failed: () => {} });
  const say = (data: FromReceiver): void => fake.onmessage?.({ data });
  const end = (): void => {
    for (const listener of listeners) listener();
  };
  return { stream, worker, ends, posted, listeners, say, end };
}

/** Closes the stream while its worker answers by `answer`; what became of the worker. */
async function endOf(opened: ReturnType<typeof open>, answer: () => void) {
  const { stream, worker, ends, listeners, posted } = opened;
  const closing = stream.close({ take: () => worker, keep: () => ends.push("kept") });
  answer();
  await closing;
  const before = posted.length;
  stream.post({ kind: "finish", deletes: false });
  return { ends, hears: listeners.size, posts: posted.length - before };
}

test("a worker in which nothing is left is given back, and the stream lets go of it", async () => {
  const opened = open();
  const ended = await endOf(opened, () => opened.say({ kind: "closed", isWiped: true }));
  expect(ended).toEqual({ ends: ["kept"], hears: 0, posts: 0 });
});

const noKeys = new Uint8Array(32);
const keys = { sendKey: noKeys, sendIv: noKeys, receiveKey: noKeys, receiveIv: noKeys };
const fault = new Fault({ code: "E_NETWORK", message: "why" }).toJson();

test.each([
  ["is not wiped", undefined, ({ say }) => say({ kind: "closed", isWiped: false })],
  ["had keys", keys, ({ say }) => say({ kind: "closed", isWiped: true })],
  [
    "has failed",
    undefined,
    ({ say }) => {
      say({ kind: "broken", fault });
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
