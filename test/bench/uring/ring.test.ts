import { expect } from "bun:test";
import { closeSync, openSync } from "node:fs";
import { SETUP } from "../../../bench/uring/abi.ts";
import { Ring } from "../../../bench/uring/ring.ts";
import { AT, O } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { Memory, writeCString } from "../../../ffi/mem.ts";
import { needsIoUring } from "../../support/io-uring.ts";
import { testUnless } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";

const kinds = { plain: 0, defer: SETUP.SINGLE_ISSUER | SETUP.DEFER_TASKRUN };

for (const [kind, flags] of Object.entries(kinds)) {
  testUnless(needsIoUring())(`a ${kind} ring writes, reads and fails by tag`, () => {
    using work = createWorkspace();
    using ring = new Ring(8, { flags, workersMax: 1 });
    const memory = new Memory(4096);
    writeCString(memory.bytes, 0, work.at("file"));
    writeCString(memory.bytes, 1024, work.at("none"));
    const missing = memory.pointer + 1024;
    ring.openat(AT.FDCWD, memory.pointer, O.RDWR | O.CREAT | O.CLOEXEC, 0o600, 3);
    ring.openat(AT.FDCWD, missing, O.RDONLY | O.CLOEXEC, 0, 5);
    ring.runAll();
    const file = ring.results[3] as number;
    expect(file).toBeGreaterThan(2);
    expect(ring.results[5]).toBe(-errno.ENOENT);
    memory.bytes.set([7, 8, 9], 2048);
    ring.write(file, memory.pointer + 2048, 3, 1);
    ring.runAll();
    expect(ring.results[1]).toBe(3);
    const again = openSync(work.at("file"), "r");
    ring.read(again, memory.pointer + 3072, 100, 2);
    expect(ring.waitSome()).toBe(1);
    expect([ring.done[0], ring.results[2]]).toEqual([2, 3]);
    expect([...memory.bytes.subarray(3072, 3076)]).toEqual([7, 8, 9, 0]);
    ring.close(file, 0);
    ring.close(again, 1);
    ring.runAll();
    expect([...ring.results.subarray(0, 2)]).toEqual([0, 0]);
    expect(() => closeSync(again)).toThrow("EBADF");
  });
}

testUnless(needsIoUring())("the queues wrap around, and a full one refuses", () => {
  using ring = new Ring(8, { flags: 0, workersMax: 0 });
  for (let round = 0; round < 100; round++) {
    ring.results.fill(-1);
    for (let tag = 0; tag < 7; tag++) ring.nop(tag);
    ring.runAll();
    expect([...ring.results]).toEqual([0, 0, 0, 0, 0, 0, 0, -1]);
  }
  for (let tag = 0; tag < 8; tag++) ring.nop(tag);
  expect(() => ring.nop(8)).toThrow("queue is full");
  expect(ring.waitSome()).toBe(8);
  expect(ring.waitSome()).toBe(0);
});
