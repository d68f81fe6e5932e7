import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { connect, type Socket } from "node:net";
import { runBlit } from "../../support/binary.ts";
import { memoryMib, type NetDaemon, startNetDaemon } from "../../support/net-daemon.ts";
import { describeUnless } from "../../support/skip.ts";
import { differences, treeToolsMissing } from "../../support/tree.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

/** Many at once: clients that want something, and connections that only take up room. */

const CLIENTS = 64;
/** Above what the daemon lets in before somebody has said who he is. */
const SILENT = 300;

setDefaultTimeout(240_000);

describeUnless(treeToolsMissing())("a crowd", () => {
  let work: Workspace;
  let daemon: NetDaemon;
  beforeAll(async () => {
    work = createWorkspace();
    const root = work.folder("root");
    daemon = await startNetDaemon({ folder: work.at("daemon"), root });
  });
  afterAll(async () => {
    await daemon[Symbol.asyncDispose]();
    work[Symbol.dispose]();
  });

  test(`${CLIENTS} clients push and pull at the same time; nothing is lost or mixed`, async () => {
    const clients = Array.from({ length: CLIENTS }, (_, n) => n);
    for (const n of clients) {
      for (let f = 0; f < 20; f++) work.write(`in/${n}/f${f}`, `${n} `.repeat(50 * f + n));
      if (n % 2 === 0) Bun.spawnSync(["cp", "-a", work.at("in", `${n}`), work.at("root")]);
    }
    const runs = await Promise.all(
      clients.map((n) =>
        n % 2 === 0
          ? runBlit(["copy", "-y", `${daemon.at}/m/${n}/`, `${work.at("out", `${n}`)}/`], slow)
          : runBlit(["copy", "-y", `${work.at("in", `${n}`)}/`, `${daemon.at}/m/${n}/`], slow),
      ),
    );
    expect(runs.filter(({ code }) => code !== 0)).toEqual([]);
    for (const n of clients) {
      const target = n % 2 === 0 ? work.at("out", `${n}`) : work.at("root", `${n}`);
      expect(differences(work.at("in", `${n}`), target), `client ${n}`).toBe("");
    }
  });

  test("silent connections keep nobody out, and are closed (CVE-2026-70464)", async () => {
    const before = memoryMib(daemon.pid, "VmRSS");
    const silent = [daemon.port, daemon.dataPort].flatMap((port) => {
      return Array.from({ length: SILENT }, (_, n) => silentConnection(daemon, port, n));
    });
    const [list, copy] = await Promise.all([
      runBlit(["list", `${daemon.at}/m/`]),
      runBlit(["copy", "-y", `${work.at("in/1")}/`, `${daemon.at}/m/during/`], slow),
    ]);
    expect(list.code, list.stderr).toBe(0);
    expect(copy.code, copy.stderr).toBe(0);
    const control = silent.filter(({ port }) => port === daemon.port);
    await Promise.all(control.map(({ closed }) => closed));
    expect(memoryMib(daemon.pid, "VmRSS") - before).toBeLessThan(200);
    for (const { socket } of silent) socket.destroy();
  });
});

const slow = { timeoutMs: 200_000 };

type Silent = { readonly socket: Socket; readonly port: number; readonly closed: Promise<void> };

/** Says nothing, or the beginning of something, and waits. */
function silentConnection(daemon: NetDaemon, port: number, n: number): Silent {
  const socket = connect({ host: daemon.address, port });
  const closed = new Promise<void>((resolve) => socket.on("close", () => resolve()));
  socket.on("error", () => socket.destroy());
  socket.resume();
  const beginnings = [
    "",
    "PRI * HTTP/2.0\r\n",
    "BLITDAT1",
    "GET / HTTP/1.1\r\nHost: x\r\n",
    "\x16\x03",
  ];
  socket.write(beginnings[n % beginnings.length] ?? "");
  return { socket, port, closed };
}
