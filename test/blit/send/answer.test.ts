import { expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { ports } from "../../../src/blit/ports.ts";
import { SendSession } from "../../../src/blit/send/send-session.ts";
import { freeBase } from "../../../src/blit/session/open-beneath.ts";
import { frameType } from "../../../src/blit/wire/frame.ts";
import { createSendWorker } from "../../../src/workers.ts";
import { FrameTarget } from "../../support/frame-target.ts";
import { tcpPair } from "../../support/socket-pair.ts";
import { plainOptions } from "../../support/stream-transfer.ts";
import { createWorkspace } from "../../support/workspace.ts";

setDefaultTimeout(120_000);

/** A NEED frame, more or less: some of its fields are right, and it may be cut off. */
const payloads = fc
  .record({
    needs: fc.array(
      fc.record({
        index: fc.oneof(fc.nat({ max: 4 }), fc.nat({ max: 2 ** 31 })),
        kind: fc.nat({ max: 5 }),
        claimed: fc.option(fc.nat({ max: 2 ** 31 })),
        extra: fc.uint8Array({ maxLength: 40 }),
      }),
      { maxLength: 6 },
    ),
    cut: fc.nat({ max: 20 }),
  })
  .map(({ needs, cut }) => {
    const parts = needs.map(({ index, kind, claimed, extra }) => {
      const head = Buffer.alloc(12);
      head.writeUInt32LE(index, 0);
      head.writeUInt8(kind, 4);
      head.writeUInt32LE(claimed ?? extra.length, 8);
      return Buffer.concat([head, extra]);
    });
    const whole = Buffer.concat(parts);
    return whole.subarray(0, Math.max(0, whole.length - cut));
  });

/** Answers the one folder with these bytes; returns how the pass ended. */
async function answerWith(
  source: string,
  frame: { type: number; flags: number; payload: Uint8Array },
): Promise<unknown> {
  const request = { options: plainOptions, base: freeBase, sources: [source], streams: 1 };
  const session = await SendSession.open(request);
  const { left, right } = tcpPair();
  session.addStream({ index: 0, fd: left, keys: undefined, stallMs: 30_000 });
  const target = new FrameTarget({ index: 0, fd: right, keys: undefined, stallMs: 30_000 });
  target.answers = (id) => target.send(frame.type, frame.flags, id, frame.payload);
  const received = target.pass(() => undefined).catch(() => undefined);
  const ended = await session.runPass("transfer").catch((error: unknown) => error);
  await session.close();
  await received;
  target.socket.close();
  return ended;
}

test("whatever a target says, the pass ends well or is refused; nothing else happens", async () => {
  ports.createSendWorker = createSendWorker;
  using work = createWorkspace();
  for (const name of ["a", "b", "c"]) work.write(`tree/${name}`, name);
  work.folder("tree/folder");
  const property = fc.asyncProperty(payloads, async (payload) => {
    const frame = { type: frameType.need, flags: 0, payload };
    const ended = await answerWith(`${work.at("tree")}/`, frame);
    const code = (ended as { code?: string }).code ?? "ended";
    expect(["ended", "E_INTEGRITY"]).toContain(code);
  });
  await fc.assert(property, { numRuns: 20, seed: 20_261_121 });
});

test.each([
  ["a frame of the source's own kind", frameType.files],
  ["the source's end of a pass", frameType.passEnd],
  ["the end of a pass that has not ended", frameType.passDone],
  ["no frame that there is", 200],
])("%s is refused", async (_, type) => {
  ports.createSendWorker = createSendWorker;
  using work = createWorkspace();
  work.write("tree/a", "a");
  const frame = { type, flags: 0, payload: new Uint8Array(0) };
  expect(await answerWith(`${work.at("tree")}/`, frame)).toMatchObject({ code: "E_INTEGRITY" });
});
