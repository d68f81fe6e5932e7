import { expect, test } from "bun:test";
import { GrowingMemory, Memory } from "../../ffi/mem.ts";

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
