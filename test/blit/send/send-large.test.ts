import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { appendFileSync, readFileSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { ports } from "../../../src/blit/ports.ts";
import { SendSession } from "../../../src/blit/send/send-session.ts";
import { freeBase } from "../../../src/blit/session/open-beneath.ts";
import { needKind } from "../../../src/blit/wire/frame.ts";
import { createSendWorker } from "../../../src/workers.ts";
import { FrameTarget } from "../../support/frame-target.ts";
import { tcpPair } from "../../support/socket-pair.ts";
import { plainOptions, transferOnce } from "../../support/stream-transfer.ts";
import { differences } from "../../support/tree.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

setDefaultTimeout(60_000);

const MIB = 1024 * 1024;

let work: Workspace;
beforeEach(() => {
  work = createWorkspace();
});
afterEach(() => work[Symbol.dispose]());

/** Sends one file, and does something to it as soon as the first of its content has come. */
async function sendWhile(disturb: (attempt: number) => void): Promise<FrameTarget> {
  ports.createSendWorker = createSendWorker;
  const request = { options: plainOptions, base: freeBase, sources: [work.at("tree/")] };
  const session = await SendSession.open({ ...request, streams: 1 });
  const { left, right } = tcpPair();
  session.addStream({ index: 0, fd: left, keys: undefined, stallMs: 30_000 });
  const target = new FrameTarget({ index: 0, fd: right, keys: undefined, stallMs: 30_000 });
  target.onFile = disturb;
  const received = target.pass(() => ({ kind: needKind.whole }));
  const [report] = await Promise.all([session.runPass("transfer"), received]);
  issues = report.issues;
  await session.close();
  target.socket.close();
  return target;
}
let issues: readonly unknown[] = [];

describe("a file that is written to while it is sent", () => {
  test("is begun again, and comes as it is then", async () => {
    // More than the sockets hold, so that its end is read after its beginning has come.
    work.write("tree/large", randomBytes(40 * MIB));
    const target = await sendWhile((attempt) => {
      if (attempt === 1) appendFileSync(work.at("tree/large"), "one more");
    });
    expect(target.files).toBe(2);
    expect(issues).toEqual([]);
    const expected = readFileSync(work.at("tree/large"));
    expect(target.contents.get("0:large")?.equals(expected)).toBe(true);
  });

  test("is given up after three times", async () => {
    work.write("tree/large", randomBytes(40 * MIB));
    const target = await sendWhile(() => appendFileSync(work.at("tree/large"), "more"));
    expect(target.files).toBe(3);
    expect(issues).toMatchObject([{ kind: "failed", path: "large", code: "E_CHANGED" }]);
  });

  test("may be cut: what was promised is filled up", async () => {
    work.write("tree/large", randomBytes(40 * MIB));
    const target = await sendWhile((attempt) => {
      if (attempt === 1) truncateSync(work.at("tree/large"), 100);
    });
    const expected = readFileSync(work.at("tree/large"));
    expect(target.contents.get("0:large")?.equals(expected)).toBe(true);
  });
});

describe("content", () => {
  async function expectSame(options: Partial<typeof plainOptions> = {}): Promise<void> {
    const sources = [work.at("tree/")];
    const result = await transferOnce({ sources, target: work.folder("copy"), options });
    expect([...result.source.issues, ...result.target.issues]).toEqual([]);
    expect(differences(work.at("tree"), work.at("copy"))).toBe("");
  }

  test("keeps its holes", async () => {
    const path = work.write("tree/sparse", "begins");
    truncateSync(path, 64 * MIB);
    appendFileSync(path, "and ends");
    await expectSame();
    expect(statSync(work.at("copy/sparse")).blocks).toBeLessThan(1000);
  });

  test("is put together of what the target has, where it has changed in one place", async () => {
    const path = work.write("tree/large", randomBytes(20 * MIB));
    await expectSame();
    const changed = readFileSync(path);
    changed.write("something else", 7 * MIB);
    writeFileSync(path, changed);
    await expectSame();
  });

  test("that is the same under another time is compared, not sent", async () => {
    work.write("tree/large", randomBytes(2 * MIB), { mtimeSeconds: 1000 });
    work.write("tree/small", "same", { mtimeSeconds: 1000 });
    await expectSame();
    work.write("tree/small", "same", { mtimeSeconds: 2000 });
    await expectSame({ comparison: "checksum" });
  });

  test("arrives where compression is asked for", async () => {
    work.write("tree/text", "all work and no play ".repeat(500_000));
    work.write("tree/small", "all work and no play ".repeat(500));
    work.write("tree/noise", randomBytes(3 * MIB));
    await expectSame({ compress: true, bytesPerSecond: 4 * MIB });
  });
});
