import { describe, expect, test } from "bun:test";
import { chmodSync, readdirSync, writeFileSync } from "node:fs";
import { pathToFileURL } from "node:url";

import type { IndexClient } from "../../../src/blast/index/client.ts";
import { openIndex } from "../../../src/blast/index/client.ts";
import type { WantedFile } from "../../../src/blast/index/downloads.ts";
import { rangedBytes, startRawServer, startWebServer } from "../../support/web-server.ts";
import type { Workspace } from "../../support/workspace.ts";
import { createWorkspace } from "../../support/workspace.ts";
import { indexOptions } from "./index-options.fixture.ts";

const BYTES = crypto.getRandomValues(new Uint8Array(100_000));
const SHA256 = new Bun.CryptoHasher("sha256").update(BYTES).digest("hex");
const NAME = "demo-1.0-py3-none-any.whl";

function wanted(url: string, more: Partial<WantedFile> = {}): WantedFile {
  return { url, filename: NAME, hashes: { sha256: SHA256 }, ...more };
}

function open(work: Workspace, changes = {}): IndexClient {
  return openIndex(indexOptions(work.at("cache"), [], changes));
}

function filesIn(work: Workspace): string[] {
  return readdirSync(work.path, { recursive: true, encoding: "utf8", withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);
}

describe("a file", () => {
  test("is fetched once, told of as it comes, and kept by its hash", async () => {
    using work = createWorkspace();
    await using server = startWebServer({ "/x": () => new Response(BYTES) });
    const steps: (number | undefined)[][] = [];
    const onBytes = (done: number, total: number | undefined): void =>
      void steps.push([done, total]);
    const file = wanted(`${server.url}/x`);
    const { path, sha256 } = await open(work).download(file, { onBytes });
    expect(sha256).toBe(SHA256);
    expect(path).toEndWith(`/${SHA256.slice(0, 2)}/${SHA256}/${NAME}`);
    expect(await Bun.file(path).bytes()).toEqual(BYTES);
    expect(steps.at(-1)).toEqual([BYTES.length, BYTES.length]);
    expect(await open(work, { offline: true }).download(file)).toEqual({ path, sha256 });
    expect(server.asked).toHaveLength(1);
    expect(filesIn(work)).toEqual([NAME]);
  });

  test("with another hash is refused, and nothing of it stays", async () => {
    using work = createWorkspace();
    await using server = startWebServer({ "/x": () => new Response("lies") });
    await expect(open(work).download(wanted(`${server.url}/x`))).rejects.toMatchObject({
      code: "E_INTEGRITY",
      message: expect.stringMatching(
        /^Cannot use "demo-.*" from .*: its sha256 is "[0-9a-f]{64}", not "/,
      ),
      details: { expected: SHA256 },
    });
    expect(filesIn(work)).toEqual([]);
    expect(server.asked).toHaveLength(1);
  });

  test("is checked by what hash there is, the strongest", async () => {
    using work = createWorkspace();
    await using server = startWebServer({ "/x": () => new Response(BYTES) });
    const url = `${server.url}/x`;
    const sha512 = new Bun.CryptoHasher("sha512").update(BYTES).digest("hex");
    const md5 = "0".repeat(32);
    await open(work).download(wanted(url, { hashes: { sha512, md5 } }));
    const download = open(work).download(wanted(url, { hashes: { md5 } }));
    await expect(download).rejects.toMatchObject({ details: { algorithm: "md5" } });
  });

  test("that is larger or smaller than the index said is refused", async () => {
    using work = createWorkspace();
    await using server = startWebServer({ "/x": () => new Response(BYTES) });
    for (const size of [10, BYTES.length - 1, BYTES.length + 1]) {
      const download = open(work).download(wanted(`${server.url}/x`, { size, hashes: {} }));
      await expect(download).rejects.toMatchObject({ code: "E_INTEGRITY" });
    }
    expect(filesIn(work)).toEqual([]);
  });

  test("asked for by two at once is fetched once", async () => {
    using work = createWorkspace();
    await using server = startWebServer({ "/x": () => new Response(BYTES) });
    const index = open(work);
    const file = wanted(`${server.url}/x`);
    const [one, two] = await Promise.all([index.download(file), index.download(file)]);
    expect(one).toBe(two);
    expect(server.asked).toHaveLength(1);
  });

  test("of no cache goes when the client closes", async () => {
    using work = createWorkspace();
    await using server = startWebServer({ "/x": () => new Response(BYTES) });
    const index = open(work, { noCache: true });
    const { path } = await index.download(wanted(`${server.url}/x`));
    expect(await Bun.file(path).bytes()).toEqual(BYTES);
    await index.close();
    expect(await Bun.file(path).exists()).toBe(false);
    expect(filesIn(work)).toEqual([]);
  });
});

describe("a transfer that breaks", () => {
  const head = (length: number, more = ""): string =>
    `HTTP/1.1 200 OK\r\nETag: "one"\r\n${more}Content-Length: ${length}\r\n\r\n`;

  test("goes on where it ended if the file is the same one", async () => {
    using work = createWorkspace();
    const begun = Promise.withResolvers<void>();
    await using server = await startRawServer((socket, request, hit) => {
      if (hit === 0) {
        socket.write(head(BYTES.length));
        socket.write(BYTES.subarray(0, 40_000));
        void begun.promise.then(() => socket.end());
        return;
      }
      const start = Number(/range: bytes=(\d+)-/i.exec(request)?.[1] ?? 0);
      const range = `Content-Range: bytes ${start}-${BYTES.length - 1}/${BYTES.length}`;
      const length = `Content-Length: ${BYTES.length - start}`;
      socket.write(`HTTP/1.1 206 Partial Content\r\nETag: "one"\r\n${range}\r\n${length}\r\n\r\n`);
      socket.end(BYTES.subarray(start));
    });
    // Without a byte there would be nothing to go on with.
    const onBytes = (done: number): void => void (done > 0 && begun.resolve());
    const { path } = await open(work).download(wanted(`${server.url}/x`), { onBytes });
    expect(await Bun.file(path).bytes()).toEqual(BYTES);
    expect(server.asked).toHaveLength(2);
    expect(server.asked[1]).toMatch(/range: bytes=[1-9]\d*-\r\n/i);
    expect(server.asked[1]).toMatch(/if-range: "one"\r\n/i);
  });

  test("begins again if the server sends the whole", async () => {
    using work = createWorkspace();
    await using server = await startRawServer((socket, _request, hit) => {
      socket.write(head(BYTES.length));
      if (hit === 0) {
        socket.write(BYTES.subarray(0, 40_000), () => setTimeout(() => socket.end(), 30));
      } else {
        socket.end(BYTES);
      }
    });
    const { path } = await open(work).download(wanted(`${server.url}/x`));
    expect(await Bun.file(path).bytes()).toEqual(BYTES);
  });

  test("for good leaves nothing", async () => {
    using work = createWorkspace();
    await using server = await startRawServer((socket) => {
      socket.write(head(BYTES.length));
      socket.write(BYTES.subarray(0, 4000), () => setTimeout(() => socket.end(), 5));
    });
    await expect(open(work).download(wanted(`${server.url}/x`))).rejects.toMatchObject({
      code: "E_NETWORK",
      message: expect.stringMatching(
        /^Cannot fetch "demo-1\.0-py3-none-any\.whl" from 127\.0\.0\.1:\d+: .* \(tried 4 times\)$/,
      ),
    });
    expect(filesIn(work)).toEqual([]);
  });
});

test("a server that packs files in spite of all is taken at its word", async () => {
  using work = createWorkspace();
  const bytes = Bun.gzipSync(BYTES);
  const sha256 = new Bun.CryptoHasher("sha256").update(bytes).digest("hex");
  await using server = startWebServer({
    "/x": () => new Response(bytes, { headers: { "Content-Encoding": "gzip" } }),
  });
  const file = wanted(`${server.url}/x`, { hashes: { sha256 } });
  expect((await open(work).download(file)).sha256).toBe(sha256);
});

test("many at once, within the limit", async () => {
  using work = createWorkspace();
  let running = 0;
  let most = 0;
  const route = async (request: Request): Promise<Response> => {
    running += 1;
    most = Math.max(most, running);
    await Bun.sleep(3);
    running -= 1;
    return rangedBytes(BYTES, request);
  };
  const paths = Array.from({ length: 30 }, (_, number) => `/${number}`);
  await using server = startWebServer(Object.fromEntries(paths.map((path) => [path, route])));
  const index = open(work, { concurrency: 5 });
  await Promise.all(
    paths.map((path) =>
      index.download(wanted(server.url + path, { filename: `a${path.slice(1)}` })),
    ),
  );
  expect(most).toBeLessThanOrEqual(5);
  expect(filesIn(work)).toHaveLength(30);
});

describe("local files", () => {
  test("stay where they are, and are checked", async () => {
    using work = createWorkspace();
    const path = work.write("here/some wheel.whl", BYTES);
    const url = pathToFileURL(path).href;
    expect(await open(work).download(wanted(url))).toEqual({ path, sha256: SHA256 });
    writeFileSync(path, "changed");
    await expect(open(work).download(wanted(url))).rejects.toMatchObject({ code: "E_INTEGRITY" });
    await expect(open(work).download(wanted("file:///nonexistent/x.whl"))).rejects.toMatchObject({
      code: "E_NOT_FOUND",
      message: 'Cannot read "/nonexistent/x.whl": no such file or directory',
    });
  });
});

test("a cache that cannot be written is told of, and done without", async () => {
  using work = createWorkspace();
  await using server = startWebServer({
    "/simple/foo/": '<a href="foo-1.0.tar.gz">foo</a>',
    "/x": () => new Response(BYTES),
  });
  // A file in the place of the folder stops root as well.
  const cacheFolder = work.write("cache", "");
  chmodSync(cacheFolder, 0o444);
  const warnings: string[] = [];
  const options = indexOptions(cacheFolder, [`${server.url}/simple/`], {
    onWarning: (text) => warnings.push(text),
  });
  const index = openIndex(options);
  const { parsePackageName } = await import("../../../src/blast/pep/name.ts");
  expect((await index.project(parsePackageName("foo")))?.versions).toHaveLength(1);
  const { path } = await index.download(wanted(`${server.url}/x`));
  expect(await Bun.file(path).bytes()).toEqual(BYTES);
  await index.close();
  expect(warnings).toEqual([`Cannot write to the cache in "${cacheFolder}": not a directory`]);
});
