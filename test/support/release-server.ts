import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** A file server over one folder, as a mirror of releases is; it notes what was asked for. */
export interface ReleaseServer extends AsyncDisposable {
  readonly url: string;
  /** Paths in order of the requests, such as "/linux-x64/triad". */
  readonly requests: readonly string[];
}

/** Serves a folder over HTTP on this machine. */
export function serveFolder(folder: string): ReleaseServer {
  const requests: string[] = [];
  const server = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    async fetch(request) {
      const path = decodeURIComponent(new URL(request.url).pathname);
      requests.push(path);
      const file = Bun.file(join(folder, path));
      return (await file.exists()) ? new Response(file) : new Response("gone", { status: 404 });
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    requests,
    [Symbol.asyncDispose]: async () => await server.stop(true),
  };
}

/** A server that promises more of `triad` than it sends, as a connection that breaks does. */
export function serveBroken(): ReleaseServer {
  const requests: string[] = [];
  const server = Bun.listen({
    hostname: "127.0.0.1",
    port: 0,
    socket: {
      data(socket, bytes) {
        const path = bytes.toString().split(" ")[1] ?? "";
        requests.push(path);
        const body = path.endsWith(".sha256") ? `${"0".repeat(64)}  triad\n` : "half";
        const length = path.endsWith(".sha256") ? body.length : 1_000_000;
        socket.end(
          `HTTP/1.1 200 OK\r\nContent-Length: ${length}\r\nConnection: close\r\n\r\n${body}`,
        );
      },
    },
  });
  return {
    url: `http://127.0.0.1:${server.port}`,
    requests,
    [Symbol.asyncDispose]: async () => server.stop(true),
  };
}

/** Lays out a release for one platform: a link to an executable, and its SHA-256. */
export function layRelease(base: string, platform: string, executable: string): void {
  const folder = join(base, platform);
  mkdirSync(folder, { recursive: true });
  symlinkSync(executable, join(folder, "triad"));
  const digest = new Bun.CryptoHasher("sha256").update(readFileSync(executable)).digest("hex");
  writeFileSync(join(folder, "triad.sha256"), `${digest}  triad\n`);
}
