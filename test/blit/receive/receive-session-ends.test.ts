import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { cancelReason, counter } from "../../../src/blit/engine/shared-state.ts";
import type { Fault } from "../../../src/kit/fault/fault.ts";
import { cannotMount, mountFilesystem } from "../../support/loop-filesystem.ts";
import { testUnless } from "../../support/skip.ts";
import { StreamTransfer, type Transfer } from "../../support/stream-transfer.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

setDefaultTimeout(120_000);

/** Transfers that do not come to their end: what stays, and what is said. */

const MIB = 1024 * 1024;

let work: Workspace;
beforeEach(() => {
  work = createWorkspace();
});
afterEach(() => work[Symbol.dispose]());

function contents(options: Partial<Transfer> = {}): Transfer {
  return { sources: [`${work.at("a")}/`], target: work.at("b"), streams: 1, ...options };
}

/** What both halves say of a pass, whichever way it ends. */
async function endOf(open: StreamTransfer) {
  open.receive.startPass("transfer");
  const source = await open.send.runPass("transfer").catch((fault: Fault) => fault.code);
  const report = { counts: [], issues: [], listingErrors: 0, cancelled: 0 };
  const target = await open.receive.finishPass(report).catch((fault: Fault) => fault.code);
  return { source, target };
}

testUnless(cannotMount("tmpfs"))(
  "a full target is told as that, and nothing of it is hidden",
  async () => {
    using full = mountFilesystem({ kind: "tmpfs", sizeBytes: 4 * MIB });
    for (let i = 0; i < 20; i++) work.write(`a/${i}`, Buffer.alloc(MIB / 2, i + 1));
    const target = `${full.path}/b`;
    await using open = await StreamTransfer.open(contents({ target, streams: 2 }));
    const ended = await endOf(open);
    if (typeof ended.target === "string") throw new Error(ended.target);
    expect(ended.target.cancelled).toBe(cancelReason.noSpace);
    expect(ended.target.issues.some(({ code }) => code === "ENOSPC")).toBe(true);
    expect((await open.receive.failed).code).toBe("E_NO_SPACE");
    const names = readdirSync(target);
    expect(names.filter((name) => name.startsWith(".blit"))).toEqual([]);
    for (const name of names) {
      expect(readFileSync(`${target}/${name}`)).toEqual(readFileSync(work.at("a", name)));
    }
  },
);

test("the part of a large file that was received is kept, and gone on with", async () => {
  const content = Buffer.alloc(40 * MIB);
  for (let at = 0; at < content.length; at += 4) content.writeUInt32LE(at * 7, at);
  work.write("a/file", content);
  {
    const options = { bytesPerSecond: 20 * MIB };
    await using open = await StreamTransfer.open(contents({ options }));
    const ending = endOf(open);
    while ((open.receive.progress().counts[counter.bytesDone] ?? 0) < 16 * MIB) await Bun.sleep(5);
    open.send.cancel(cancelReason.interrupted);
    await open.send.close();
    const { target } = await ending;
    expect(target).toBe("E_NETWORK");
  }
  const [part = ""] = readdirSync(work.at("b"));
  expect(part).toStartWith(".blit-partial-");
  const kept = statSync(work.at("b", part)).size;
  expect(kept).toBeGreaterThanOrEqual(8 * MIB);
  await using open = await StreamTransfer.open(contents());
  const { source, target } = await open.pass();
  expect([...source.issues, ...target.issues]).toEqual([]);
  expect(readdirSync(work.at("b"))).toEqual(["file"]);
  expect(readFileSync(work.at("b/file")).equals(content)).toBe(true);
});

test("a cancelled session says so, and leaves nothing half", async () => {
  for (let i = 0; i < 400; i++) work.write(`a/${i % 7}/${i}`, Buffer.alloc(20_000, i + 1));
  const options = { bytesPerSecond: MIB };
  await using open = await StreamTransfer.open(contents({ options, streams: 2 }));
  const ending = endOf(open);
  while ((open.receive.progress().counts[counter.files] ?? 0) < 20) await Bun.sleep(5);
  open.receive.cancel(cancelReason.interrupted);
  const { target } = await ending;
  if (typeof target === "string") throw new Error(target);
  expect(target.cancelled).toBe(cancelReason.interrupted);
  await open.receive.close();
  const names = readdirSync(work.at("b"), { recursive: true, encoding: "utf8" });
  expect(names.filter((name) => name.includes(".blit"))).toEqual([]);
  for (const name of names.filter((each) => each.includes("/"))) {
    expect(readFileSync(work.at("b", name))).toEqual(readFileSync(work.at("a", name)));
  }
});
