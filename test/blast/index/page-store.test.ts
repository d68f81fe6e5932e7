import { describe, expect, test } from "bun:test";
import { readdirSync, truncateSync, writeFileSync } from "node:fs";

import { openIndex } from "../../../src/blast/index/client.ts";
import { htmlPage, jsonPage, startRawServer, startWebServer } from "../../support/web-server.ts";
import type { Workspace } from "../../support/workspace.ts";
import { createWorkspace } from "../../support/workspace.ts";
import { indexOptions, named } from "./index-options.fixture.ts";

const PAGE = '<a href="foo-1.tar.gz">foo-1.tar.gz</a>';

/** Waits for something to become true; what never does ends with the test's own limit. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await Bun.sleep(5);
}

function pageFile(work: Workspace): string {
  const paths = readdirSync(work.path, { recursive: true, encoding: "utf8" });
  return work.at(paths.find((path) => path.endsWith(".page")) ?? "none");
}

describe("what is asked", () => {
  test("JSON best, HTML last", async () => {
    using work = createWorkspace();
    await using server = startWebServer({ "/foo/": () => jsonPage([]) });
    await openIndex(indexOptions(work.path, [server.url])).project(named("foo"));
    expect(server.asked[0]?.headers.get("accept")).toBe(
      "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, " +
        "text/html;q=0.01",
    );
    expect(server.asked[0]?.headers.get("user-agent")).toMatch(/^triad\//);
  });

  test("through redirects; links are relative to where they end", async () => {
    using work = createWorkspace();
    await using server = startWebServer({
      "/foo/": () => Response.redirect("/moved/foo/", 301),
      "/moved/foo/": PAGE,
    });
    const index = openIndex(indexOptions(work.path, [server.url]));
    const project = await index.project(named("foo"));
    expect(project?.versions[0]?.files()[0]).toMatchObject({
      url: `${server.url}/moved/foo/foo-1.tar.gz`,
      index: `${server.url}/`,
    });
  });
});

describe("how long a page is fresh", () => {
  async function hits(headers: Record<string, string>, ageMs: number): Promise<number> {
    using work = createWorkspace();
    await using server = startWebServer({ "/foo/": () => htmlPage(PAGE, headers) });
    let nowMs = Date.now();
    const options = indexOptions(work.path, [server.url], { now: () => nowMs });
    await openIndex(options).project(named("foo"));
    nowMs += ageMs;
    await openIndex(options).project(named("foo"));
    return server.asked.length;
  }

  test("is what the server says, else what is set", async () => {
    expect(await hits({}, 590_000)).toBe(1);
    expect(await hits({}, 610_000)).toBe(2);
    expect(await hits({ "Cache-Control": "max-age=10" }, 5000)).toBe(1);
    expect(await hits({ "Cache-Control": "max-age=10" }, 11_000)).toBe(2);
    expect(await hits({ "Cache-Control": "max-age=99999" }, 90_000_000)).toBe(1);
    expect(await hits({ "Cache-Control": "no-cache" }, 1)).toBe(2);
    expect(await hits({ "Cache-Control": "no-store" }, 1)).toBe(2);
    // A clock that was wrong.
    expect(await hits({}, -120_000)).toBe(2);
  });

  test("begins again with 304, with what that says", async () => {
    using work = createWorkspace();
    let maxAge = 100;
    await using server = startWebServer({
      "/foo/": (request) => {
        const headers = { "Last-Modified": "then", "Cache-Control": `max-age=${maxAge}` };
        return request.headers.get("if-modified-since") === "then"
          ? new Response(null, { status: 304, headers })
          : htmlPage(PAGE, headers);
      },
    });
    let nowMs = Date.now();
    const options = indexOptions(work.path, [server.url], { now: () => nowMs });
    const ask = async (): Promise<number> => {
      expect((await openIndex(options).project(named("foo")))?.versions).toHaveLength(1);
      return server.asked.length;
    };
    expect(await ask()).toBe(1);
    nowMs += 101_000;
    maxAge = 50;
    expect(await ask()).toBe(2);
    nowMs = Date.now() + 60_000;
    expect(await ask()).toBe(3);
    expect(await openIndex({ ...options, refresh: true }).project(named("foo"))).toBeDefined();
    expect(server.asked).toHaveLength(4);
  });

  test("of a name that is not there: not longer than ten minutes", async () => {
    using work = createWorkspace();
    await using server = startWebServer({});
    let nowMs = Date.now();
    const options = indexOptions(work.path, [server.url], {
      now: () => nowMs,
      pageTtlSeconds: 86_400,
    });
    for (const passedMs of [0, 590_000, 20_000]) {
      nowMs += passedMs;
      expect(await openIndex(options).project(named("foo"))).toBeUndefined();
    }
    expect(server.asked).toHaveLength(2);
  });
});

describe("a page in the cache", () => {
  test("that is damaged is fetched again", async () => {
    using work = createWorkspace();
    await using server = startWebServer({ "/foo/": PAGE });
    const options = indexOptions(work.path, [server.url]);
    const ask = async (): Promise<void> => {
      const project = await openIndex(options).project(named("foo"));
      expect(project?.versions[0]?.files()).toHaveLength(1);
    };
    await ask();
    truncateSync(pageFile(work), 50);
    await ask();
    writeFileSync(pageFile(work), "rubbish\n");
    await ask();
    await ask();
    expect(server.asked).toHaveLength(3);
  });

  test("is written whole by several at once", async () => {
    using work = createWorkspace();
    await using server = startWebServer({ "/foo/": PAGE });
    const options = indexOptions(work.path, [server.url]);
    await Promise.all(
      Array.from({ length: 20 }, async () => openIndex(options).project(named("foo"))),
    );
    expect(openIndex(options).project(named("foo"))).not.toBeInstanceOf(Promise);
    const files = readdirSync(work.path, { recursive: true, encoding: "utf8" });
    expect(files.filter((file) => file.endsWith(".tmp"))).toEqual([]);
  });

  test("stays readable when another process replaces it", async () => {
    using work = createWorkspace();
    const links = (reason: string): string =>
      Array.from({ length: 900 }, (_, n) => {
        const text = reason.repeat(20);
        return `<a href="foo-1.${n}.tar.gz" data-yanked="${text}"></a>`;
      }).join("\n");
    await using server = startWebServer({
      "/foo/": (_, hit) => htmlPage(links(hit === 0 ? "old" : "renewed")),
    });
    const options = indexOptions(work.path, [server.url]);
    await openIndex(options).project(named("foo"));
    const before = openIndex(options);
    const project = await before.project(named("foo"));
    await openIndex({ ...options, refresh: true }).project(named("foo"));
    const last = project?.versions.at(-1)?.files()[0];
    expect(last?.yanked).toBe("old".repeat(20));
    await before.close();
  });
});

describe("failures", () => {
  async function failure(url: string, changes = {}): Promise<unknown> {
    using work = createWorkspace();
    const index = openIndex(indexOptions(work.path, [url], { retries: 1, ...changes }));
    return await Promise.resolve(index.project(named("foo"))).then(
      () => "it did not fail",
      (error: unknown) => error,
    );
  }

  test("say what was tried, where, and what to do", async () => {
    await using server = startWebServer({ "/foo/": () => new Response("", { status: 502 }) });
    const host = new URL(server.url).host;
    expect(await failure(server.url)).toMatchObject({
      code: "E_NETWORK",
      message: `Cannot fetch the page of "foo" from ${host}: 502 Bad Gateway (tried 2 times)`,
      hint: "try again later; --offline uses what is cached",
    });
    expect(await failure("http://127.0.0.1:1/")).toMatchObject({
      message:
        'Cannot fetch the page of "foo" from 127.0.0.1:1: connection refused (tried 2 times)',
      hint: expect.stringContaining("HTTPS_PROXY"),
    });
  });

  test("of credentials name none of them", async () => {
    await using server = startWebServer({ "/foo/": () => new Response("", { status: 401 }) });
    const error = await failure(server.url.replace("//", "//someone:s3cret@"));
    expect(error).toMatchObject({
      message: expect.stringContaining(": 401 Unauthorized"),
      hint: expect.stringContaining("netrc"),
    });
    expect(Bun.inspect(error)).not.toMatch(/someone|s3cret/);
  });

  test("of a page that breaks off, or never comes", async () => {
    await using server = await startRawServer((socket, _request, hit) => {
      if (hit < 2) {
        socket.end(
          `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 999\r\n\r\n${PAGE}`,
        );
      }
    });
    expect(await failure(server.url)).toMatchObject({
      message: expect.stringContaining("the connection broke (tried 2 times)"),
    });
    expect(await failure(server.url, { timeoutMs: 30 })).toMatchObject({
      message: expect.stringContaining("no answer for 0 s (tried 2 times)"),
    });
  });

  test("of something that is no index", async () => {
    await using server = startWebServer({
      "/foo/": () => new Response(PAGE, { headers: { "Content-Type": "text/plain" } }),
    });
    expect(await failure(server.url)).toMatchObject({
      code: "E_NETWORK",
      message: expect.stringContaining('its content type is "text/plain"'),
    });
  });

  test("of an address that is none", () => {
    using work = createWorkspace();
    expect(() => openIndex(indexOptions(work.path, ["ftp://h.example/"]))).toThrow(
      'Cannot use "ftp://h.example/" as an index: it is no http, https or file URL',
    );
  });
});

describe("fetching ahead", () => {
  test("asks once, and what failed is told to whoever wants it", async () => {
    using work = createWorkspace();
    await using server = startWebServer({
      "/foo/": PAGE,
      "/bar/": () => new Response("", { status: 403 }),
    });
    const index = openIndex(indexOptions(work.path, [server.url]));
    index.prefetch([named("foo"), named("bar"), named("foo")]);
    await until(() => server.asked.length === 2);
    await until(() => !(index.project(named("foo")) instanceof Promise));
    await expect(Promise.resolve(index.project(named("bar")))).rejects.toThrow("403 Forbidden");
    expect(server.asked).toHaveLength(2);
  });
});
