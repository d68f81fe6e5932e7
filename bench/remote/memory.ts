import { mkdirSync } from "node:fs";
import { type ClientHttp2Session, connect } from "node:http2";
import { join } from "node:path";
import type { Link } from "./link.ts";
import type { DaemonMemory } from "./results.ts";
import type { Session } from "./row.ts";
import { type RunningServer, startServer } from "./server.ts";
import { newSeat } from "./tool.ts";

const CONNECTIONS = 64;
/** For the daemon to put things down after its start and after the connections. */
const REST_MS = 1500;

/** What blitd takes while idle, and for each control connection that has answered a ping. */
export async function measureMemory(session: Session, link: Link): Promise<DaemonMemory> {
  const blit = session.tools.find(({ id }) => id === "blit");
  if (blit === undefined) throw new Error("Cannot measure memory without blit");
  const root = join(session.scratch, "memory");
  mkdirSync(root, { recursive: true });
  const seat = newSeat(link, join(session.scratch, "memory-seat"), root);
  const argv = blit.server(seat) ?? [];
  const { folder, port } = seat;
  const host = link.address;
  const environment = session.environment;
  const server = await startServer({ argv: link.served(argv), folder, environment, host, port });
  try {
    return await measure(server, `http://${host}:${port}`);
  } finally {
    await server.stop();
  }
}

async function measure(server: RunningServer, url: string): Promise<DaemonMemory> {
  await Bun.sleep(REST_MS);
  const idleMib = server.residentMib;
  // The first one loads code that the others share.
  const sessions: ClientHttp2Session[] = [await pinged(url)];
  await Bun.sleep(REST_MS);
  const withOneMib = server.residentMib;
  for (let n = 0; n < CONNECTIONS; n++) sessions.push(await pinged(url));
  await Bun.sleep(REST_MS);
  const perConnectionKib = ((server.residentMib - withOneMib) / CONNECTIONS) * 1024;
  for (const session of sessions) session.destroy();
  return { idleMib, connections: CONNECTIONS, perConnectionKib };
}

function pinged(url: string): Promise<ClientHttp2Session> {
  return new Promise((done, fail) => {
    const session = connect(url);
    session.once("error", fail);
    session.once("connect", () => {
      session.ping((error) => (error === null ? done(session) : fail(error)));
    });
  });
}
