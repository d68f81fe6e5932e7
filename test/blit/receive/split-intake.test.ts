import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { ports } from "../../../src/blit/ports.ts";
import { ReceiveSession } from "../../../src/blit/receive/receive-session.ts";
import { freeBase } from "../../../src/blit/session/open-beneath.ts";
import type { PassReport } from "../../../src/blit/session/types.ts";
import { frameType } from "../../../src/blit/wire/frame.ts";
import { createReceiveWorker } from "../../../src/workers.ts";
import { FrameSource } from "../../support/frame-source.ts";
import { tcpPair } from "../../support/socket-pair.ts";
import { plainOptions, transferOnce } from "../../support/stream-transfer.ts";
import { differences } from "../../support/tree.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

setDefaultTimeout(120_000);

const MIB = 1024 * 1024;
const PART = 64 * 1024;
const content = randomBytes(3 * PART + 100);
/** More than a file that is kept when it is not whole. */
const LARGE = 64 * MIB;

let work: Workspace;
beforeEach(() => {
  work = createWorkspace();
  ports.createReceiveWorker = createReceiveWorker;
});
afterEach(() => work[Symbol.dispose]());

const report = { counts: [], issues: [], listingErrors: 0, cancelled: 0 };
const root = { index: 0, kind: "folder", name: "a", isContents: true, typed: "a/" } as const;

/** A pass in which the sources of two streams say what `script` says. */
async function answer(
  script: (owner: FrameSource, helper: FrameSource) => void,
): Promise<PassReport | string> {
  const request = { options: plainOptions, base: freeBase, target: work.at("b"), roots: [root] };
  const session = await ReceiveSession.open({ ...request, streams: 2 });
  const sources = [0, 1].map((index) => {
    const { left, right } = tcpPair();
    session.addStream({ index, fd: right, keys: undefined, stallMs: 30_000 });
    return new FrameSource({ index, fd: left, keys: undefined, stallMs: 30_000 });
  }) as [FrameSource, FrameSource];
  session.startPass("transfer");
  for (const source of sources) source.begin();
  script(...sources);
  try {
    return await session.finishPass(report);
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  } finally {
    await session.close();
    for (const { socket } of sources) socket.close();
  }
}

const end = (source: FrameSource): void => source.send(frameType.passEnd, new Uint8Array());

function numbers(...words: readonly (readonly [32 | 64, number])[]): Buffer {
  return Buffer.concat(
    words.map(([bits, value]) => {
      const bytes = Buffer.alloc(bits / 8);
      if (bits === 64) bytes.writeBigUInt64LE(BigInt(value));
      else bytes.writeUInt32LE(value);
      return bytes;
    }),
  );
}

/** Lists the file, and announces it in parts. */
function announce(s: FrameSource, sequence = 1, partBytes = PART): void {
  s.folder(1, "", [{ name: "file", size: BigInt(content.length) }]);
  again(s, sequence, partBytes);
}

function again(s: FrameSource, sequence: number, partBytes = PART): void {
  const size = content.length;
  const payload = numbers([32, 0], [32, 3], [64, size], [32, sequence], [32, partBytes]);
  s.send(frameType.file, payload, { id: 1 });
}

const bytesOf = (part: number): Buffer => content.subarray(part * PART, (part + 1) * PART);

/** A part on the stream that has announced the file. */
function own(s: FrameSource, part: number): void {
  const bytes = bytesOf(part);
  const payload = Buffer.concat([numbers([64, part * PART], [64, bytes.length]), bytes]);
  s.send(frameType.data, payload, { id: 1 });
}

/** A part on the other one. */
function help(s: FrameSource, part: number, change: Partial<Help> = {}): void {
  const { owner = 0, sequence = 1, offset = part * PART, bytes = bytesOf(part) } = change;
  const payload = Buffer.concat([numbers([32, sequence], [32, 0], [64, offset]), bytes]);
  s.send(frameType.part, payload, { id: owner });
}
type Help = { owner: number; sequence: number; offset: number; bytes: Buffer };

const fileEnd = (s: FrameSource): void =>
  s.send(frameType.fileEnd, numbers([32, 0], [32, 0]), { id: 1 });

/** What lies in the target under whatever name. */
const targetNames = (): string[] => (existsSync(work.at("b")) ? readdirSync(work.at("b")) : []);

function expectWhole(got: PassReport | string): void {
  expect(got).toMatchObject({ issues: [], cancelled: 0 });
  expect(readFileSync(work.at("b/file")).equals(content)).toBe(true);
  expect(targetNames()).toEqual(["file"]);
}

describe("a file whose parts come over two streams", () => {
  test("keeps no more space than it needs when they stop coming", async () => {
    const ended = await answer((owner, helper) => {
      owner.folder(1, "", [{ name: "file", size: BigInt(LARGE) }]);
      const head = numbers([32, 0], [32, 3], [64, LARGE], [32, 1], [32, PART]);
      owner.send(frameType.file, head, { id: 1 });
      help(helper, 2);
      own(owner, 1);
      while (!targetNames().some((name) => statSync(work.at("b", name)).size === 3 * PART)) {
        Bun.sleepSync(1);
      }
      for (const { socket } of [owner, helper]) socket.close();
    });
    expect(ended).toBe("E_NETWORK");
    const [part = ""] = targetNames();
    expect(part).toStartWith(".blit-partial-");
    const { size, blocks } = statSync(work.at("b", part));
    expect(size).toBe(3 * PART);
    expect(blocks * 512).toBeLessThan(LARGE / 8);
  });

  test("is put together, in whatever order they come", async () => {
    const got = await answer((owner, helper) => {
      announce(owner);
      own(owner, 2);
      help(helper, 3);
      help(helper, 0);
      own(owner, 1);
      fileEnd(owner);
      end(owner);
      end(helper);
    });
    expectWhole(got);
  });

  test("may have parts that are there before it is announced", async () => {
    const got = await answer((owner, helper) => {
      for (const part of [0, 1, 2, 3]) help(helper, part);
      end(helper);
      // The other stream has long been waiting then.
      Bun.sleepSync(300);
      announce(owner);
      fileEnd(owner);
      end(owner);
    });
    expectWhole(got);
  });

  test("is not given its name before the last part is there", async () => {
    const got = await answer((owner, helper) => {
      announce(owner);
      for (const part of [0, 1, 2]) own(owner, part);
      fileEnd(owner);
      end(owner);
      Bun.sleepSync(300);
      expect(targetNames()).not.toContain("file");
      help(helper, 3);
      end(helper);
    });
    expectWhole(got);
  });

  test("and is begun again has no part of the former one", async () => {
    const got = await answer((owner, helper) => {
      announce(owner);
      own(owner, 0);
      again(owner, 2);
      // Of the first attempt: late, and of no use.
      help(helper, 3, { bytes: Buffer.alloc(100) });
      help(helper, 1, { sequence: 2 });
      for (const part of [0, 2, 3]) own(owner, part);
      fileEnd(owner);
      end(owner);
      end(helper);
    });
    expectWhole(got);
  });
});

const hostile: Record<string, (owner: FrameSource, helper: FrameSource) => void> = {
  "a part that comes twice": (owner, helper) => {
    announce(owner);
    own(owner, 0);
    help(helper, 1);
    help(helper, 1);
  },
  "a part of the wrong size": (owner, helper) => {
    announce(owner);
    help(helper, 0, { bytes: bytesOf(0).subarray(1) });
  },
  "a part at no part's place": (owner, helper) => {
    announce(owner);
    help(helper, 0, { offset: 1 });
  },
  "a part beyond the end": (owner, helper) => {
    announce(owner);
    help(helper, 0, { offset: 4 * PART });
  },
  "a part of a stream that there is not": (owner, helper) => {
    announce(owner);
    help(helper, 0, { owner: 7 });
  },
  "a part of a file of its own stream": (owner) => {
    announce(owner);
    help(owner, 0);
  },
  "a part without content": (_, helper) => help(helper, 0, { bytes: Buffer.alloc(0) }),
  "a part of a file that nobody announces": (owner, helper) => {
    end(owner);
    help(helper, 0);
    end(helper);
  },
  "an end before all parts": (owner, helper) => {
    announce(owner);
    own(owner, 0);
    fileEnd(owner);
    end(owner);
    end(helper);
  },
  "parts that are too small": (owner) => announce(owner, 1, 1),
  "parts of an odd size": (owner) => announce(owner, 1, PART + 1),
  "parts that are too large": (owner) => announce(owner, 1, 32 * MIB),
  "a sequence of zero": (owner) => announce(owner, 0),
  "a sequence that goes back": (owner) => {
    announce(owner, 2);
    again(owner, 1);
  },
};

describe("refused, and no file comes of it", () => {
  for (const [what, script] of Object.entries(hostile)) {
    test(what, async () => {
      expect(await answer(script)).toBe("E_INTEGRITY");
      expect(targetNames()).not.toContain("file");
    });
  }
});

describe("both halves together", () => {
  for (const isEncrypted of [false, true]) {
    test(`large files arrive whole, ${isEncrypted ? "encrypted" : "plain"}`, async () => {
      for (const [index, mib] of [70, 17, 33, 16].entries()) {
        work.write(`tree/${index}/large`, randomBytes(mib * MIB + index));
        work.write(`tree/${index}/small`, "small");
      }
      const transfer = { sources: [work.at("tree/")], target: work.folder("copy"), streams: 3 };
      const result = await transferOnce({ ...transfer, isEncrypted });
      expect([...result.source.issues, ...result.target.issues]).toEqual([]);
      expect(differences(work.at("tree"), work.at("copy"))).toBe("");
    });
  }
});
