import { afterEach, beforeEach, describe, expect, setDefaultTimeout, test } from "bun:test";
import { createHash, randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { O } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import type { StreamKeys, StreamSeat } from "../../../src/blit/session/types.ts";
import { DataSocket } from "../../../src/blit/wire/data-socket.ts";
import { localPair, openFile, type SocketPair, tcpPair } from "../../support/socket-pair.ts";
import { inThread } from "../../support/stream-peer.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

setDefaultTimeout(60_000);

const MIB = 1024 * 1024;

/** Keys of the two ends of one stream. */
function keyPair(): { left: StreamKeys; right: StreamKeys } {
  const a = { key: randomBytes(32), iv: randomBytes(12) };
  const b = { key: randomBytes(32), iv: randomBytes(12) };
  const keys = (send: typeof a, receive: typeof a): StreamKeys => ({
    sendKey: send.key,
    sendIv: send.iv,
    receiveKey: receive.key,
    receiveIv: receive.iv,
  });
  return { left: keys(a, b), right: keys(b, a) };
}

type Ends = { left: StreamSeat; right: StreamSeat };

function seats(pair: SocketPair, isEncrypted: boolean, stallMs = 30_000): Ends {
  const keys = isEncrypted ? keyPair() : undefined;
  return {
    left: { index: 0, fd: pair.left, keys: keys?.left, stallMs },
    right: { index: 0, fd: pair.right, keys: keys?.right, stallMs },
  };
}

const kinds: [string, (stallMs?: number) => Ends][] = [
  ["TCP", (stallMs) => seats(tcpPair(), false, stallMs)],
  ["encrypted TCP", (stallMs) => seats(tcpPair(), true, stallMs)],
  ["local sockets", (stallMs) => seats(localPair(), false, stallMs)],
  ["encrypted local sockets", (stallMs) => seats(localPair(), true, stallMs)],
];

let work: Workspace;
beforeEach(() => {
  work = createWorkspace();
});
afterEach(() => work[Symbol.dispose]());

function sha(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

function say(socket: DataSocket, text: string): void {
  expect(socket.reserve(text.length)).toBe(0);
  socket.commit(socket.out.text.latin1Write(text, socket.outPosition));
}

function take(socket: DataSocket, length: number): string | number {
  const result = socket.need(length);
  if (result < 0) return result;
  const text = socket.input.text.latin1Slice(socket.inputOffset, socket.inputOffset + length);
  socket.consume(length);
  return text;
}

const going = { isCancelled: () => false };

describe.each(kinds)("over %s", (_, open) => {
  test("small pieces arrive in order, sent when their sender waits", () => {
    const ends = open();
    using left = closing(new DataSocket(ends.left, going));
    using right = closing(new DataSocket(ends.right, going));
    say(left.socket, "hello ");
    say(left.socket, "world");
    expect(right.socket.hasInput()).toBe(false);
    expect(left.socket.flush()).toBe(0);
    expect(take(right.socket, 11)).toBe("hello world");
    say(right.socket, "x".repeat(16));
    expect(right.socket.waitInput(0)).toBe(false);
    expect(left.socket.hasInput()).toBe(true);
    expect(take(left.socket, 16)).toBe("x".repeat(16));
    expect(left.socket.bytesSent).toBe(11);
    expect(right.socket.bytesReceived).toBe(11);
  });

  test("a file arrives whole, between what is said before and after it", async () => {
    const ends = open();
    const content = randomBytes(9 * MIB + 4321);
    const source = openFile(work.write("source", content), O.RDONLY);
    const target = openFile(work.write("target"), O.RDWR);
    const length = content.length - 1000;
    const other = inThread(ends.right, [
      { kind: "take", length: 6 },
      { kind: "receive-file", fd: target, offset: 5000, length },
      { kind: "take", length: 5 },
      { kind: "say", text: "done" },
      { kind: "flush" },
    ]);
    using left = closing(new DataSocket(ends.left, going));
    say(left.socket, "before");
    expect(left.socket.sendFile(source, 1000, length)).toEqual({
      sent: length,
      result: 0,
      side: "file",
    });
    say(left.socket, "after");
    expect(take(left.socket, 4)).toBe("done");
    expect((await other).results).toEqual([
      "before",
      { received: length, result: 0, side: "file" },
      "after",
      0,
      0,
    ]);
    const got = readFileSync(work.at("target"));
    expect(sha(got.subarray(5000))).toBe(sha(content.subarray(1000)));
    expect(got.subarray(0, 5000).every((byte) => byte === 0)).toBe(true);
  });

  test("two ends that write far more than sockets hold do not wait for each other", async () => {
    const ends = open();
    const content = randomBytes(24 * MIB);
    const [here, there] = [work.write("here", content), work.write("there", content)];
    const [mine, theirs] = [openFile(work.write("1"), O.RDWR), openFile(work.write("2"), O.RDWR)];
    const { length } = content;
    const other = inThread(ends.right, [
      { kind: "send-file", fd: openFile(there, O.RDONLY), offset: 0, length },
      { kind: "receive-file", fd: theirs, offset: 0, length },
      { kind: "flush" },
    ]);
    using left = closing(new DataSocket(ends.left, going));
    expect(left.socket.sendFile(openFile(here, O.RDONLY), 0, length).sent).toBe(length);
    expect(left.socket.receiveToFile(mine, 0, length).received).toBe(length);
    expect((await other).results.length).toBe(3);
    expect(sha(readFileSync(work.at("1")))).toBe(sha(content));
    expect(sha(readFileSync(work.at("2")))).toBe(sha(content));
  });

  test("a file that is shorter than promised is told, and filled up with zeros", async () => {
    const ends = open();
    const source = openFile(work.write("source", "x".repeat(1000)), O.RDONLY);
    const target = openFile(work.write("target"), O.RDWR);
    const other = inThread(ends.right, [
      { kind: "receive-file", fd: target, offset: 0, length: 300_000 },
      { kind: "take", length: 3 },
    ]);
    using left = closing(new DataSocket(ends.left, going));
    expect(left.socket.sendFile(source, 0, 300_000)).toEqual({
      sent: 1000,
      result: 0,
      side: "file",
    });
    expect(left.socket.sendZeros(299_000)).toBe(0);
    say(left.socket, "end");
    expect(left.socket.flush()).toBe(0);
    expect((await other).results[1]).toBe("end");
    expect(readFileSync(work.at("target"), "latin1")).toBe(
      `${"x".repeat(1000)}${"\0".repeat(299_000)}`,
    );
  });

  test("a file that cannot be written keeps the stream in step", async () => {
    const ends = open();
    const source = openFile(work.write("source", randomBytes(3 * MIB)), O.RDONLY);
    const other = inThread(ends.right, [
      { kind: "send-file", fd: source, offset: 0, length: 3 * MIB },
      { kind: "say", text: "next" },
      { kind: "flush" },
    ]);
    using left = closing(new DataSocket(ends.left, going));
    const { socket } = left;
    const full = openFile("/dev/full", O.WRONLY);
    const failed = socket.receiveToFile(full, 0, 3 * MIB);
    expect(failed).toMatchObject({ side: "file" });
    expect(failed.result).toBeLessThan(0);
    expect(socket.failure).toBe(0);
    expect(socket.discard(3 * MIB - failed.received)).toBe(0);
    expect(take(socket, 4)).toBe("next");
    await other;
  });

  test("the end of the peer is told after all that it has said", async () => {
    const ends = open();
    await inThread(ends.right, [
      { kind: "say", text: "bye" },
      { kind: "flush" },
      { kind: "close" },
    ]);
    using left = closing(new DataSocket(ends.left, going));
    expect(take(left.socket, 3)).toBe("bye");
    expect(left.socket.need(1)).toBe(-errno.ECONNRESET);
    expect(left.socket.hasInput()).toBe(true);
    expect(left.socket.waitInput(10_000)).toBe(true);
    expect(left.socket.flush()).toBe(-errno.ECONNRESET);
  });

  test("a peer that says nothing is a stall, and so is one that takes nothing", () => {
    const ends = open(50);
    using left = closing(new DataSocket(ends.left, going));
    expect(left.socket.need(1)).toBe(-errno.ETIMEDOUT);
    expect(left.socket.lastWait).toBe("receive");
    using right = closing(new DataSocket(ends.right, going));
    expect(right.socket.sendZeros(256 * MIB)).toBe(-errno.ETIMEDOUT);
    expect(right.socket.lastWait).toBe("send");
    expect(right.socket.sendZeros(1)).toBe(-errno.ETIMEDOUT);
  });

  test("a cancelled run is noticed in every wait", () => {
    const ends = open();
    let calls = 0;
    const cancelled = { isCancelled: () => ++calls > 2 };
    using left = closing(new DataSocket(ends.left, cancelled));
    expect(left.socket.need(1)).toBe(-errno.ECANCELED);
    expect(calls).toBeGreaterThan(2);
    calls = 0;
    using right = closing(new DataSocket(ends.right, cancelled));
    expect(right.socket.sendZeros(256 * MIB)).toBe(-errno.ECANCELED);
  });

  test("what has come keeps its place while more comes in", async () => {
    const ends = open();
    using left = closing(new DataSocket(ends.left, going));
    const content = work.write("content", randomBytes(8 * MIB));
    const other = inThread(ends.right, [
      { kind: "say", text: "A".repeat(100) },
      { kind: "send-zeros", length: 12 * MIB },
      { kind: "flush" },
      { kind: "discard", length: 8 * MIB },
    ]);
    expect(left.socket.need(100)).toBe(0);
    const { bytes } = left.socket.input;
    const at = left.socket.inputOffset;
    expect(left.socket.sendFile(openFile(content, O.RDONLY), 0, 8 * MIB).sent).toBe(8 * MIB);
    expect(left.socket.inputOffset).toBe(at);
    expect(Buffer.from(bytes.subarray(at, at + 100)).toString()).toBe("A".repeat(100));
    left.socket.consume(100);
    expect(left.socket.discard(12 * MIB)).toBe(0);
    await other;
  });
});

function closing(socket: DataSocket): Disposable & { readonly socket: DataSocket } {
  return { socket, [Symbol.dispose]: () => socket.close() };
}

test("a descriptor that is none is refused", () => {
  const pair = localPair();
  sys.close(pair.left);
  sys.close(pair.right);
  const seat: StreamSeat = { index: 0, fd: pair.left, keys: undefined, stallMs: 1 };
  expect(() => new DataSocket(seat, going)).toThrow("EBADF");
});
