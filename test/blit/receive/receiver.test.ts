import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import fc from "fast-check";
import { ports } from "../../../src/blit/ports.ts";
import { ReceiveSession } from "../../../src/blit/receive/receive-session.ts";
import { freeBase } from "../../../src/blit/session/open-beneath.ts";
import type { PassReport } from "../../../src/blit/session/types.ts";
import { frameFlag, frameType } from "../../../src/blit/wire/frame.ts";
import { createReceiveWorker } from "../../../src/workers.ts";
import {
  attributesBytes,
  FrameSource,
  folderBytes,
  type HostileEntry,
  linksBytes,
  smallBytes,
} from "../../support/frame-source.ts";
import { tcpPair } from "../../support/socket-pair.ts";
import { plainOptions } from "../../support/stream-transfer.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

setDefaultTimeout(120_000);

let work: Workspace;
beforeEach(() => {
  work = createWorkspace();
  ports.createReceiveWorker = createReceiveWorker;
});
afterEach(() => work[Symbol.dispose]());

const report = { counts: [], issues: [], listingErrors: 0, cancelled: 0 };
const root = { index: 0, kind: "folder", name: "a", isContents: true, typed: "a/" } as const;

/** A pass in which the source says `script`, then hangs up. */
async function answer(
  script: (source: FrameSource) => void,
  clockMs?: number,
): Promise<PassReport | string> {
  const request = { options: plainOptions, base: freeBase, target: work.at("b"), roots: [root] };
  const session = await ReceiveSession.open({ ...request, streams: 1 });
  const { left, right } = tcpPair();
  const source = new FrameSource({ index: 0, fd: left, keys: undefined, stallMs: 30_000 });
  session.addStream({ index: 0, fd: right, keys: undefined, stallMs: 30_000 });
  session.startPass("transfer");
  source.begin(clockMs);
  script(source);
  // Whoever waits for more is told that nothing comes.
  source.socket.flush();
  source.socket.close();
  try {
    return await session.finishPass(report);
  } catch (error) {
    return error instanceof Error && "code" in error ? String(error.code) : String(error);
  } finally {
    await session.close();
  }
}

/** Files that lie in a folder that has no name of its own yet. */
function stagedNames(): string[] {
  if (!existsSync(work.at("b"))) return [];
  return readdirSync(work.at("b")).flatMap((name) => readdirSync(work.at("b", name)));
}

const end = (source: FrameSource): void => source.send(frameType.passEnd, new Uint8Array());
const file: HostileEntry = { name: "file", size: 5n };

/** The target has the file just as the source tells of it. */
function present(): void {
  mkdirSync(work.at("b"));
  writeFileSync(work.at("b/file"), "12345");
  chmodSync(work.at("b/file"), 0o644);
  utimesSync(work.at("b/file"), 1_600_000_000, 1_600_000_000);
}

function ctimeSec(): number {
  return Math.floor(statSync(work.at("b/file")).ctimeMs / 1000);
}
const link = (to: string, length = to.length): Buffer => {
  const head = Buffer.alloc(4);
  head.writeUInt32LE(length);
  return Buffer.concat([head, Buffer.from(to)]);
};

const hostile: Record<string, (source: FrameSource) => void> = {
  "a name that leads up": (s) => s.folder(1, "", [{ name: ".." }]),
  "the name of the folder itself": (s) => s.folder(1, "", [{ name: "." }]),
  "an empty name": (s) => s.folder(1, "", [{ name: "" }]),
  "a name with a slash": (s) => s.folder(1, "", [{ name: "a/../../x" }]),
  "a name with a NUL": (s) => s.folder(1, "", [{ name: "a\0b" }]),
  "a name that is too long": (s) => s.folder(1, "", [{ name: "x".repeat(256) }]),
  "a name longer than the frame": (s) => s.folder(1, "", [{ name: "x", nameLength: 65_535 }]),
  "an extra longer than the frame": (s) => s.folder(1, "", [{ name: "x", extraLength: 2 ** 31 }]),
  "a folder that leads up": (s) => s.folder(1, "../x", []),
  "a folder that leads up further below": (s) => s.folder(1, "a/../../x", []),
  "an absolute folder": (s) => s.folder(1, "/etc", []),
  "a folder with a double slash": (s) => s.folder(1, "a//b", []),
  "a folder below an unknown root": (s) => s.folder(1, "", [], 7),
  "a folder that begins twice": (s) => {
    s.send(frameType.folder, folderBytes("", []), { id: 1, flags: 1 | 8 });
    s.send(frameType.folder, folderBytes("", []), { id: 1, flags: 8 });
  },
  "a folder that never began": (s) => s.send(frameType.folder, new Uint8Array(), { id: 1 }),
  "an entry instead of a folder": (s) =>
    s.send(frameType.folder, folderBytes("", [file]), { id: 1, flags: 8 | frameFlag.holder }),
  "an entry of no type": (s) => s.folder(1, "", [{ name: "x", mode: 0o644 }]),
  "a size above 2^53": (s) => s.folder(1, "", [{ name: "x", size: 2n ** 63n }]),
  "a link to nothing": (s) => s.folder(1, "", [{ name: "x", mode: 0o120777 }]),
  "a link longer than its entry": (s) =>
    s.folder(1, "", [{ name: "x", mode: 0o120777, bits: 2, extra: link("to", 4000) }]),
  "a link with a NUL": (s) =>
    s.folder(1, "", [{ name: "x", mode: 0o120777, bits: 2, extra: link("a\0b") }]),
  "attributes in a listing": (s) => s.folder(1, "", [{ name: "x", bits: 1, extra: link("") }]),
  "attributes that are cut off": (s) => {
    s.folder(1, "", [file]);
    const whole = attributesBytes(0, { "user.x": "1234" });
    whole.writeUInt32LE(whole.length - 13, 8);
    s.send(frameType.attributes, whole.subarray(0, -1), { id: 1 });
  },
  "attributes of another length": (s) => {
    s.folder(1, "", [file]);
    s.send(frameType.attributes, attributesBytes(0, { "user.x": "1" }).subarray(0, -1), { id: 1 });
  },
  "attributes of what nobody asked for": (s) => {
    s.folder(1, "", [{ name: "sub", mode: 0o040755 }]);
    s.send(frameType.attributes, attributesBytes(0, {}), { id: 1 });
  },
  "unknown marks": (s) => s.folder(1, "", [{ name: "x", bits: 4096 }]),
  "a frame of 2^63 bytes": (s) =>
    s.send(frameType.folder, new Uint8Array(), { id: 1, flags: 8, length: 2n ** 63n }),
  "a frame above the limit": (s) =>
    s.send(frameType.folder, new Uint8Array(), { id: 1, flags: 8, length: 2n ** 23n }),
  "a frame of an unknown type": (s) => s.send(99, new Uint8Array()),
  "a frame of the other direction": (s) => s.send(frameType.need, new Uint8Array(), { id: 1 }),
  "more folders than agreed": (s) => {
    for (let id = 1; id <= 65; id++) s.folder(id, `f${id}`, [file]);
  },
  "content of an unknown folder": (s) => s.send(frameType.files, smallBytes(0, "12345"), { id: 9 }),
  "content of an unknown entry": (s) => {
    s.folder(1, "", [file]);
    s.send(frameType.files, smallBytes(7, "12345"), { id: 1 });
  },
  "content twice": (s) => {
    s.folder(1, "", [file, { name: "other", size: 5n }]);
    s.send(frameType.files, Buffer.concat([smallBytes(0, "12345"), smallBytes(0, "12345")]), {
      id: 1,
    });
  },
  "content of a folder entry": (s) => {
    s.folder(1, "", [{ name: "sub", mode: 0o040755 }]);
    s.send(frameType.files, smallBytes(0, ""), { id: 1 });
  },
  "content of another length": (s) => {
    s.folder(1, "", [file]);
    s.send(frameType.files, smallBytes(0, "123"), { id: 1 });
  },
  "content longer than its frame": (s) => {
    s.folder(1, "", [file]);
    s.send(frameType.files, smallBytes(0, "12345", 4_000_000_000), { id: 1 });
  },
  "an end before all is there": (s) => {
    s.folder(1, "", [file]);
    end(s);
  },
  "blocks that the target has not": (s) => {
    s.folder(1, "", [file]);
    const head = Buffer.alloc(16);
    head.writeUInt8(2, 4);
    s.send(frameType.file, head, { id: 1 });
  },
  "a piece beyond the end of its file": (s) => {
    s.folder(1, "", [file]);
    const head = Buffer.alloc(16);
    head.writeUInt8(1, 4);
    head.writeBigUInt64LE(5n, 8);
    s.send(frameType.file, head, { id: 1 });
    const data = Buffer.alloc(21);
    data.writeBigUInt64LE(2n ** 40n, 0);
    data.writeBigUInt64LE(5n, 8);
    s.send(frameType.data, data, { id: 1 });
  },
  "linked names that lead up": (s) =>
    s.send(frameType.links, linksBytes([{ folder: "..", name: "x" }]), { id: 1 }),
  "linked names that are none": (s) =>
    s.send(frameType.links, linksBytes([{ folder: "", name: ".." }]), { id: 1 }),
  "linked names of an unknown root": (s) =>
    s.send(frameType.links, linksBytes([{ folder: "", name: "x", root: 4 }]), { id: 1 }),
};

describe("a source that sends", () => {
  for (const [what, script] of Object.entries(hostile)) {
    test(`${what} is refused`, async () => {
      expect(await answer(script)).toBe("E_INTEGRITY");
      expect(readdirSync(work.path)).toEqual(["b"]);
      const left = readdirSync(work.at("b")).filter((name) => name.startsWith(".blit"));
      expect(left).toEqual([]);
    });
  }

  test("nothing any more is told as that", async () => {
    expect(await answer(() => {})).toBe("E_NETWORK");
  });

  test("a file that is asked for has it put in place", async () => {
    const result = await answer((source) => {
      source.folder(1, "", [file]);
      source.send(frameType.files, smallBytes(0, "12345"), { id: 1 });
      end(source);
    });
    expect(typeof result === "string" ? result : result.issues).toEqual([]);
    expect(readFileSync(work.at("b/file"), "utf8")).toBe("12345");
  });

  const hour = 3600;
  const clocks: Record<string, { ctime: number; clock: number; asked: boolean }> = {
    "changed last before the target's": { ctime: -10, clock: 0, asked: false },
    "changed last after the target's": { ctime: 10, clock: 0, asked: true },
    "changed after it by a clock that is behind": { ctime: -10, clock: -hour, asked: true },
    "changed before it by a clock that is ahead": { ctime: hour - 10, clock: hour, asked: false },
  };
  for (const [what, { ctime, clock, asked }] of Object.entries(clocks)) {
    test(`a file ${what} is ${asked ? "" : "not "}asked for its attributes`, async () => {
      present();
      const result = await answer(
        (source) => {
          source.folder(1, "", [{ ...file, ctimeSec: ctimeSec() + ctime }]);
          if (asked) {
            source.send(frameType.attributes, attributesBytes(0, { "user.x": "1" }), { id: 1 });
          }
          end(source);
        },
        Date.now() + clock * 1000,
      );
      expect(typeof result === "string" ? result : result.issues).toEqual([]);
      const listed = Bun.spawnSync([
        "getfattr",
        "--only-values",
        "-n",
        "user.x",
        work.at("b/file"),
      ]);
      expect(listed.stdout.toString()).toBe(asked ? "1" : "");
    });
  }

  test("content where attributes were asked for is refused", async () => {
    present();
    const result = await answer((source) => {
      source.folder(1, "", [{ ...file, ctimeSec: ctimeSec() + 10 }]);
      source.send(frameType.files, smallBytes(0, "54321"), { id: 1 });
      end(source);
    });
    expect(result).toBe("E_INTEGRITY");
    expect(readFileSync(work.at("b/file"), "utf8")).toBe("12345");
  });

  test("and breaks off late does not take back what a later run has brought", async () => {
    const ended = await answer((s) => {
      s.folder(1, "new", [{ ...file, name: "both" }, { ...file, name: "old" }, file]);
      s.send(frameType.files, smallBytes(0, "older"), { id: 1 });
      s.send(frameType.files, smallBytes(1, "first"), { id: 1 });
      while (stagedNames().length < 2) Bun.sleepSync(1);
      work.write("b/new/both", "newer");
      work.write("b/new/new", "later");
    });
    expect(ended).toBe("E_NETWORK");
    expect(readdirSync(work.at("b"))).toEqual(["new"]);
    const holds = (name: string): string => readFileSync(work.at("b/new", name), "utf8");
    expect(["both", "new", "old"].map(holds)).toEqual(["newer", "later", "first"]);
    expect(readdirSync(work.at("b/new"))).toHaveLength(3);
  });

  test("attributes ahead of content has them on the file", async () => {
    const result = await answer((source) => {
      source.folder(1, "", [file, { ...file, name: "other" }]);
      source.send(frameType.attributes, attributesBytes(0, { "user.x": "1" }), { id: 1 });
      const both = [smallBytes(0, "12345"), smallBytes(1, "67890")];
      source.send(frameType.files, Buffer.concat(both), { id: 1 });
      end(source);
    });
    expect(typeof result === "string" ? result : result.issues).toEqual([]);
    const paths = [work.at("b/file"), work.at("b/other")];
    const shown = Bun.spawnSync(["getfattr", "--only-values", "-n", "user.x", ...paths]);
    expect(shown.stdout.toString()).toBe("1");
  });

  test("any bytes gets an answer in bounded time and memory", async () => {
    const bytes = fc.uint8Array({ maxLength: 200 });
    const type = fc.constantFrom(...Object.values(frameType));
    const frames = fc.array(fc.tuple(type, fc.nat(255), fc.nat(3), bytes), { maxLength: 6 });
    const property = fc.asyncProperty(frames, async (all) => {
      const result = await answer((source) => {
        source.folder(1, "", [file, { name: "sub", mode: 0o040755 }]);
        for (const [kind, flags, id, payload] of all) source.send(kind, payload, { id, flags });
      });
      if (typeof result === "string") expect(result).toMatch(/^E_(INTEGRITY|NETWORK)$/);
    });
    await fc.assert(property, { numRuns: 10 });
    expect(existsSync(work.at("x"))).toBe(false);
  });
});
