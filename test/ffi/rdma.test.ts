import { expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { O } from "../../ffi/abi/constants.ts";
import { SOCKET } from "../../ffi/abi/socket.ts";
import { rdmaCalls } from "../../ffi/rdma.ts";
import { check } from "../../ffi/sys.ts";
import { DataSocket } from "../../src/blit/wire/data-socket.ts";
import { testUnless } from "../support/skip.ts";
import { listenOn, openFile } from "../support/socket-pair.ts";
import { createWorkspace } from "../support/workspace.ts";

setDefaultTimeout(600_000);

/** Of a device for RDMA: test/lab/rdma.test.ts sets it up. */
const address = process.env["TRIAD_RDMA_ADDRESS"];

test("where there is no device there is an error, and no harm", () => {
  const calls = rdmaCalls();
  if (calls === undefined) return;
  const fd = calls.socket(SOCKET.AF_INET, SOCKET.SOCK_STREAM, 0);
  if (fd >= 0) calls.close(fd);
  else expect(fd).toBeGreaterThan(-200);
});

testUnless(address === undefined ? "needs TRIAD_RDMA_ADDRESS (test/lab sets it)" : undefined)(
  "a file goes over RDMA as it goes over TCP",
  async () => {
    using work = createWorkspace();
    const calls = rdmaCalls();
    if (calls === undefined || address === undefined) throw new Error("There is no library");
    const content = randomBytes(3 * 1024 * 1024 + 99);
    const source = openFile(work.write("source", content), O.RDONLY);
    const file = openFile(work.write("target"), O.RDWR);
    const listener = listenOn(address, calls);
    const worker = new Worker(new URL("../support/rdma-peer.worker.ts", import.meta.url));
    const other = new Promise((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = (event) => reject(new Error(event.message));
    });
    worker.postMessage({ address, port: listener.port, file, length: content.length });
    // It connects only when this thread lets its message go; then this one may block.
    await Bun.sleep(0);
    const fd = check(calls.accept(listener.fd, 0, 0), "raccept");
    const socket = new DataSocket(
      { index: 0, fd, transport: "rdma", keys: undefined, stallMs: 60_000 },
      { isCancelled: () => false },
    );
    const { length } = content;
    expect(socket.sendFile(source, 0, length)).toEqual({ sent: length, result: 0, side: "file" });
    expect(socket.need(4)).toBe(0);
    expect(socket.input.text.latin1Slice(socket.inputOffset, socket.inputOffset + 4)).toBe("done");
    socket.close();
    expect(await other).toMatchObject({
      received: { received: length, result: 0, side: "file" },
      flushed: 0,
    });
    worker.terminate();
    calls.close(listener.fd);
    expect(readFileSync(work.at("target")).equals(content)).toBe(true);
  },
);
