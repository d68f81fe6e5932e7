import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { appendFileSync, linkSync, readFileSync, truncateSync } from "node:fs";
import { ports } from "../../../src/blit/ports.ts";
import { SendSession } from "../../../src/blit/send/send-session.ts";
import { freeBase } from "../../../src/blit/session/open-beneath.ts";
import type { SourceReport } from "../../../src/blit/session/types.ts";
import { frameType, needKind } from "../../../src/blit/wire/frame.ts";
import { createSendWorker } from "../../../src/workers.ts";
import { FrameTarget, type SeenEntry, type Want } from "../../support/frame-target.ts";
import { tcpPair } from "../../support/socket-pair.ts";
import { plainOptions } from "../../support/stream-transfer.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

setDefaultTimeout(60_000);

const MIB = 1024 * 1024;
/** Bit of an entry: its file has other names. */
const LINKED = 4;

let work: Workspace;
beforeEach(() => {
  work = createWorkspace();
  ports.createSendWorker = createSendWorker;
});
afterEach(() => work[Symbol.dispose]());

/** Whom the file was announced to, who helped, and what the source says of it. */
type Sent = {
  readonly owner: FrameTarget;
  readonly helper: FrameTarget;
  readonly report: SourceReport;
};

/**
 * Sends the tree over two streams. As soon as a file is announced, its content is left alone until
 * the other stream has brought something of it (with `waits`), then `disturb` is called.
 */
async function sendOverTwo(
  options: { readonly splits: boolean; readonly waits?: boolean },
  disturb: (attempt: number) => void = () => {},
): Promise<Sent> {
  const request = { options: plainOptions, base: freeBase, sources: [work.at("tree/")] };
  const session = await SendSession.open({ ...request, streams: 2 });
  if (options.splits) session.splitFiles();
  const targets = [0, 1].map((index) => {
    const { left, right } = tcpPair();
    session.addStream({ index, fd: left, keys: undefined, stallMs: 30_000 });
    return new FrameTarget({ index, fd: right, keys: undefined, stallMs: 30_000 });
  }) as [FrameTarget, FrameTarget];
  // A file of several names comes once, after the folders.
  const wants = ({ bits }: SeenEntry): Want | undefined =>
    (bits & LINKED) === 0 ? { kind: needKind.whole } : undefined;
  for (const [index, target] of targets.entries()) {
    const other = targets[1 - index] as FrameTarget;
    target.onFile = (attempt) => {
      const isMine = options.waits !== false && attempt === 1;
      // Not just any frame: a thread that comes late has its PASS to send, and ALIVE may come.
      for (let n = 0; isMine && n < 20_000 && other.parts.length === 0; n++) {
        const { socket } = other;
        if (!socket.hasInput()) Bun.sleepSync(1);
        else if (socket.input.bytes[socket.inputOffset] === frameType.passEnd) break;
        else other.frame(wants);
      }
      disturb(attempt);
    };
  }
  const received = targets.map((each) => each.pass(wants));
  const [report] = await Promise.all([session.runPass("transfer"), ...received]);
  await session.close();
  for (const target of targets) target.socket.close();
  const [first, second] = targets;
  const isFirst = first.files > 0;
  return { owner: isFirst ? first : second, helper: isFirst ? second : first, report };
}

/** What came of a file over both streams. */
function together({ owner, helper }: Sent, key: string): Buffer | undefined {
  const content = owner.contents.get(key);
  const { sequence } = owner.splits.find((each) => each.key === key) ?? {};
  for (const part of helper.parts) {
    if (part.sequence === sequence) content?.set(part.content, part.offset);
  }
  return content;
}

test("a large file goes over both streams, each part once", async () => {
  work.write("tree/large", randomBytes(50 * MIB + 123));
  const sent = await sendOverTwo({ splits: true });
  const [split] = sent.owner.splits;
  expect(split?.partBytes).toBe(4 * MIB);
  const offsets = sent.helper.parts.map(({ offset }) => offset / (split?.partBytes ?? 1));
  expect(offsets.length).toBeGreaterThan(0);
  expect(new Set(offsets).size).toBe(offsets.length);
  expect(offsets.every(Number.isInteger)).toBe(true);
  const owner = sent.helper.socket === sent.owner.socket ? -1 : sent.helper.parts[0]?.owner;
  expect(sent.helper.parts.every((part) => part.owner === owner)).toBe(true);
  const expected = readFileSync(work.at("tree/large"));
  expect(together(sent, "0:large")?.equals(expected)).toBe(true);
  expect(sent.report.issues).toEqual([]);
});

test("a target that has not said that it can gets each file over one stream", async () => {
  work.write("tree/large", randomBytes(50 * MIB));
  const { owner, helper } = await sendOverTwo({ splits: false, waits: false });
  expect([owner.splits.length, helper.parts.length]).toEqual([0, 0]);
  const expected = readFileSync(work.at("tree/large"));
  expect(owner.contents.get("0:large")?.equals(expected)).toBe(true);
});

test("a file that is written to meanwhile is begun again, and comes over one stream", async () => {
  work.write("tree/large", randomBytes(50 * MIB));
  const sent = await sendOverTwo({ splits: true }, (attempt) => {
    if (attempt === 1) appendFileSync(work.at("tree/large"), "one more");
  });
  expect(sent.owner.files).toBe(2);
  expect(sent.helper.parts.length).toBeGreaterThan(0);
  const expected = readFileSync(work.at("tree/large"));
  expect(sent.owner.contents.get("0:large")?.equals(expected)).toBe(true);
  // The bytes that were void are not counted twice.
  expect(sent.report.issues).toEqual([]);
});

test("a file that is cut meanwhile leaves no frame short", async () => {
  work.write("tree/large", randomBytes(50 * MIB));
  const sent = await sendOverTwo({ splits: true }, (attempt) => {
    if (attempt === 1) truncateSync(work.at("tree/large"), 100);
  });
  const expected = readFileSync(work.at("tree/large"));
  expect(sent.owner.contents.get("0:large")?.equals(expected)).toBe(true);
});

test("one name of several brings the content over both streams too", async () => {
  const path = work.write("tree/a", randomBytes(50 * MIB));
  linkSync(path, work.at("tree/b"));
  const sent = await sendOverTwo({ splits: true });
  expect(sent.helper.parts.length).toBeGreaterThan(0);
  // Which of the names comes first is the file system's business.
  const key = sent.owner.splits[0]?.key ?? "";
  expect(["0:a", "0:b"]).toContain(key);
  expect(together(sent, key)?.equals(readFileSync(path))).toBe(true);
});
