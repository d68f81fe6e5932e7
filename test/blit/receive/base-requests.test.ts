import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { requestFlag } from "../../../src/blit/delta/delta-request.ts";
import { ports } from "../../../src/blit/ports.ts";
import { ReceiveSession } from "../../../src/blit/receive/receive-session.ts";
import { freeBase } from "../../../src/blit/session/open-beneath.ts";
import { frameType } from "../../../src/blit/wire/frame.ts";
import { createReceiveWorker } from "../../../src/workers.ts";
import { FrameSource } from "../../support/frame-source.ts";
import { tcpPair } from "../../support/socket-pair.ts";
import { plainOptions } from "../../support/stream-transfer.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

setDefaultTimeout(120_000);

const BYTES = 1 << 20;
const headBytes = 16;
const report = { counts: [], issues: [], listingErrors: 0, cancelled: 0 };
const root = { index: 0, kind: "folder", name: "a", isContents: true, typed: "a/" } as const;

let work: Workspace;
beforeEach(() => {
  work = createWorkspace();
  ports.createReceiveWorker = createReceiveWorker;
});
afterEach(() => work[Symbol.dispose]());

/** Reads frames until one of this type has something in it; returns its payload. */
function next({ socket }: FrameSource, type: number): Buffer {
  for (;;) {
    if (socket.need(headBytes) < 0) throw new Error("the target has hung up");
    const head = Buffer.from(socket.input.bytes).subarray(socket.inputOffset);
    const [found, length] = [head[0], head.readUInt32LE(8)];
    socket.consume(headBytes);
    if (socket.need(length) < 0) throw new Error("the target has hung up");
    const at = socket.inputOffset;
    const payload = Buffer.from(socket.input.bytes.slice(at, at + length));
    socket.consume(length);
    if (found === type && length > 0) return payload;
  }
}

/** A delta that takes all from the base, and a hash that is not that of the content. */
function spoiled(source: FrameSource): void {
  const head = Buffer.alloc(16);
  head.writeUInt8(2, 4);
  head.writeBigUInt64LE(BigInt(BYTES), 8);
  source.send(frameType.file, head, { id: 1 });
  const reuse = Buffer.alloc(24);
  reuse.writeBigUInt64LE(BigInt(BYTES), 16);
  source.send(frameType.reuse, reuse, { id: 1 });
  source.send(frameType.fileEnd, Buffer.alloc(8 + 16), { id: 1 });
}

test("after a delta that came out wrong, the base is compared only, not reused", async () => {
  const base = randomBytes(BYTES);
  work.write("b/file", base);
  const options = { ...plainOptions, comparison: "checksum" } as const;
  const request = { options, base: freeBase, target: work.at("b"), roots: [root] };
  const session = await ReceiveSession.open({ ...request, streams: 1 });
  const { left, right } = tcpPair();
  const source = new FrameSource({ index: 0, fd: left, keys: undefined, stallMs: 30_000 });
  session.addStream({ index: 0, fd: right, keys: undefined, stallMs: 30_000 });
  const flags: number[] = [];
  const ask = (): void => {
    session.startPass("transfer");
    source.begin();
    source.folder(1, "", [{ name: "file", size: BigInt(BYTES) }]);
    // Behind the head of the need: the request's version, its flags.
    flags.push(next(source, frameType.need)[13] ?? -1);
  };
  try {
    ask();
    spoiled(source);
    source.send(frameType.passEnd, new Uint8Array());
    const first = await session.finishPass(report);
    expect(first).toMatchObject({ issues: [], needsAnotherPass: true });
    ask();
    expect(flags).toEqual([requestFlag.reuse | requestFlag.anchors, 0]);
    // A source that sends a delta all the same does not keep to what was agreed.
    spoiled(source);
    const second = await session.finishPass(report).catch((error: { code: string }) => error.code);
    expect(second).toBe("E_INTEGRITY");
    expect(readFileSync(work.at("b/file")).equals(base)).toBe(true);
  } finally {
    source.socket.close();
    await session.close();
  }
});
