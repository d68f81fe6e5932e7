import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { binaryPath, runBlit, runCommand } from "../../support/binary.ts";
import { dialData, frame, openHostile, passFrame } from "../../support/hostile-client.ts";
import { type HostileDaemon, serveHostile } from "../../support/hostile-daemon.ts";
import { type NetDaemon, startNetDaemon } from "../../support/net-daemon.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

/**
 * The advisories about rsync's and rclone's daemons of 2024 to 2026 that malformed-frames.test.ts
 * and crowd.test.ts do not name: for each, that the same cannot be done to or by blit.
 */

setDefaultTimeout(60_000);

let work: Workspace;
let daemon: NetDaemon;

beforeAll(async () => {
  work = createWorkspace();
  daemon = await startNetDaemon({ folder: work.at("daemon"), root: work.folder("root") });
});
afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  work[Symbol.dispose]();
});

test("no byte goes out that is not said to be one (CVE-2024-12085)", async () => {
  for (let n = 0; n < 20; n++) work.write(`root/s/file${n}`, "x".repeat(n));
  await using session = await openHostile(daemon, { verb: "pull" });
  const stream = dialData(daemon, session.tokens[0] ?? new Uint8Array());
  const received: Buffer[] = [];
  const hasEnded = new Promise<void>((resolve) => {
    stream.socket.on("data", (bytes: Buffer) => {
      received.push(bytes);
      if (framesIn(Buffer.concat(received)).some(({ type }) => type === 2)) resolve();
    });
  });
  expect(await stream.answer).toBe(0);
  session.startPass(1);
  await hasEnded;
  const listing = framesIn(Buffer.concat(received)).find(({ type }) => type === 2);
  expect(unusedBytes(listing?.payload ?? Buffer.alloc(0))).toEqual([]);
  stream.socket.destroy();
});

/** Whole frames, after the byte that the daemon answers with. */
function framesIn(bytes: Buffer): { type: number; payload: Buffer }[] {
  const frames: { type: number; payload: Buffer }[] = [];
  for (let at = 1; at + 16 <= bytes.length; ) {
    const length = bytes.readUInt32LE(at + 8);
    if (at + 16 + length > bytes.length) break;
    // Unused fields of the header.
    expect(bytes.readUInt16LE(at + 2)).toBe(0);
    expect(bytes.readUInt32LE(at + 12)).toBe(0);
    frames.push({ type: bytes[at] ?? 0, payload: bytes.subarray(at + 16, at + 16 + length) });
    at += 16 + length;
  }
  return frames;
}

/** Offsets of a FOLDER frame's bytes that mean nothing and are not zero, or are too many. */
function unusedBytes(payload: Buffer): number[] {
  const unused: number[] = [];
  const zero = (at: number, length: number): void => {
    for (let i = at; i < at + length; i++) if (payload[i] !== 0) unused.push(i);
  };
  zero(2, 2);
  let at = 8 + payload.readUInt32LE(4);
  // The padding of stx_mode in the status.
  zero(at + 14, 2);
  at += 96;
  at += 4 + payload.readUInt32LE(at);
  while (at < payload.length) {
    zero(at + 8 + 14, 2);
    at += 8 + 96 + payload.readUInt16LE(at) + payload.readUInt32LE(at + 4);
  }
  if (at !== payload.length) unused.push(at);
  return unused;
}

describe("a daemon cannot make a client send what it has not offered (CVE-2024-12086)", () => {
  const u32 = (...values: readonly number[]): Buffer => {
    const bytes = Buffer.alloc(values.length * 4);
    for (const [i, value] of values.entries()) bytes.writeUInt32LE(value, i * 4);
    return bytes;
  };
  /** u32 index, u8 kind, u8 flags, u16 0, u32 extra length. */
  const need = (index: number, kind: number): Buffer => {
    return Buffer.concat([u32(index), Buffer.of(kind, 0, 0, 0), u32(0)]);
  };
  const cases: Record<string, Buffer> = {
    "an entry that is not in the folder": frame(20, { id: 1, payload: need(99, 1) }),
    "an entry beyond all numbers": frame(20, { id: 1, payload: need(0xffff_ffff, 1) }),
    "a folder that was never listed": frame(20, { id: 77, payload: need(0, 1) }),
    "a kind of answer that does not exist": frame(20, { id: 1, payload: need(0, 99) }),
    "a file removed that only a move may remove": frame(20, { id: 1, payload: need(0, 3) }),
    "a request that is cut off": frame(20, { id: 1, payload: Buffer.of(1, 2, 3) }),
    "a frame of 2^60 bytes": frame(20, { id: 1, length: 2n ** 60n }),
    "a frame of a source": frame(5, { id: 1, payload: Buffer.alloc(16) }),
  };
  for (const [name, bytes] of Object.entries(cases)) {
    test(name, async () => {
      const source = work.folder("offered");
      work.write("offered/file", "this may go");
      const secret = work.write("not-offered", "TOP SECRET");
      await using hostile: HostileDaemon = await serveHostile(bytes);
      const run = await runBlit(["copy", "-y", `${source}/`, `${hostile.at}/m/`]);
      expect(run.code).toBe(1);
      expect(run.stderr).toMatch(/^error: /m);
      expect(hostile.received().includes("TOP SECRET")).toBe(false);
      expect(readFileSync(secret, "utf8")).toBe("TOP SECRET");
      expect(existsSync(work.at("offered/file"))).toBe(true);
    });
  }
});

describe("places that a caller names (CVE-2026-53789; GHSA-45pq-889g-fcgh)", () => {
  const paths = ["..", "../x", "a/../..", "a/../../x", "x\0y", "./../..", "//..", "..//"];
  for (const path of paths) {
    for (const verb of ["push", "pull"] as const) {
      test(`${verb} ${JSON.stringify(path)}`, async () => {
        work.write("beside", "not of the module");
        const ended = openHostile(daemon, { verb, path, command: 2 }).then(async (session) => {
          await session[Symbol.asyncDispose]();
          return "opened";
        });
        const code = await ended.catch((error: { code: string }) => error.code);
        expect(["E_INTEGRITY", "E_REFUSED", "E_NOT_FOUND", "E_USAGE", "E_IO"]).toContain(code);
        expect(existsSync(work.at("beside"))).toBe(true);
      });
    }
  }

  test("a mirror deletes nothing but what its own folder has too much", async () => {
    work.write("root/stays/file", "1");
    work.write("root/t/old", "2");
    await using session = await openHostile(daemon, { command: 2 });
    const stream = dialData(daemon, session.tokens[0] ?? new Uint8Array());
    expect(await stream.answer).toBe(0);
    session.startPass(1);
    // Whatever it lists as another root: there is one only.
    const listing = Buffer.alloc(8);
    listing.writeUInt16LE(1, 0);
    await stream.send(passFrame(), frame(2, { id: 1, flags: 8, payload: listing }));
    expect(await session.outcome).toBe("E_INTEGRITY");
    expect(readdirSync(work.at("root/stays"))).toEqual(["file"]);
    stream.socket.destroy();
  });
});

test("names of hosts that do not resolve let nobody in (CVE-2026-43617, 70452)", async () => {
  const module = ["[[module]]", 'name = "m"', `path = ${JSON.stringify(work.folder("acl"))}`];
  const rule = 'hosts_allow = ["no-such-host.invalid"]';
  const folder = work.at("acl-daemon");
  await using closed = await startNetDaemon({ folder, rest: [...module, rule] });
  const run = await runBlit(["list", `${closed.at}/m/`]);
  expect(run.code).toBe(1);
  expect(run.stderr).toMatch(/^error: /m);
});

test("a limit of zero is an error, not the absence of a limit (CVE-2026-53794)", async () => {
  const path = work.write("zero.toml", "[daemon]\nconnections_max = 0\n");
  const run = await runCommand([await binaryPath("blitd"), "--config", path]);
  expect(run.code).toBe(2);
  expect(run.stderr).toContain("connections_max");
});

describe("folders that turn into symbolic links meanwhile (CVE-2024-12747, 2026-29518)", () => {
  /** Renames; what the daemon has made under the name in the meantime goes. */
  function put(from: string, to: string): void {
    for (;;) {
      try {
        renameSync(from, to);
        return;
      } catch {
        lstatSync(from);
        rmSync(to, { recursive: true, force: true });
      }
    }
  }

  /** Swaps a folder of the module with a link to outside of it, as fast as it goes. */
  function swapping(place: string, outside: string): { stop: () => Promise<void> } {
    const [link, aside] = [`${place}.link`, `${place}.aside`];
    mkdirSync(place, { recursive: true });
    symlinkSync(outside, link);
    let isOver = false;
    const done = (async () => {
      while (!isOver) {
        renameSync(place, aside);
        put(link, place);
        await new Promise((resolve) => setImmediate(resolve));
        renameSync(place, link);
        put(aside, place);
        await new Promise((resolve) => setImmediate(resolve));
      }
    })();
    return {
      stop: async () => {
        isOver = true;
        await done;
      },
    };
  }

  test("nothing is written outside by a push", async () => {
    const outside = work.folder("outside-push");
    const swap = swapping(work.at("root/race/d"), outside);
    for (let run = 0; run < 4; run++) {
      for (let n = 0; n < 200; n++) work.write(`race/d/${n}`, `${run} ${n}`.repeat(run + 1));
      const { code } = await runBlit(["copy", "-y", work.at("race/"), `${daemon.at}/m/race/`]);
      expect([0, 1, 4]).toContain(code);
    }
    await swap.stop();
    expect(readdirSync(outside)).toEqual([]);
  });

  test("nothing from outside is read by a pull (CVE-2026-53797, 53800, 53801)", async () => {
    const outside = work.folder("outside-pull");
    writeFileSync(`${outside}/secret`, "TOP SECRET");
    work.write("root/read/d/open", "may be read");
    const swap = swapping(work.at("root/read/d"), outside);
    for (let run = 0; run < 4; run++) {
      const target = work.at("read", `${run}`);
      await runBlit(["copy", "-y", `${daemon.at}/m/read/`, `${target}/`]);
      // The link itself may be copied, as any link; here it would lead to the secret.
      const copied = lstatSync(`${target}/d`, { throwIfNoEntry: false });
      if (copied?.isDirectory()) expect(readdirSync(`${target}/d`)).not.toContain("secret");
    }
    await swap.stop();
  });
});
