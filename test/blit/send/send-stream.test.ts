import { expect, test } from "bun:test";
import { errno } from "../../../ffi/errno.ts";
import { counter, SharedState } from "../../../src/blit/engine/shared-state.ts";
import { FolderQueue } from "../../../src/blit/send/folder-queue.ts";
import type { FromSender, ToSender } from "../../../src/blit/send/messages.ts";
import { SendStream } from "../../../src/blit/send/send-stream.ts";
import { freeBase } from "../../../src/blit/session/open-beneath.ts";
import type { StreamKeys } from "../../../src/blit/session/types.ts";
import { sharedPace } from "../../../src/blit/wire/pace.ts";
import { plainOptions } from "../../support/stream-transfer.ts";

/** A worker that does what it is told to by the test. */
function fakeWorker() {
  const posted: ToSender[] = [];
  const ends: string[] = [];
  const listeners = new Set<() => void>();
  const worker = {
    onmessage: undefined as ((event: { data: FromSender }) => void) | undefined,
    onerror: undefined,
    addEventListener: (_: string, listener: () => void) => listeners.add(listener),
    removeEventListener: (_: string, listener: () => void) => listeners.delete(listener),
    postMessage: (message: ToSender) => posted.push(message),
    terminate: () => ends.push("ended"),
  };
  const say = (data: FromSender): void => worker.onmessage?.({ data });
  const end = (): void => {
    for (const listener of listeners) listener();
  };
  return { worker: worker as unknown as Worker, posted, say, end, ends, listeners };
}

function open(keys?: StreamKeys) {
  const shared = SharedState.create(2);
  const fake = fakeWorker();
  const seat = { index: 3, fd: -1, keys, stallMs: 10_000 };
  const start = {
    kind: "start" as const,
    row: 1,
    seat,
    options: plainOptions,
    base: freeBase,
    roots: [],
    shared: shared.buffers,
    queue: FolderQueue.create().buffer,
    board: undefined,
    startedAtSec: 0,
    bytesPerSecond: 0,
    pace: sharedPace(),
  };
  return { ...fake, shared, stream: new SendStream(fake.worker, seat, start, shared) };
}

/** How the phase at hand ends. */
async function ending(stream: SendStream): Promise<unknown> {
  return await stream.answer().catch((error: unknown) => error);
}

test("a worker that counts on is alive; one that does not has a disk that hangs", async () => {
  const { stream, shared, say } = open();
  say({ kind: "started" });
  stream.post({ kind: "walk" });
  const start = performance.now();
  const row = shared.row(1);
  shared.note(1, "some/where");
  row[counter.activity] = 1;
  stream.watch(start + 9_000);
  row[counter.activity] = 2;
  stream.watch(start + 18_000);
  stream.watch(start + 27_000);
  stream.watch(start + 28_700);
  const fault = await ending(stream);
  expect(fault).toMatchObject({
    code: "E_STALL",
    message: 'The source\'s disk has not answered for 11 s, in the folder "some/where"',
  });
});

test("a thread that takes long to start has no disk that hangs", async () => {
  const { stream, say } = open();
  stream.post({ kind: "walk" });
  const start = performance.now();
  stream.watch(start + 20_000);
  say({ kind: "started" });
  stream.watch(start + 29_000);
  say({ kind: "walked", links: [], issues: [], folders: [] });
  expect(await ending(stream)).toMatchObject({ kind: "walked" });
});

test("a worker without a phase may rest as long as it wants", async () => {
  const { stream, say } = open();
  const start = performance.now();
  stream.watch(start + 60_000);
  stream.post({ kind: "walk" });
  say({ kind: "walked", links: [], issues: [], folders: [] });
  stream.watch(start + 120_000);
  expect(await ending(stream)).toMatchObject({ kind: "walked" });
});

test.each([
  [-errno.ETIMEDOUT, "send", "E_STALL", "The target has taken no data for 10 s"],
  [-errno.ETIMEDOUT, "receive", "E_STALL", "The target has said nothing for 10 s"],
  [-errno.ECONNRESET, "receive", "E_NETWORK", "The data connection to the target broke"],
  [-errno.EBADMSG, "receive", "E_NETWORK", "its bytes were forged"],
  [-errno.EPROTO, "protocol", "E_INTEGRITY", "The target broke the protocol: why"],
] as const)("what ended a stream is told: %i %s", async (result, side, code, message) => {
  const { stream, say } = open();
  stream.post({ kind: "walk" });
  say({ kind: "broken", result, side, detail: "why" });
  const fault = await ending(stream);
  expect(fault).toMatchObject({ code });
  expect(String(fault)).toContain(message);
});

/** Closes the stream while its worker answers by `answer`; what became of the worker. */
async function endOf(opened: ReturnType<typeof open>, answer: () => void) {
  const { stream, worker, ends, listeners, posted } = opened;
  const closing = stream.close({ take: () => worker, keep: () => ends.push("kept") });
  answer();
  await closing;
  const before = posted.length;
  stream.post({ kind: "walk" });
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
