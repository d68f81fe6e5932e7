import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { runBlit } from "../../support/binary.ts";
import { dialData, openHostile } from "../../support/hostile-client.ts";
import { type NetDaemon, startNetDaemon } from "../../support/net-daemon.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

/** The ticket of a data connection: of one session, of one peer, good once. */

const refused = 1;
const welcome = 0;

let work: Workspace;
let daemon: NetDaemon;

beforeAll(async () => {
  work = createWorkspace();
  daemon = await startNetDaemon({ folder: work.at("daemon"), root: work.folder("root") });
}, 60_000);
afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  work[Symbol.dispose]();
});

describe("a token is refused", () => {
  test("when it comes a second time, on an open session too", async () => {
    await using session = await openHostile(daemon);
    const token = session.tokens[0] ?? new Uint8Array();
    const first = dialData(daemon, token);
    expect(await first.answer).toBe(welcome);
    const second = dialData(daemon, token);
    expect([refused, undefined]).toContain(await second.answer);
    await second.closed;
    first.socket.destroy();
  });

  test("when it comes from another address than the control connection", async () => {
    await using session = await openHostile(daemon);
    const token = session.tokens[0] ?? new Uint8Array();
    const foreign = dialData(daemon, token, "127.0.0.2");
    expect([refused, undefined]).toContain(await foreign.answer);
    await foreign.closed;
    const rightful = dialData(daemon, token);
    expect(await rightful.answer).toBe(welcome);
    rightful.socket.destroy();
  });

  test("when any bit of it is another one", async () => {
    await using session = await openHostile(daemon);
    const token = session.tokens[0] ?? new Uint8Array();
    for (const at of [0, 15, 16, 24, 26, 33, 34, token.length - 1]) {
      const forged = token.slice();
      forged[at] = (forged[at] ?? 0) ^ 0x10;
      const stream = dialData(daemon, forged);
      expect([refused, undefined], `byte ${at}`).toContain(await stream.answer);
      await stream.closed;
    }
  });

  test("when its session is over", async () => {
    const session = await openHostile(daemon);
    const token = session.tokens[0] ?? new Uint8Array();
    await session[Symbol.asyncDispose]();
    // Another one keeps the port open.
    await using other = await openHostile(daemon);
    const late = dialData(daemon, token);
    expect([refused, undefined]).toContain(await late.answer);
    expect(other.tokens.length).toBe(1);
  });

  test("when it is none: nothing, too long, or another protocol", async () => {
    await using session = await openHostile(daemon);
    for (const token of [new Uint8Array(0), new Uint8Array(66), new Uint8Array(60_000)]) {
      const stream = dialData(daemon, token);
      expect([refused, undefined]).toContain(await stream.answer);
      await stream.closed;
    }
    expect(session.dataPort).toBe(daemon.dataPort);
  });
});

test("tokens do not repeat and have no order that can be guessed", async () => {
  const seen = new Set<string>();
  for (let n = 0; n < 5; n++) {
    await using session = await openHostile(daemon);
    const nonce = Buffer.from(session.tokens[0] ?? new Uint8Array()).subarray(0, 16);
    seen.add(nonce.toString("hex"));
  }
  expect(seen.size).toBe(5);
});

test("after all this the daemon serves as before", async () => {
  work.write("s/file", "content");
  const run = await runBlit(["copy", "--yes", work.at("s/"), `${daemon.at}/m/after/`]);
  expect(run.code, run.stderr).toBe(0);
});
