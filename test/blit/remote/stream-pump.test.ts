import { describe, expect, test } from "bun:test";
import { errno } from "../../../ffi/errno.ts";
import { Memory } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";
import { DATA_CHUNK_BYTES_MAX } from "../../../src/blit/control/limits.ts";
import { MessageQueue } from "../../../src/blit/remote/message-queue.ts";
import { StreamPump } from "../../../src/blit/remote/stream-pump.ts";

const chunkBytes = 1024 * 1024;

/** What a worker does, without blocking the only thread of this test. */
async function send(fd: number, bytes: Uint8Array): Promise<void> {
  const memory = new Memory(chunkBytes);
  for (let at = 0; at < bytes.length; ) {
    const part = bytes.subarray(at, at + chunkBytes);
    memory.bytes.set(part);
    const sent = sys.send(fd, memory.pointer, part.length, 0);
    if (sent > 0) at += sent;
    else if (sent !== -errno.EAGAIN) throw new Error(`send: ${sent}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

async function receive(fd: number, length: number): Promise<Buffer> {
  const memory = new Memory(chunkBytes);
  const parts: Buffer[] = [];
  for (let at = 0; at < length; ) {
    const got = sys.recv(fd, memory.pointer, chunkBytes, 0);
    if (got > 0) parts.push(Buffer.from(memory.bytes.slice(0, got)));
    else if (got !== -errno.EAGAIN) throw new Error(`recv: ${got}`);
    at += Math.max(0, got);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return Buffer.concat(parts);
}

function pattern(bytes: number): Buffer {
  const buffer = Buffer.alloc(bytes);
  for (let i = 0; i < bytes; i += 4) buffer.writeUInt32LE((i * 2_654_435_761) >>> 0, i);
  return buffer;
}

async function openPump(bytesMax: number) {
  const queue = new MessageQueue<Uint8Array>(bytesMax);
  const pump = await StreamPump.open({
    take: (data) => queue.push(data, data.length),
    hasRoom: () => queue.hasRoom,
    whenRoom: () => queue.whenRoom(),
    ended: () => queue.end(),
  });
  return { queue, pump };
}

describe("a stream inside of another", () => {
  test("bytes of the worker come out whole, in parts, and a slow reader holds it", async () => {
    const { queue, pump } = await openPump(256 * 1024);
    const bytes = pattern(12 * 1024 * 1024);
    const sending = send(pump.workerFd, bytes).then(() => sys.close(pump.workerFd));
    const parts: Uint8Array[] = [];
    for await (const part of queue) {
      expect(part.length).toBeLessThanOrEqual(DATA_CHUNK_BYTES_MAX);
      parts.push(part);
    }
    await sending;
    expect(Buffer.concat(parts).equals(bytes)).toBe(true);
  });

  test("bytes for the worker arrive whole, then the end", async () => {
    const { pump } = await openPump(1);
    const bytes = pattern(8 * 1024 * 1024);
    const reading = receive(pump.workerFd, bytes.length);
    for (let at = 0; at < bytes.length; at += 700_000) {
      await pump.deliver(bytes.subarray(at, at + 700_000));
    }
    pump.finish();
    expect((await reading).equals(bytes)).toBe(true);
    const memory = new Memory(4096);
    let end = sys.recv(pump.workerFd, memory.pointer, 1, 0);
    while (end === -errno.EAGAIN) {
      await new Promise((resolve) => setImmediate(resolve));
      end = sys.recv(pump.workerFd, memory.pointer, 1, 0);
    }
    expect(end).toBe(0);
    sys.close(pump.workerFd);
  });

  test("a closed one waits for nobody", async () => {
    const { pump } = await openPump(1);
    const delivering = pump.deliver(pattern(4 * 1024 * 1024));
    pump.close();
    await delivering;
    await pump.deliver(pattern(4));
    sys.close(pump.workerFd);
  });
});
