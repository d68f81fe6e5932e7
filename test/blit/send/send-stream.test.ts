import { expect, test } from "bun:test";
import { errno } from "../../../ffi/errno.ts";
import { counter, SharedState } from "../../../src/blit/engine/shared-state.ts";
import { FolderQueue } from "../../../src/blit/send/folder-queue.ts";
import type { FromSender, ToSender } from "../../../src/blit/send/messages.ts";
import { SendStream } from "../../../src/blit/send/send-stream.ts";
import { freeBase } from "../../../src/blit/session/open-beneath.ts";
import { sharedPace } from "../../../src/blit/wire/pace.ts";
import { fakeWorker } from "../../support/fake-worker.ts";
import { plainOptions } from "../../support/stream-transfer.ts";

function open() {
  const shared = SharedState.create(2);
  const fake = fakeWorker<ToSender, FromSender>();
  const seat = { index: 3, fd: -1, keys: undefined, stallMs: 10_000 };
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
