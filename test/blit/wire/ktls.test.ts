import { expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { O } from "../../../ffi/abi/constants.ts";
import { errno } from "../../../ffi/errno.ts";
import { sys } from "../../../ffi/sys.ts";
import type { StreamKeys, StreamSeat } from "../../../src/blit/session/types.ts";
import { DataSocket } from "../../../src/blit/wire/data-socket.ts";
import { hasKernelTls, isKernelEncrypted, setKernelTls } from "../../../src/blit/wire/ktls.ts";
import { describeUnless, testUnless } from "../../support/skip.ts";
import { localPair, openFile, tcpPair } from "../../support/socket-pair.ts";
import { inThread } from "../../support/stream-peer.ts";
import { createWorkspace } from "../../support/workspace.ts";

setDefaultTimeout(600_000);

const reason = hasKernelTls() ? undefined : "needs a kernel with TLS (test/lab has one)";
const isHere = reason === undefined ? "it is here" : undefined;

function twoKeys(): { left: StreamKeys; right: StreamKeys } {
  const key = (): Uint8Array => new Uint8Array(randomBytes(32));
  const iv = (): Uint8Array => new Uint8Array(randomBytes(12));
  const left = { sendKey: key(), sendIv: iv(), receiveKey: key(), receiveIv: iv() };
  return {
    left,
    right: {
      sendKey: left.receiveKey,
      sendIv: left.receiveIv,
      receiveKey: left.sendKey,
      receiveIv: left.sendIv,
    },
  };
}

test("a plain socket is told from one that the kernel encrypts", () => {
  for (const pair of [tcpPair(), localPair()]) {
    expect(isKernelEncrypted(pair.left)).toBe(false);
    sys.close(pair.left);
    sys.close(pair.right);
  }
  expect(isKernelEncrypted(-1)).toBe(false);
});

testUnless(isHere)("a kernel without TLS says so, and leaves the socket as it was", () => {
  const pair = tcpPair();
  expect(setKernelTls(pair.left, twoKeys().left)).toBe(-errno.ENOENT);
  const seat = (fd: number): StreamSeat => ({ index: 0, fd, keys: undefined, stallMs: 120_000 });
  const [left, right] = [pair.left, pair.right].map(
    (fd) => new DataSocket(seat(fd), { isCancelled: () => false }),
  );
  expect(left?.sendZeros(10)).toBe(0);
  expect(left?.flush()).toBe(0);
  expect(right?.need(10)).toBe(0);
  left?.close();
  right?.close();
});

describeUnless(reason)("a stream that the kernel encrypts", () => {
  test("carries files by sendfile", async () => {
    using work = createWorkspace();
    const pair = tcpPair();
    const keys = twoKeys();
    expect(setKernelTls(pair.left, keys.left)).toBe(0);
    expect(setKernelTls(pair.right, keys.right)).toBe(0);
    expect(isKernelEncrypted(pair.left)).toBe(true);
    const content = randomBytes(2 * 1024 * 1024 + 77);
    const source = openFile(work.write("source", content), O.RDONLY);
    const target = openFile(work.write("target"), O.RDWR);
    const { length } = content;
    const seat = (fd: number): StreamSeat => ({ index: 0, fd, keys: undefined, stallMs: 120_000 });
    const other = inThread(seat(pair.right), [
      { kind: "receive-file", fd: target, offset: 0, length },
      { kind: "say", text: "done" },
      { kind: "flush" },
    ]);
    const left = new DataSocket(seat(pair.left), { isCancelled: () => false });
    expect(left.sendFile(source, 0, length)).toEqual({ sent: length, result: 0, side: "file" });
    expect(left.need(4)).toBe(0);
    await other;
    expect(readFileSync(work.at("target")).equals(content)).toBe(true);
    left.close();
  });

  test("refuses what was sealed with another key", () => {
    const pair = tcpPair();
    expect(setKernelTls(pair.left, twoKeys().left)).toBe(0);
    expect(setKernelTls(pair.right, twoKeys().right)).toBe(0);
    const seat = (fd: number): StreamSeat => ({ index: 0, fd, keys: undefined, stallMs: 120_000 });
    const left = new DataSocket(seat(pair.left), { isCancelled: () => false });
    const right = new DataSocket(seat(pair.right), { isCancelled: () => false });
    left.sendZeros(100);
    left.flush();
    expect(right.need(100)).toBe(-errno.EBADMSG);
    left.close();
    right.close();
  });
});
