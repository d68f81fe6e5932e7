import { expect, setDefaultTimeout, test } from "bun:test";
import fc from "fast-check";
import { errno } from "../../../ffi/errno.ts";
import { Memory } from "../../../ffi/mem.ts";
import { sys } from "../../../ffi/sys.ts";
import type { StreamKeys, StreamSeat } from "../../../src/blit/session/types.ts";
import { DataSocket } from "../../../src/blit/wire/data-socket.ts";
import { localPair, tcpPair } from "../../support/socket-pair.ts";

setDefaultTimeout(120_000);

const key = new Uint8Array(32).fill(1);
const iv = new Uint8Array(12).fill(2);
const keys: StreamKeys = { sendKey: key, sendIv: iv, receiveKey: key, receiveIv: iv };
const going = { isCancelled: () => false };
const seat = (fd: number, own: StreamKeys | undefined, stallMs = 20_000): StreamSeat => ({
  index: 0,
  fd,
  keys: own,
  stallMs,
});

type Step = { readonly kind: "say" | "flush" | "memory" | "zeros"; readonly length: number };
type Taking = { readonly kind: "take" | "discard" | "look" | "wait"; readonly length: number };

const length = fc.oneof(
  fc.integer({ min: 1, max: 64 }),
  fc.integer({ min: 1, max: 20_000 }),
  fc.constantFrom(32, 4096, 65_535, 65_536, 65_537),
);
const steps = fc.array(
  fc.record({ kind: fc.constantFrom("say", "flush", "memory", "zeros"), length }),
  { maxLength: 8 },
) as fc.Arbitrary<Step[]>;
const takings = fc.array(
  fc.record({ kind: fc.constantFrom("take", "discard", "look", "wait"), length }),
  { minLength: 1, maxLength: 8 },
) as fc.Arbitrary<Taking[]>;

const pattern = new Memory(1024 * 1024);
for (let i = 0; i < pattern.bytes.length; i++) pattern.bytes[i] = (i * 31 + (i >> 8)) & 0xff;

function bytesOf(list: readonly Step[]): number {
  return list.reduce((sum, step) => sum + step.length, 0);
}

/** Sends by a random mix of ways; returns what was sent. */
function send(socket: DataSocket, list: readonly Step[]): Uint8Array {
  const sent: Uint8Array[] = [];
  for (const { kind, length: bytes } of list) {
    if (kind === "flush") expect(socket.flush()).toBe(0);
    else if (kind === "zeros") {
      expect(socket.sendZeros(bytes)).toBe(0);
      sent.push(new Uint8Array(bytes));
    } else {
      const part = pattern.bytes.subarray(bytes, 2 * bytes);
      if (kind === "memory") expect(socket.sendMemory(pattern.pointer + bytes, bytes)).toBe(0);
      else {
        expect(socket.reserve(bytes)).toBe(0);
        socket.out.bytes.set(part, socket.outPosition);
        socket.commit(bytes);
      }
      sent.push(part);
    }
  }
  expect(socket.flush()).toBe(0);
  return Buffer.concat(sent);
}

/** Takes what has come by a random mix of ways, and compares it. */
function receive(socket: DataSocket, all: Uint8Array, list: readonly Taking[]): void {
  let at = 0;
  for (let i = 0; at < all.length; i++) {
    const { kind, length: wanted } = list[i % list.length] as Taking;
    const bytes = Math.min(wanted, all.length - at);
    if (kind === "look") socket.hasInput();
    if (kind === "wait") expect(socket.waitInput(1000)).toBe(true);
    if (kind === "discard") expect(socket.discard(bytes)).toBe(0);
    else {
      expect(socket.need(bytes)).toBe(0);
      const { inputOffset, input } = socket;
      const got = input.bytes.subarray(inputOffset, inputOffset + bytes);
      expect(Buffer.compare(got, all.subarray(at, at + bytes))).toBe(0);
      socket.consume(bytes);
    }
    at += bytes;
  }
}

for (const [name, pair, own] of [
  ["plain", tcpPair, undefined],
  ["with records", tcpPair, keys],
  ["between local sockets", localPair, undefined],
] as const) {
  test(`whatever is sent in whatever pieces arrives as it was, ${name}`, () => {
    const { left, right } = pair();
    const [a, b] = [
      new DataSocket(seat(left, own), going),
      new DataSocket(seat(right, own), going),
    ];
    let total = 0;
    fc.assert(
      fc.property(steps, takings, fc.boolean(), (list, taking, isBack) => {
        // What is on the way must fit into the sockets: one thread does both ends here.
        const some = list.filter((_, i) => bytesOf(list.slice(0, i + 1)) < 120_000);
        const [from, to] = isBack ? [b, a] : [a, b];
        const sent = send(from, some);
        total += sent.length;
        receive(to, sent, taking);
        expect(to.inputAvailable).toBe(0);
      }),
      { numRuns: 200 },
    );
    expect(a.bytesSent + b.bytesSent).toBe(total);
    expect(a.bytesReceived + b.bytesReceived).toBe(total);
    a.close();
    b.close();
  });
}

test("bytes that nobody sealed end the stream, at once and for good", () => {
  const bytes = fc.uint8Array({ minLength: 1, maxLength: 3000 });
  fc.assert(
    fc.property(bytes, fc.integer({ min: 1, max: 4_000_000 }), (junk, wanted) => {
      const { left, right } = localPair();
      const socket = new DataSocket(seat(right, keys), going);
      const memory = new Memory(4096);
      memory.bytes.set(junk);
      expect(sys.send(left, memory.pointer, junk.length, 0)).toBe(junk.length);
      sys.close(left);
      const result = socket.need(wanted);
      expect([-errno.EBADMSG, -errno.ECONNRESET]).toContain(result);
      expect(socket.inputAvailable).toBe(0);
      expect(socket.failure).toBe(result);
      expect(socket.reserve(1)).toBe(result);
      expect(socket.sendZeros(1)).toBe(result);
      socket.close();
    }),
    { numRuns: 150 },
  );
});

test("a peer that sends without end is held at the bound of the input", () => {
  const { left, right } = localPair();
  const writer = new DataSocket(seat(left, undefined, 100), going);
  const reader = new DataSocket(seat(right, undefined, 100), going);
  // The reader wants to write and cannot; meanwhile it takes in what it is sent, to a bound.
  const before = process.memoryUsage().rss;
  for (let round = 0; round < 400; round++) {
    if (writer.reserve(262_144) < 0) break;
    writer.commit(262_144);
    reader.hasInput();
  }
  expect(writer.failure).toBe(-errno.ETIMEDOUT);
  expect(reader.inputAvailable).toBeLessThanOrEqual(64 * 1024 * 1024);
  expect(process.memoryUsage().rss - before).toBeLessThan(128 * 1024 * 1024);
  writer.close();
  reader.close();
});

test("more than a frame is never waited for", () => {
  const { left, right } = localPair();
  const socket = new DataSocket(seat(right, undefined), going);
  expect(socket.need(16 * 1024 * 1024)).toBe(-errno.EINVAL);
  expect(socket.reserve(16 * 1024 * 1024)).toBe(-errno.EINVAL);
  socket.close();
  sys.close(left);
});
