/** Loopback servers that do as they are told, also wrong. */
import { createServer, type Socket } from "node:net";

/** What a server was asked. */
export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: Headers;
}

type Answer = Response | Promise<Response>;
/** @param hit how often this path was asked before */
export type Route = (request: Request, hit: number) => Answer;

export interface WebServer extends AsyncDisposable {
  /** `http://127.0.0.1:1234`, without a slash at its end. */
  readonly url: string;
  readonly asked: Asked[];
  paths(): string[];
}

/** A server with a function, or a text of HTML, per path; anything else is 404. */
export function startWebServer(
  routes: Readonly<Record<string, Route | string>>,
  options: { readonly tls?: { readonly cert: string; readonly key: string } } = {},
): WebServer {
  const asked: Asked[] = [];
  const hits = new Map<string, number>();
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    ...(options.tls === undefined ? {} : { tls: options.tls }),
    fetch(request) {
      const { pathname } = new URL(request.url);
      asked.push({ method: request.method, path: pathname, headers: request.headers });
      const route = routes[pathname];
      const hit = hits.get(pathname) ?? 0;
      hits.set(pathname, hit + 1);
      if (route === undefined) return new Response("no such thing", { status: 404 });
      return typeof route === "string" ? htmlPage(route) : route(request, hit);
    },
  });
  const scheme = options.tls === undefined ? "http" : "https";
  return {
    url: `${scheme}://127.0.0.1:${server.port}`,
    asked,
    paths: () => asked.map(({ path }) => path),
    [Symbol.asyncDispose]: () => server.stop(true),
  };
}

/** A page of HTML. */
export function htmlPage(text: string, headers: Record<string, string> = {}): Response {
  return new Response(text, { headers: { "Content-Type": "text/html", ...headers } });
}

/** A page of PEP 691 JSON. */
export function jsonPage(
  files: readonly unknown[],
  headers: Record<string, string> = {},
  version = "1.1",
): Response {
  const body = JSON.stringify({ meta: { "api-version": version }, name: "any", files });
  const type = "application/vnd.pypi.simple.v1+json";
  return new Response(body, { headers: { "Content-Type": type, ...headers } });
}

/** Bytes, or the range of them that is asked for; with an ETag. */
export function rangedBytes(bytes: Uint8Array, request: Request, etag = '"one"'): Response {
  const headers = { ETag: etag, "Accept-Ranges": "bytes" };
  const match = /^bytes=(\d*)-(\d*)$/.exec(request.headers.get("range") ?? "");
  if (match === null) return new Response(bytes as Uint8Array<ArrayBuffer>, { headers });
  const [first, last] = [match[1] ?? "", match[2] ?? ""];
  const start = first === "" ? Math.max(0, bytes.length - Number(last)) : Number(first);
  const end = first === "" || last === "" ? bytes.length : Number(last) + 1;
  const part = bytes.slice(start, end) as Uint8Array<ArrayBuffer>;
  return new Response(part, {
    status: 206,
    headers: { ...headers, "Content-Range": `bytes ${start}-${end - 1}/${bytes.length}` },
  });
}

export interface RawServer extends AsyncDisposable {
  readonly url: string;
  /** What was received, a text per request. */
  readonly asked: string[];
}

/** A server below HTTP: gets each request's text, and writes to the socket whatever it likes. */
export async function startRawServer(
  answer: (socket: Socket, request: string, hit: number) => void,
): Promise<RawServer> {
  const asked: string[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    socket.on("close", () => sockets.delete(socket));
    socket.on("data", (data) => {
      asked.push(data.toString("latin1"));
      answer(socket, data.toString("latin1"), asked.length - 1);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    asked,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
