import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import fc from "fast-check";
import { runBlit } from "../../support/binary.ts";
import {
  dialData,
  entry,
  flag,
  folder,
  frame,
  mode,
  openHostile,
  passFrame,
} from "../../support/hostile-client.ts";
import {
  memoryMib,
  type NetDaemon,
  resetPeakMib,
  startNetDaemon,
} from "../../support/net-daemon.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

/**
 * What a source may send to a daemon that takes it for a client: every violation ends that session,
 * with its reason, and nothing else. Rows of rsync's advisories of 2024 to 2026 are named.
 */

const MIB = 2 ** 20;
/** What one hostile session may cost the daemon, beside what any session costs. */
const GROWTH_MIB_MAX = 160;

// A stall is told after 10 s; a test that runs out of time would have the daemon ended with it.
setDefaultTimeout(40_000);

let work: Workspace;
let daemon: NetDaemon;

beforeAll(async () => {
  work = createWorkspace();
  daemon = await startNetDaemon({ folder: work.at("daemon"), root: work.folder("root") });
}, 60_000);
afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  work[Symbol.dispose]();
});

/** Sends these bytes after the PASS frame of a push; returns how the session ended. */
async function pushed(...parts: readonly Uint8Array[]): Promise<string> {
  await using session = await openHostile(daemon);
  const stream = dialData(daemon, session.tokens[0] ?? new Uint8Array());
  expect(await stream.answer).toBe(0);
  session.startPass(1);
  await stream.send(passFrame(), ...parts);
  const ended = await session.outcome;
  stream.socket.destroy();
  return ended;
}

const first = (payload: Uint8Array, id = 1): Buffer => {
  return frame(2, { id, flags: flag.first, payload });
};

async function expectAlive(): Promise<void> {
  const run = await runBlit(["list", `${daemon.at}/m/`]);
  expect(run.code, run.stderr).toBe(0);
}

describe("names are checked after decoding (CVE-2024-12087; GHSA-7p4m-qxvv-g567)", () => {
  const names = ["..", ".", "", "a/b", "/etc", "nul\0nul", "x".repeat(256)];
  for (const name of names) {
    test(`an entry called ${JSON.stringify(name.slice(0, 20))}`, async () => {
      const payload = folder("", entry(name, mode.file, { size: 1 }));
      expect(await pushed(first(payload))).toBe("E_INTEGRITY");
    });
  }
  const paths = ["..", "../x", "/etc", "a//b", "a/../../x", "a/./b", "a/", "a\0b", "x".repeat(300)];
  for (const path of paths) {
    test(`a folder called ${JSON.stringify(path.slice(0, 20))}`, async () => {
      const root = first(folder("", entry("a", mode.folder)));
      expect(await pushed(root, first(folder(path), 2))).toBe("E_INTEGRITY");
    });
  }

  test("nothing of it was made anywhere", () => {
    expect(readdirSync(work.path).sort()).toEqual(["daemon", "root"]);
    expect(existsSync("/etc/x")).toBe(false);
  });
});

describe("lengths are checked before memory is taken (CVE-2024-12084)", () => {
  const lengths: readonly (readonly [string, bigint])[] = [
    ["a byte above the limit", 4n * 1024n * 1024n + 1n],
    ["4 GiB", 2n ** 32n],
    ["2^53", 2n ** 53n],
    ["2^63", 2n ** 63n],
    ["2^64 - 1", 2n ** 64n - 1n],
  ];
  for (const [name, length] of lengths) {
    test(`a frame that says it has ${name}`, async () => {
      const before = memoryMib(daemon.pid, "VmRSS");
      expect(await pushed(frame(2, { id: 1, flags: flag.first, length }))).toBe("E_INTEGRITY");
      expect(memoryMib(daemon.pid, "VmRSS") - before).toBeLessThan(GROWTH_MIB_MAX);
    });
  }

  test("lengths inside of a folder that point beyond its frame", async () => {
    const good = folder("", entry("name", mode.file, { size: 10 }));
    for (const at of [4, 104, 108, 110, 112]) {
      for (const value of [0xff, 0x7f]) {
        const bad = Buffer.from(good);
        bad[at] = value;
        bad[at + 1] = value;
        if (bad.equals(good)) continue;
        expect(await pushed(first(bad)), `byte ${at}`).toBe("E_INTEGRITY");
      }
    }
  });

  test("a size above 2^53 (CVE-2026-43618)", async () => {
    const huge = folder("", entry("big", mode.file, { size: 10 }));
    // The last byte of the entry's size.
    const sizeAt = 8 + 96 + 4 + 8 + 24 + 7;
    huge[sizeAt] = 0x7f;
    expect(await pushed(first(huge))).toBe("E_INTEGRITY");
  });
});

describe("frames that have no place", () => {
  const file = first(folder("", entry("f", mode.file, { size: 100 })));
  const u32 = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32LE(value);
    return bytes;
  };
  const u64 = (value: number): Buffer => {
    const bytes = Buffer.alloc(8);
    bytes.writeBigUInt64LE(BigInt(value));
    return bytes;
  };
  const begin = (index: number, way: number, size: number): Buffer => {
    return frame(5, {
      id: 1,
      payload: Buffer.concat([u32(index), Buffer.of(way, 0, 0, 0), u64(size)]),
    });
  };
  const data = (offset: number, bytes: number): Buffer => {
    return frame(6, {
      id: 1,
      payload: Buffer.concat([u64(offset), u64(bytes), Buffer.alloc(bytes)]),
    });
  };
  const cases: Record<string, readonly Buffer[]> = {
    "a type that does not exist": [frame(200)],
    "a frame of the target": [frame(20, { id: 1 })],
    "content of a folder that was never listed": [begin(0, 0, 10)],
    "content of an entry that does not exist": [file, begin(7, 0, 10)],
    "data without a file": [file, data(0, 10)],
    "data beyond the size": [file, begin(0, 0, 10), data(5, 10)],
    "a file inside of another": [file, begin(0, 0, 10), begin(1, 0, 10)],
    "blocks to reuse where there is no base": [
      file,
      begin(0, 2, 10),
      frame(7, { id: 1, payload: Buffer.concat([u64(0), u64(0), u64(10)]) }),
    ],
    "the same folder number twice": [file, file],
    "more of a folder that was not begun": [frame(2, { id: 9, payload: entry("x", mode.file) })],
    "small files that were not asked for": [
      file,
      frame(4, {
        id: 1,
        payload: Buffer.concat([u32(99), u32(3), Buffer.of(0, 0, 0, 0, 1, 2, 3)]),
      }),
    ],
  };
  for (const [name, parts] of Object.entries(cases)) {
    test(name, async () => {
      expect(await pushed(...parts)).toBe("E_INTEGRITY");
    });
  }
});

test("any bytes end the session and nothing else", async () => {
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 200 }),
    fc.record({ type: fc.nat(31), flags: fc.nat(31), payload: fc.uint8Array({ maxLength: 300 }) }),
  );
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 6 }), async (pieces) => {
      await using session = await openHostile(daemon);
      const stream = dialData(daemon, session.tokens[0] ?? new Uint8Array());
      expect(await stream.answer).toBe(0);
      session.startPass(1);
      const bytes = pieces.map((each) => {
        return each instanceof Uint8Array ? each : frame(each.type, { ...each, id: 1 });
      });
      await stream.send(passFrame(), ...bytes);
      stream.socket.end();
      // The connection ends in the middle of things: that too.
      expect(["E_INTEGRITY", "E_NETWORK"]).toContain(await session.outcome);
      stream.socket.destroy();
    }),
    { numRuns: 40 },
  );
  await expectAlive();
}, 120_000);

test("a symbolic link that the source plants is not followed (CVE-2024-12088)", async () => {
  const outside = work.folder("outside");
  const root = first(folder("", entry("l", mode.link, { to: outside }), entry("d", mode.folder)));
  const ended = await pushed(
    root,
    frame(2, {
      id: 2,
      flags: flag.first,
      payload: folder("l", entry("sub", mode.folder), entry("ln", mode.link, { to: "x" })),
    }),
    frame(2, { id: 3, flags: flag.first, payload: folder("l/sub") }),
    frame(200),
  );
  expect(ended).toBe("E_INTEGRITY");
  expect(readdirSync(outside)).toEqual([]);
});

test("a listing without end stays within bounds", async () => {
  const before = resetPeakMib(daemon.pid);
  await using session = await openHostile(daemon);
  const stream = dialData(daemon, session.tokens[0] ?? new Uint8Array());
  expect(await stream.answer).toBe(0);
  session.startPass(1);
  await stream.send(passFrame());
  const listed = Array.from({ length: 8000 }, (_, n) => entry(`f${n}`, mode.file, { size: 9 }));
  let sent = 0;
  // Folder after folder, none of whose answers is ever read; 400 MiB if nobody stops it.
  const isOver = session.outcome.then(() => true);
  for (let id = 1; id < 500 && !stream.socket.destroyed; id++) {
    const payload = folder(`d${id}`, ...listed);
    const isSent = stream.send(frame(2, { id, flags: flag.first, payload })).then(() => false);
    if (await Promise.race([isSent, isOver])) break;
    sent += payload.length;
  }
  stream.socket.destroy();
  expect(["E_INTEGRITY", "E_NETWORK", "E_STALL"]).toContain(await session.outcome);
  const grown = memoryMib(daemon.pid, "VmHWM") - before;
  expect(grown, `after ${Math.round(sent / MIB)} MiB`).toBeLessThan(GROWTH_MIB_MAX);
  await expectAlive();
}, 120_000);
