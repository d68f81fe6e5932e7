import { expect, setDefaultTimeout, test } from "bun:test";
import { linkSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { counter } from "../../../src/blit/engine/shared-state.ts";
import { ports } from "../../../src/blit/ports.ts";
import { SendSession } from "../../../src/blit/send/send-session.ts";
import { freeBase } from "../../../src/blit/session/open-beneath.ts";
import { frameType, needKind } from "../../../src/blit/wire/frame.ts";
import { createSendWorker } from "../../../src/workers.ts";
import { FrameTarget, type SeenEntry, type Want } from "../../support/frame-target.ts";
import { tcpPair } from "../../support/socket-pair.ts";
import { plainOptions } from "../../support/stream-transfer.ts";
import { createWorkspace } from "../../support/workspace.ts";

setDefaultTimeout(120_000);

/** What a target sees of a folder, and the counters of the source. */
async function look(source: string, wants: (entry: SeenEntry) => Want | undefined) {
  ports.createSendWorker = createSendWorker;
  const request = { options: plainOptions, base: freeBase, sources: [source], streams: 1 };
  const session = await SendSession.open(request);
  const { left, right } = tcpPair();
  session.addStream({ index: 0, fd: left, keys: undefined, stallMs: 30_000 });
  const target = new FrameTarget({ index: 0, fd: right, keys: undefined, stallMs: 30_000 });
  const received = target.pass(wants);
  const report = await session.runPass("transfer");
  await received;
  await session.close();
  target.socket.close();
  return { target, report };
}

test("a listing has every entry once, plain files and what lies between them", async () => {
  using work = createWorkspace();
  mkdirSync(work.at("a"));
  const names = new Set<string>();
  const add = (name: string): string => {
    names.add(name);
    return work.at("a", name);
  };
  // More than fit into one frame, with names of all lengths.
  for (let i = 0; i < 2500; i++) {
    writeFileSync(add(`${"n".repeat(i % 250)}${i}`), "x".repeat(i % 7));
  }
  for (const name of [".", ".."].map((dots) => `${dots}hidden`)) writeFileSync(add(name), "h");
  linkSync(work.at("a", "0"), add("second name"));
  symlinkSync("0", add("link"));
  mkdirSync(add("folder"));
  writeFileSync(work.at("a", ".blit-partial-0~"), "left");
  const { target, report } = await look(`${work.at("a")}/`, () => undefined);
  const seen = target.entries.map(({ path }) => path);
  expect(seen.length).toBe(names.size);
  expect(new Set(seen)).toEqual(names);
  expect(target.flags.length).toBeGreaterThan(2);
  const byName = new Map(target.entries.map((entry) => [entry.path, entry]));
  for (const [name, size] of [
    ["n".repeat(5) + 5, 5],
    [".hidden", 1],
    ["n".repeat(249) + 249, 4],
  ]) {
    expect(byName.get(`${name}`)).toMatchObject({ size, mode: 0o100644, nlink: 1 });
  }
  for (const name of ["0", "second name"]) expect(byName.get(name)?.bits).toBe(4);
  expect(byName.get("link")?.to).toBe("0");
  const count = (column: number): number | undefined => report.counts[column];
  expect(count(counter.seen)).toBe(names.size - 1);
});

test("attributes come when they are asked for, and ahead of content", async () => {
  using work = createWorkspace();
  mkdirSync(work.at("a"));
  for (const name of ["asked", "bare", "sent", "sent bare", "left"]) {
    writeFileSync(work.at("a", name), name);
  }
  const paths = ["asked", "sent", "left"].map((name) => work.at("a", name));
  Bun.spawnSync(["setfattr", "-n", "user.x", "-v", "1", ...paths]);
  const { target, report } = await look(`${work.at("a")}/`, ({ path }) => {
    if (path === "left") return undefined;
    return { kind: path.startsWith("sent") ? needKind.whole : needKind.attributes };
  });
  expect(report.issues).toEqual([]);
  const blob = Buffer.from("\x06\0\x01\0\0\0user.x1");
  expect(Object.fromEntries(target.attributes)).toEqual({
    "0:asked": blob,
    "0:bare": Buffer.alloc(0),
    "0:sent": blob,
  });
  expect([...target.contents.keys()].sort()).toEqual(["0:sent", "0:sent bare"]);
  expect(target.types.get(frameType.attributes)).toBe(3);
});
