import { expect, setDefaultTimeout, test } from "bun:test";
import { createWorkspace } from "../../support/workspace.ts";

// Each case is a process of its own; other work on the machine may slow them down.
setDefaultTimeout(240_000);

const at = (path: string): string => JSON.stringify(new URL(path, import.meta.url).pathname);

/** Sends a file of 3 MiB to a thread of the same process, which writes it; tells how both went. */
async function transfer(faults: string, kind: "plain" | "sealed") {
  using work = createWorkspace();
  const content = new Uint8Array(3 * 1024 * 1024 + 5).map((_, i) => (i * 7) ^ (i >> 11));
  const [source, target] = [work.write("source", content), work.write("target")];
  const script = `
    const { DataSocket } = await import(${at("../../../src/blit/wire/data-socket.ts")});
    const { tcpPair, openFile } = await import(${at("../../support/socket-pair.ts")});
    const { inThread } = await import(${at("../../support/stream-peer.ts")});
    const length = ${content.length};
    const { left, right } = tcpPair();
    const key = new Uint8Array(32), iv = new Uint8Array(12);
    const keys = ${kind === "sealed"}
      ? { sendKey: key, sendIv: iv, receiveKey: key, receiveIv: iv } : undefined;
    const seat = (fd) => ({ index: 0, fd, keys, stallMs: 2000 });
    const target = openFile(${JSON.stringify(target)}, 2);
    const other = inThread(seat(right), [
      { kind: "receive-file", fd: target, offset: 0, length },
      { kind: "say", text: "done" }, { kind: "flush" }, { kind: "close" },
    ]);
    const socket = new DataSocket(seat(left), { isCancelled: () => false });
    const source = openFile(${JSON.stringify(source)}, 0);
    const sent = socket.sendFile(source, 0, length);
    const answer = socket.need(4);
    socket.close();
    const { results } = await other;
    console.log(JSON.stringify({ sent, answer, received: results[0] }));`;
  const child = Bun.spawn([process.execPath, "-e", script], {
    env: { ...process.env, TRIAD_FAULTS: faults },
    stdout: "pipe",
    stderr: "pipe",
  });
  const [text, errors] = await Promise.all([
    new Response(child.stdout).text(),
    new Response(child.stderr).text(),
  ]);
  expect([faults, errors]).toEqual([faults, ""]);
  const isSame = Buffer.compare(await Bun.file(target).bytes(), content) === 0;
  return { ...JSON.parse(text), isSame, length: content.length };
}

const harmless: [string, "plain" | "sealed"][] = [
  ["sendfile:EINTR@1,splice:EINTR@2,poll:EINTR@1,recv:EINTR@1", "plain"],
  ["sendfile:EAGAIN@1,splice:EAGAIN@1,recv:EAGAIN@1", "plain"],
  ["sendfile:short@1+,splice:short@1+,recv:short@1+", "plain"],
  ["sendfile:EINVAL@1", "plain"],
  ["sendfile:EIO@2", "plain"],
  ["splice:EINVAL@1", "plain"],
  ["splice:EINVAL@2", "plain"],
  ["pipe2:EMFILE@1", "plain"],
  ["splice:EINVAL@2,pwrite:short@1+,read:short@1+", "plain"],
  ["fcntl:EPERM@3", "plain"],
  ["send:short@1+,recv:short@1+,pread:short@1+,pwrite:short@1+", "sealed"],
  ["send:EAGAIN@2,recv:EAGAIN@1,send:EINTR@1,pread:EINTR@1", "sealed"],
];

for (const [faults, kind] of harmless) {
  test(`all arrives in spite of ${faults}, ${kind}`, async () => {
    const { sent, answer, received, isSame, length } = await transfer(faults, kind);
    expect({ sent, answer, received, isSame }).toEqual({
      sent: { sent: length, result: 0, side: "file" },
      answer: 0,
      received: { received: length, result: 0, side: "file" },
      isSame: true,
    });
  });
}

const fatal: [string, "plain" | "sealed", "sender" | "receiver", string][] = [
  ["sendfile:ECONNRESET@1,send:ECONNRESET@1", "plain", "sender", "socket"],
  ["sendfile:EIO@1,pread:EIO@1", "plain", "sender", "file"],
  ["pread:EIO@1", "sealed", "sender", "file"],
  ["send:EPIPE@1", "sealed", "sender", "socket"],
  ["splice:EINVAL@2,pwrite:ENOSPC@1", "plain", "receiver", "file"],
  ["pwrite:ENOSPC@2", "sealed", "receiver", "file"],
  ["splice:ECONNRESET@1,recv:ECONNRESET@1", "plain", "receiver", "socket"],
  ["recv:ECONNRESET@1", "sealed", "receiver", "socket"],
];

for (const [faults, kind, who, side] of fatal) {
  test(`${faults} is told as the ${side}'s, ${kind}, and nobody hangs`, async () => {
    const { sent, received } = await transfer(faults, kind);
    const own = who === "sender" ? sent : received;
    expect(own.side).toBe(side);
    expect(own.result).toBeLessThan(0);
  });
}
