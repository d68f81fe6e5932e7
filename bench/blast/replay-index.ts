import { existsSync } from "node:fs";
import { resolve } from "node:path";

/** Index answers recorded once and then always the same; see the script's own description. */
const SCRIPT = resolve(import.meta.dir, "../../../shared/tools/pypi_replay.py");

/**
 * Runs it with the queue of connections that it means to have: it sets it when it listens already,
 * and with the default of 5 a client that connects twenty times at once waits a second for the
 * connection that the kernel has dropped.
 */
const STARTER = `
import http.server, runpy, sys
http.server.ThreadingHTTPServer.request_queue_size = 128
sys.argv = sys.argv[1:]
runpy.run_path(sys.argv[0], run_name="__main__")
`;

/** A package index on loopback. */
export interface ReplayIndex {
  /** Address of its simple pages. */
  readonly url: string;
  stop(): Promise<void>;
}

/** A reason when the index cannot be had here. */
export function whyNoReplayIndex(): string | undefined {
  return existsSync(SCRIPT) ? undefined : "the replay index (shared/tools) is not here";
}

/**
 * Starts the index over a folder of recordings.
 *
 * @param offline answer from the recordings alone
 * @param port where a cache is to know it again; otherwise any free one
 */
export async function startReplayIndex(
  store: string,
  offline: boolean,
  port = freePort(),
): Promise<ReplayIndex> {
  const argv = ["python3", "-c", STARTER, SCRIPT, store, "--port", String(port)];
  const child = Bun.spawn(offline ? [...argv, "--offline"] : argv, {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "inherit",
  });
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  const url = new TextDecoder().decode(value).trim();
  if (!url.startsWith("http")) throw new Error(`The replay index did not start: ${url}`);
  return {
    url,
    stop: async () => {
      // It writes its table of addresses on Ctrl-C.
      child.kill("SIGINT");
      await child.exited;
    },
  };
}

function freePort(): number {
  const server = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = server;
  server.stop(true);
  return port;
}
