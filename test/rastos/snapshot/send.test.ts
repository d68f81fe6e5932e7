import { expect } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { readTree } from "../../../src/rastos/snapshot/find-tree.ts";
import { commonParent, keysOfAll } from "../../../src/rastos/snapshot/part-keys.ts";
import { receiveSnapshot } from "../../../src/rastos/snapshot/receive.ts";
import { sendSnapshot } from "../../../src/rastos/snapshot/send.ts";
import { lengthBytes } from "../../../src/rastos/snapshot/stream-format.ts";
import { compress, decompress } from "../../../src/rastos/snapshot/transfer.ts";
import { SnapshotTree } from "../../../src/rastos/snapshot/tree.ts";
import { cannotMount } from "../../support/loop-filesystem.ts";
import { firstReason, needsProgram, testUnless } from "../../support/skip.ts";
import { mountTop, openTree, partsOf, subvolumesOf } from "../../support/snapshot-tree.ts";

/** Empty places of subvolumes, which the kernel does not send. */
const PLACES = ["-x", "etc", "-x", "var"];

const testOnBtrfs = (name: string, body: () => void | Promise<void>) =>
  testUnless(firstReason(cannotMount("btrfs"), needsProgram("btrfs")))(name, body, 30_000);

testOnBtrfs("a snapshot and its child arrive as they are, the child as a difference", async () => {
  using disk = mountTop();
  using other = mountTop();
  using from = openTree(disk.path);
  using to = SnapshotTree.open(other.path, { command: "test", isNew: true });
  to.create({ from: undefined, description: "its own" });
  const large = Buffer.alloc(300_000, "large");
  const first = keep(from, 0, (root) => writeFileSync(join(root, "usr/large"), large));
  const second = keep(from, first, (root) => {
    writeFileSync(join(root, "etc/hostname"), "two\n");
    writeFileSync(join(root, "usr/new"), "new");
  });
  from.branch(second, "side", "a branch");
  const whole = await transfer(from, to, first);
  expect(whole.received).toMatchObject({ id: 1, parent: undefined, description: "kept" });
  const part = await transfer(from, to, second);
  expect(part.parent).toBe(first);
  expect(part.received).toMatchObject({ id: 2, parent: 1 });
  expect(part.bytes).toBeLessThan(whole.bytes / 10);
  const branch = await transfer(from, to, 3);
  expect(branch.parent).toBe(second);
  expect(branch.received).toMatchObject({ id: 3, parent: 2, branch: "side" });
  for (const [own, theirs] of [
    [first, 1],
    [second, 2],
    [3, 3],
  ] as const) {
    for (const partName of ["root", "etc", "var"] as const) {
      const [a, b] = [from.pathsOf(own)[partName], to.pathsOf(theirs)[partName]];
      const run = Bun.spawnSync(["diff", "-r", "--no-dereference", ...PLACES, a, b]);
      expect(run.stdout.toString()).toBe("");
      expect(run.exitCode).toBe(0);
    }
  }
  expect(subvolumesOf(other.path)).toEqual(partsOf(0, 1, 2, 3));
  // And back again: what was received from here is known here.
  const again = await faultOf(async () => transfer(to, from, 2));
  expect(again).toMatchObject({ code: "E_REFUSED", details: { snapshot: second } });
  const back = keep(to, 2, (root) => writeFileSync(join(root, "usr/back"), ""));
  const returned = await transfer(to, from, back);
  expect(returned.parent).toBe(2);
  expect(returned.received.parent).toBe(second);
});

testOnBtrfs("a branch of what was received keeps its name and its parent", async () => {
  using disk = mountTop();
  using other = mountTop();
  using from = openTree(disk.path);
  using to = SnapshotTree.open(other.path, { command: "test", isNew: true });
  const { received } = await transfer(from, to, 0);
  const { createdMs } = to.branch(received.id, "testing", "mine");
  expect(readTree(other.path).snapshots.at(-1)).toMatchObject({
    parent: received.id,
    branch: "testing",
    description: "mine",
    createdMs,
  });
});

testOnBtrfs("a stream that cannot be taken is not read to its end", async () => {
  using disk = mountTop();
  using other = mountTop();
  using from = openTree(disk.path);
  using to = SnapshotTree.open(other.path, { command: "test", isNew: true });
  const bytes = await streamOf(from, 0, undefined);
  const first = 20 + bytes.readUInt32LE(16);
  const endless = async function* (): AsyncGenerator<Uint8Array> {
    yield bytes.subarray(0, first);
    // The beginning of a part, and then nothing that btrfs knows.
    for (let piece = bytes.subarray(first + 4, first + 104); ; piece = Buffer.alloc(65_536, 0xff)) {
      yield lengthBytes(piece.length);
      yield piece;
      await Bun.sleep(0);
    }
  };
  await expect(receiveSnapshot(to, endless())).rejects.toMatchObject({ code: "E_IO" });
  expect(subvolumesOf(other.path)).toEqual([]);
});

testOnBtrfs(
  "what ends early, is damaged, or builds upon what is missing, leaves nothing",
  async () => {
    using disk = mountTop();
    using other = mountTop();
    using from = openTree(disk.path);
    using to = SnapshotTree.open(other.path, { command: "test", isNew: true });
    const child = keep(from, 0, (root) => writeFileSync(join(root, "usr/new"), "new"));
    const bytes = await streamOf(from, 0, undefined);
    const lengths = [
      0,
      5,
      30,
      600,
      Math.floor(bytes.length / 2),
      bytes.length - 40,
      bytes.length - 1,
    ];
    for (const length of lengths) {
      const fault = await faultOf(() => receive(to, bytes.subarray(0, length)));
      expect(fault.code, `${length} bytes`).toBe("E_INTEGRITY");
    }
    for (let at = 40; at < bytes.length; at += Math.floor(bytes.length / 12)) {
      const damaged = Buffer.from(bytes);
      damaged[at] = (damaged[at] ?? 0) ^ 0x41;
      const fault = await faultOf(() => receive(to, damaged));
      expect(["E_INTEGRITY", "E_IO"], `byte ${at}`).toContain(fault.code);
    }
    const upon = await faultOf(async () => receive(to, await streamOf(from, child, 0)));
    expect(upon).toMatchObject({ code: "E_NOT_FOUND" });
    expect(subvolumesOf(other.path)).toEqual([]);
    expect((await receive(to, bytes)).id).toBe(0);
  },
);

testOnBtrfs("a compressed stream is recognised", async () => {
  using disk = mountTop();
  using other = mountTop();
  using from = openTree(disk.path);
  using to = SnapshotTree.open(other.path, { command: "test", isNew: true });
  const { top, snapshot } = { top: disk.path, snapshot: from.snapshot(0) };
  const compressed = compress(sendSnapshot({ top, snapshot, parent: undefined }));
  const received = await receiveSnapshot(to, decompress(compressed));
  expect(readFileSync(join(to.pathsOf(received.id).etc, "hostname"), "utf8")).toBe("one\n");
});

async function transfer(from: SnapshotTree, to: SnapshotTree, id: number) {
  const parent = commonParent({
    state: from.state,
    own: keysOfAll(from.root, from.state),
    theirs: keysOfAll(to.root, to.state),
    id,
  });
  const bytes = await streamOf(from, id, parent);
  return { parent, bytes: bytes.length, received: await receive(to, bytes) };
}

async function streamOf(tree: SnapshotTree, id: number, parent: number | undefined) {
  const pieces: Uint8Array[] = [];
  const request = { top: tree.root, snapshot: tree.snapshot(id), parent };
  for await (const piece of sendSnapshot(request)) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

function receive(tree: SnapshotTree, bytes: Buffer) {
  return receiveSnapshot(tree, pieces(bytes));
}

/** In pieces that begin and end anywhere. */
async function* pieces(bytes: Buffer): AsyncGenerator<Uint8Array> {
  for (let at = 0, size = 1; at < bytes.length; at += size, size = ((size * 7) % 4999) + 1) {
    yield bytes.subarray(at, at + size);
  }
}

function keep(tree: SnapshotTree, from: number, edit: (root: string) => void): number {
  using clone = tree.temporary(from);
  edit(clone.path);
  return clone.keep({ description: "kept" }).id;
}

async function faultOf(run: () => Promise<unknown>): Promise<Fault> {
  try {
    await run();
  } catch (error) {
    if (error instanceof Fault) return error;
    throw error;
  }
  throw new Error("Nothing was thrown");
}
