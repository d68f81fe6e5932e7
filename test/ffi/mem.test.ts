import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { GrowingMemory, giveMemoryBack, Memory, takeMemory } from "../../ffi/mem.ts";
import type { WipeReport } from "../support/wiped-memory.worker.ts";

test("memory that grows keeps its place and its bytes, and older views go on", () => {
  const memory = new GrowingMemory(4096, 1024 * 1024);
  const { pointer, bytes } = memory;
  memory.text.latin1Write("hello", 4000);
  memory.grow(4096);
  expect(memory.bytes).toBe(bytes);
  memory.grow(4097);
  expect(memory.buffer.byteLength).toBe(8192);
  expect(memory.pointer).toBe(pointer);
  expect(memory.text.latin1Slice(4000, 4005)).toBe("hello");
  memory.bytes[4000] = 0x4a;
  expect(bytes[4000]).toBe(0x4a);
  memory.grow(2 * 1024 * 1024);
  expect(memory.bytes.length).toBe(1024 * 1024);
});

test("released pages read as zeros and can be used again", () => {
  for (const memory of [new Memory(16_384), new GrowingMemory(16_384, 65_536)]) {
    memory.bytes.fill(7);
    memory.release(8192);
    expect(memory.bytes[8191]).toBe(7);
    expect(memory.bytes[8192]).toBe(0);
    memory.bytes[9000] = 1;
    memory.release();
    expect(memory.bytes.every((byte) => byte === 0)).toBe(true);
  }
});

test("the memory of a thread goes with the thread", async () => {
  const mib = 64;
  const grown: number[] = [];
  for (let round = 0; round < 6; round++) {
    const worker = new Worker(new URL("../support/memory.worker.ts", import.meta.url));
    const mapped = Promise.withResolvers<void>();
    worker.onmessage = () => mapped.resolve();
    worker.postMessage(mib);
    await mapped.promise;
    const closed = new Promise((resolve) => worker.addEventListener("close", resolve));
    worker.terminate();
    await closed;
    grown.push(mappedMib());
  }
  // The first rounds start what any thread needs.
  await until(() => mappedMib() - (grown[1] ?? 0) < 2 * mib);
});

test("a block that was given back is taken again, and empty", () => {
  const size = 5 * 4096;
  const first = takeMemory(size);
  first.bytes.fill(9);
  giveMemoryBack(first);
  const second = takeMemory(size);
  expect(second.pointer).toBe(first.pointer);
  expect(second.bytes.every((byte) => byte === 0)).toBe(true);
  expect(takeMemory(size).pointer).not.toBe(first.pointer);
});

test("a thread that is wiped uses the same memory again, and finds zeros in it", async () => {
  const worker = new Worker(new URL("../support/wiped-memory.worker.ts", import.meta.url));
  const told = Promise.withResolvers<WipeReport>();
  worker.onmessage = ({ data }: MessageEvent<WipeReport>) => told.resolve(data);
  worker.postMessage(20);
  const { mapped, areZero, taken, lasting, shown } = await told.promise;
  worker.terminate();
  expect(areZero).toBe(true);
  expect(new Set(mapped)).toEqual(new Set([12 * 4096 + 1024 * 1024]));
  expect(new Set(taken).size).toBe(3);
  expect(taken).not.toContain(lasting);
  expect(new Set(shown)).toEqual(new Set([4096]));
});

/** Address space of this process in MiB. */
function mappedMib(): number {
  const [pages = ""] = readFileSync("/proc/self/statm", "utf8").split(" ");
  return (Number(pages) * 4096) / 1024 ** 2;
}

async function until(isTrue: () => boolean): Promise<void> {
  for (let n = 0; n < 3000 && !isTrue(); n++) await Bun.sleep(10);
  expect(isTrue()).toBe(true);
}
