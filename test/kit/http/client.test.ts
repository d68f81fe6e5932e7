import { describe, expect, test } from "bun:test";

import type { HttpClientOptions, HttpRequest } from "../../../src/kit/http/client.ts";
import { HttpClient } from "../../../src/kit/http/client.ts";
import type { HttpFailure } from "../../../src/kit/http/failure.ts";
import { Trust } from "../../../src/kit/http/trust.ts";
import { startRawServer, startWebServer } from "../../support/web-server.ts";

interface Waits {
  readonly delaysMs: number[];
}

function client(options: Partial<HttpClientOptions> = {}): HttpClient & Waits {
  const delaysMs: number[] = [];
  const environment = {};
  const http = new HttpClient({
    concurrency: 4,
    timeoutMs: 5000,
    retries: 2,
    userAgent: "test/1",
    trust: new Trust({ verifySsl: true, trustedHosts: [], environment }),
    environment,
    sleep: async (delayMs) => void delaysMs.push(delayMs),
    random: () => 1,
    ...options,
  });
  return Object.assign(http, { delaysMs });
}

async function get(
  http: HttpClient,
  url: string,
  more: Partial<HttpRequest> = {},
): Promise<string> {
  return await http.perform(
    () => ({ url, ...more }),
    async (response) => new TextDecoder().decode(await response.bytes(1000)),
  );
}

async function failing(promise: Promise<unknown>): Promise<HttpFailure> {
  return await promise.then(
    () => {
      throw new Error("it should have failed");
    },
    (error: HttpFailure) => error,
  );
}

describe("tries again", () => {
  test("after errors of the server, with longer and longer waits", async () => {
    await using server = startWebServer({
      "/x": (_, hit) => new Response(`hit ${hit}`, { status: hit < 2 ? 500 + hit * 3 : 200 }),
    });
    const http = client();
    expect(await get(http, `${server.url}/x`)).toBe("hit 2");
    expect(http.delaysMs).toEqual([250, 500]);
  });

  test("as late as Retry-After asks, and not if that is too late", async () => {
    await using server = startWebServer({
      "/x": (_, hit) =>
        hit === 0
          ? new Response("", { status: 429, headers: { "Retry-After": "2" } })
          : new Response("ok"),
      "/never": () => new Response("", { status: 429, headers: { "Retry-After": "86400" } }),
    });
    const http = client();
    expect(await get(http, `${server.url}/x`)).toBe("ok");
    expect(http.delaysMs).toEqual([2000]);
    expect(await failing(get(http, `${server.url}/never`))).toMatchObject({
      message: "429 Too Many Requests",
      attempts: 1,
    });
  });

  test("gives up in the end, and says how often it tried", async () => {
    await using server = startWebServer({ "/x": () => new Response("", { status: 503 }) });
    const failure = await failing(get(client(), `${server.url}/x`));
    expect(failure).toMatchObject({ kind: "status", status: 503, attempts: 3 });
    expect(server.asked).toHaveLength(3);
  });

  test("never after a clear no", async () => {
    await using server = startWebServer({ "/x": () => new Response("", { status: 403 }) });
    expect(await failing(get(client(), `${server.url}/x`))).toMatchObject({ attempts: 1 });
    expect(server.asked).toHaveLength(1);
  });

  test("when the body ends too early or the connection breaks", async () => {
    await using server = await startRawServer((socket, _request, hit) => {
      if (hit === 0) socket.destroy();
      else if (hit === 1) socket.end("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ntrunc");
      else socket.end("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ntruncated");
    });
    expect(await get(client(), `${server.url}/x`)).toBe("truncated");
    expect(server.asked).toHaveLength(3);
  });

  test("when nobody is there", async () => {
    const failure = await failing(get(client(), "http://127.0.0.1:1/"));
    expect(failure).toMatchObject({ kind: "connect", message: "connection refused", attempts: 3 });
  });
});

describe("silence", () => {
  test("before the answer and in the middle of it ends the request", async () => {
    await using server = await startRawServer((socket, _request, hit) => {
      if (hit === 1) socket.write("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf");
    });
    const http = client({ timeoutMs: 50, retries: 1 });
    expect(await failing(get(http, `${server.url}/x`))).toMatchObject({
      kind: "timeout",
      message: "no answer for 0.1 s",
      attempts: 2,
    });
  });

  test("of a slow server that goes on is none", async () => {
    await using server = await startRawServer((socket) => {
      socket.write("HTTP/1.1 200 OK\r\nContent-Length: 30\r\n\r\n");
      let sent = 0;
      const timer = setInterval(() => {
        socket.write("x");
        sent += 1;
        if (sent === 30) clearInterval(timer);
      }, 50);
    });
    // All of it takes longer than that, and each piece far less, on a slow machine too.
    const http = client({ timeoutMs: 1000, retries: 0 });
    expect(await get(http, `${server.url}/x`)).toBe("x".repeat(30));
  });
});

describe("redirects", () => {
  const authority = {
    authorize: (url: URL) => (url.pathname.startsWith("/own") ? "Basic bWU=" : undefined),
    challenged: async () => false,
  };

  test("are followed; each step has its own credentials", async () => {
    await using other = startWebServer({ "/there": () => new Response("there") });
    await using server = startWebServer({
      "/own": () => Response.redirect("/own/two", 302),
      "/own/two": () => Response.redirect(`${other.url.replace("//", "//a:b@")}/there#x`, 307),
    });
    const http = client({ authority });
    expect(await get(http, `${server.url}/own`)).toBe("there");
    const sent = [...server.asked, ...other.asked].map((one) => one.headers.get("authorization"));
    expect(sent).toEqual(["Basic bWU=", "Basic bWU=", null]);
  });

  test("in a loop end", async () => {
    await using server = startWebServer({ "/x": () => Response.redirect("/x", 302) });
    const failure = await failing(get(client(), `${server.url}/x`));
    expect(failure).toMatchObject({ kind: "redirect", message: "more than 10 redirects" });
    expect(server.asked).toHaveLength(11);
  });

  test("to other schemes are refused", async () => {
    await using server = startWebServer({
      "/x": () => new Response("", { status: 302, headers: { Location: "file:///etc/passwd" } }),
    });
    expect(await failing(get(client(), `${server.url}/x`))).toMatchObject({ kind: "redirect" });
  });
});

describe("a challenge", () => {
  test("is answered once", async () => {
    await using server = startWebServer({
      "/x": (request) => {
        const isGood = request.headers.get("authorization") === "Basic Z29vZA==";
        return new Response("in", { status: isGood ? 200 : 401 });
      },
    });
    let header: string | undefined;
    const authority = {
      authorize: () => header,
      challenged: async () => {
        header = "Basic Z29vZA==";
        return true;
      },
    };
    expect(await get(client({ authority }), `${server.url}/x`)).toBe("in");
    const wrong = { authorize: () => "Basic bm8=", challenged: async () => true };
    const failure = await failing(get(client({ authority: wrong }), `${server.url}/x`));
    expect(failure).toMatchObject({ status: 401 });
    expect(server.asked).toHaveLength(4);
  });
});

describe("a proxy", () => {
  test("gets the request with the credentials of its URL, unless the host is exempt", async () => {
    await using proxy = await startRawServer((socket) => {
      socket.end("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nproxy");
    });
    const environment = {
      http_proxy: proxy.url.replace("//", "//me:pw@"),
      no_proxy: "127.0.0.1",
    };
    const http = client({ environment });
    expect(await get(http, "http://somewhere.invalid/x")).toBe("proxy");
    expect(proxy.asked[0]).toStartWith("GET http://somewhere.invalid/x HTTP/1.1\r\n");
    expect(proxy.asked[0]).toContain(`Proxy-Authorization: Basic ${btoa("me:pw")}`);
    await using server = startWebServer({ "/x": () => new Response("direct") });
    expect(await get(http, `${server.url}/x`)).toBe("direct");
  });

  test("of the process's own environment is not used by accident", async () => {
    await using server = startWebServer({ "/x": () => new Response("direct") });
    const before = process.env["HTTP_PROXY"];
    process.env["HTTP_PROXY"] = "http://127.0.0.1:1";
    try {
      expect(await get(client({ retries: 0 }), `${server.url}/x`)).toBe("direct");
    } finally {
      if (before === undefined) delete process.env["HTTP_PROXY"];
      else process.env["HTTP_PROXY"] = before;
    }
  });

  test("that is not there is named, without its credentials", async () => {
    const http = client({ proxy: "http://me:pw@127.0.0.1:1", retries: 0 });
    expect(await failing(get(http, "http://a.invalid/"))).toMatchObject({
      kind: "connect",
      message: "connection refused, by way of the proxy 127.0.0.1:1",
    });
  });

  test("that wants to know who asks is a refusal", async () => {
    await using proxy = await startRawServer((socket) => {
      socket.end("HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n");
    });
    for (const url of ["http://a.invalid/", "https://a.invalid/"]) {
      const failure = await failing(get(client({ proxy: proxy.url }), url));
      expect(failure).toMatchObject({ status: 407, attempts: 1 });
    }
  });

  test("of another kind is refused", async () => {
    const http = client({ proxy: "socks5://127.0.0.1:1" });
    expect(await failing(get(http, "http://a.invalid/"))).toMatchObject({ kind: "proxy" });
  });
});

test("compressed answers are unpacked, except where the file itself is wanted", async () => {
  const packed = Bun.gzipSync("hello");
  await using server = startWebServer({
    "/x": () => new Response(packed, { headers: { "Content-Encoding": "gzip" } }),
  });
  expect(await get(client(), `${server.url}/x`)).toBe("hello");
  const bytes = await client().perform(
    () => ({ url: `${server.url}/x`, verbatim: true }),
    (response) => response.bytes(1000),
  );
  expect(Buffer.from(bytes)).toEqual(Buffer.from(packed));
  const sent = server.asked.map(({ headers }) => headers.get("accept-encoding"));
  expect(sent).toEqual(["gzip, deflate, br, zstd", "identity"]);
});

test("an answer that is too long is broken off", async () => {
  await using server = startWebServer({ "/x": () => new Response("x".repeat(1001)) });
  expect(await failing(get(client(), `${server.url}/x`))).toMatchObject({
    kind: "too-large",
    attempts: 1,
  });
});

test("closing breaks off what is going on", async () => {
  await using server = await startRawServer(() => undefined);
  const http = client();
  const asked = failing(get(http, `${server.url}/x`));
  await Bun.sleep(20);
  http.close();
  expect(await asked).toMatchObject({ message: "broken off" });
  expect(await failing(get(http, `${server.url}/x`))).toMatchObject({ message: "broken off" });
});

test("connections are used again", async () => {
  const ports = new Set<number>();
  const server = Bun.serve({
    port: 0,
    fetch(request, self) {
      ports.add(self.requestIP(request)?.port ?? 0);
      return new Response("x".repeat(100), { status: request.url.endsWith("/404") ? 404 : 200 });
    },
  });
  const http = client();
  await get(http, `http://127.0.0.1:${server.port}/a`);
  await failing(get(http, `http://127.0.0.1:${server.port}/404`));
  await get(http, `http://127.0.0.1:${server.port}/b`);
  expect(ports.size).toBe(1);
  await server.stop(true);
});
