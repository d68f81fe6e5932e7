import { describe, expect, test } from "bun:test";

import { openIndex } from "../../../src/blast/index/client.ts";
import type { IndexOptions } from "../../../src/blast/index/options.ts";
import type { CoreMetadata, IndexFile } from "../../../src/blast/resolve/port.ts";
import type { Route, WebServer } from "../../support/web-server.ts";
import { jsonPage, rangedBytes, startWebServer } from "../../support/web-server.ts";
import type { TestWheel } from "../../support/wheel-writer.ts";
import { makeWheel, metadataOf } from "../../support/wheel-writer.ts";
import { createWorkspace } from "../../support/workspace.ts";
import { indexOptions, named } from "./index-options.fixture.ts";

const WHEEL = makeWheel();
const WHEEL_PATH = `/f/${WHEEL.filename}`;

function startIndex(routes: Record<string, Route | string>, file: object = {}): WebServer {
  const files = [
    {
      filename: WHEEL.filename,
      url: `../../f/${WHEEL.filename}`,
      hashes: { sha256: WHEEL.sha256 },
      ...file,
    },
  ];
  return startWebServer({ "/simple/demo/": () => jsonPage(files), ...routes });
}

async function fileOf(options: IndexOptions): Promise<IndexFile> {
  const project = await openIndex(options).project(named("demo"));
  const file = project?.versions[0]?.files()[0];
  if (file === undefined) throw new Error("there is no file");
  return file;
}

async function ask(options: IndexOptions): Promise<CoreMetadata> {
  return await openIndex(options).metadata(await fileOf(options));
}

function names(metadata: CoreMetadata): string[] {
  return metadata.requiresDist.map(({ name }) => name);
}

describe("the file beside the wheel", () => {
  const text = metadataOf("demo", "1.0");
  const sha256 = new Bun.CryptoHasher("sha256").update(text).digest("hex");

  test("is asked for once, and kept", async () => {
    using work = createWorkspace();
    await using server = startIndex(
      { [`${WHEEL_PATH}.metadata`]: () => new Response(text) },
      { "core-metadata": { sha256 } },
    );
    const options = indexOptions(work.path, [`${server.url}/simple/`]);
    expect(names(await ask(options))).toEqual(["other"]);
    const again = openIndex(options).metadata(await fileOf(options));
    expect(again).not.toBeInstanceOf(Promise);
    expect(names(again as CoreMetadata)).toEqual(["other"]);
    expect(server.paths()).toEqual(["/simple/demo/", `${WHEEL_PATH}.metadata`]);
  });

  test("with another hash than promised is refused, and not kept", async () => {
    using work = createWorkspace();
    await using server = startIndex(
      { [`${WHEEL_PATH}.metadata`]: () => new Response(`${text}x`) },
      { "core-metadata": { sha256 } },
    );
    const options = indexOptions(work.path, [`${server.url}/simple/`]);
    for (const _ of [1, 2]) {
      await expect(ask(options)).rejects.toMatchObject({
        code: "E_INTEGRITY",
        message: expect.stringContaining(`its sha256 is "`),
        details: { algorithm: "sha256", expected: sha256 },
      });
    }
    expect(server.paths().filter((path) => path.endsWith(".metadata"))).toHaveLength(2);
  });

  test("that is not there after all leaves the wheel itself", async () => {
    using work = createWorkspace();
    await using server = startIndex(
      { [WHEEL_PATH]: (request) => rangedBytes(WHEEL.bytes, request) },
      { "core-metadata": true },
    );
    const options = indexOptions(work.path, [`${server.url}/simple/`]);
    expect(names(await ask(options))).toEqual(["other"]);
  });

  test("of another name or version is refused", async () => {
    for (const [name, version, reason] of [
      ["other", "1.0", 'it is of "other"'],
      ["demo", "1.1", 'it is of version "1.1"'],
    ] as const) {
      using work = createWorkspace();
      await using server = startIndex(
        { [`${WHEEL_PATH}.metadata`]: () => new Response(metadataOf(name, version)) },
        { "core-metadata": true },
      );
      const options = indexOptions(work.path, [`${server.url}/simple/`]);
      await expect(ask(options)).rejects.toMatchObject({
        code: "E_INTEGRITY",
        message: `Cannot use the metadata of "${WHEEL.filename}": ${reason}`,
        details: { metadata: true },
      });
    }
  });
});

describe("ranges", () => {
  const modules = Object.fromEntries(
    Array.from({ length: 2000 }, (_, number) => [
      `demo/module_with_a_long_name_${number}.py`,
      crypto.getRandomValues(new Uint8Array(200)),
    ]),
  );
  const large: TestWheel = makeWheel({ files: modules });

  test("of a small wheel: one request", async () => {
    using work = createWorkspace();
    await using server = startIndex({
      [WHEEL_PATH]: (request) => rangedBytes(WHEEL.bytes, request),
    });
    const options = indexOptions(work.path, [`${server.url}/simple/`]);
    expect(names(await ask(options))).toEqual(["other"]);
    expect(server.paths()).toEqual(["/simple/demo/", WHEEL_PATH]);
    expect(server.asked[1]?.headers.get("range")).toBe("bytes=-32768");
  });

  test("of a wheel with thousands of files: two, a part of the whole", async () => {
    using work = createWorkspace();
    let sent = 0;
    const path = `/f/${large.filename}`;
    await using server = startIndex(
      {
        [path]: async (request) => {
          const response = rangedBytes(large.bytes, request);
          sent += (await response.clone().bytes()).length;
          return response;
        },
      },
      { hashes: { sha256: large.sha256 }, size: large.bytes.length },
    );
    const options = indexOptions(work.path, [`${server.url}/simple/`]);
    expect(names(await ask(options))).toEqual(["other"]);
    expect(server.asked).toHaveLength(3);
    expect(sent).toBeLessThan(large.bytes.length / 2);
  });

  test("that are not given leave the whole wheel, which is kept for the installer", async () => {
    using work = createWorkspace();
    const bytes = new Uint8Array(WHEEL.bytes);
    await using server = startIndex({ [WHEEL_PATH]: () => new Response(bytes) });
    const options = indexOptions(work.path, [`${server.url}/simple/`]);
    const file = await fileOf(options);
    const index = openIndex(options);
    expect(names(await index.metadata(file))).toEqual(["other"]);
    const { path, sha256 } = await index.download(file);
    expect(sha256).toBe(WHEEL.sha256);
    expect(WHEEL.bytes.equals(await Bun.file(path).bytes())).toBe(true);
    // The first is broken off when it turns out to be the whole.
    expect(server.paths()).toEqual(["/simple/demo/", WHEEL_PATH, WHEEL_PATH]);
  });

  test("that are refused leave it as well", async () => {
    for (const status of [400, 416, 501]) {
      using work = createWorkspace();
      const bytes = new Uint8Array(WHEEL.bytes);
      await using server = startIndex({
        [WHEEL_PATH]: (request) =>
          request.headers.has("range") ? new Response("", { status }) : new Response(bytes),
      });
      const options = indexOptions(work.path, [`${server.url}/simple/`]);
      expect(names(await ask(options))).toEqual(["other"]);
    }
  });

  test("of a wheel that changes under way are not put together", async () => {
    using work = createWorkspace();
    const path = `/f/${large.filename}`;
    await using server = startIndex(
      { [path]: (request, hit) => rangedBytes(large.bytes, request, `"${hit}"`) },
      { hashes: { sha256: large.sha256 }, size: large.bytes.length },
    );
    const options = indexOptions(work.path, [`${server.url}/simple/`]);
    expect(names(await ask(options))).toEqual(["other"]);
    expect(server.asked.at(-1)?.headers.has("range")).toBe(false);
  });

  test("of rubbish end in what is wrong with it", async () => {
    using work = createWorkspace();
    const rubbish = new Uint8Array(100_000).fill(7);
    const sha256 = new Bun.CryptoHasher("sha256").update(rubbish).digest("hex");
    await using server = startIndex(
      { [WHEEL_PATH]: (request) => rangedBytes(rubbish, request) },
      { hashes: { sha256 } },
    );
    const options = indexOptions(work.path, [`${server.url}/simple/`]);
    await expect(ask(options)).rejects.toMatchObject({
      code: "E_INTEGRITY",
      message: expect.stringContaining("it is no zip archive"),
    });
  });
});

describe("what is kept", () => {
  test("is never shared between indexes", async () => {
    using work = createWorkspace();
    const one = (requires: string): WebServer =>
      startIndex(
        {
          [`${WHEEL_PATH}.metadata`]: () =>
            new Response(metadataOf("demo", "1.0").replace("other", requires)),
        },
        { "core-metadata": true },
      );
    await using first = one("aaa");
    await using second = one("bbb");
    const ofFirst = await ask(indexOptions(work.path, [`${first.url}/simple/`]));
    const ofSecond = await ask(indexOptions(work.path, [`${second.url}/simple/`]));
    expect([names(ofFirst), names(ofSecond)]).toEqual([["aaa"], ["bbb"]]);
  });

  test("is asked for again after a while if there is no hash", async () => {
    using work = createWorkspace();
    await using server = startIndex(
      { [`${WHEEL_PATH}.metadata`]: () => new Response(metadataOf("demo", "1.0")) },
      { "core-metadata": true, hashes: {} },
    );
    let nowMs = Date.now();
    const options = indexOptions(work.path, [`${server.url}/simple/`], { now: () => nowMs });
    const file = await fileOf(options);
    await openIndex(options).metadata(file);
    expect(openIndex(options).metadata(file)).not.toBeInstanceOf(Promise);
    nowMs += 601_000;
    expect(openIndex({ ...options, offline: true }).metadata(file)).not.toBeInstanceOf(Promise);
    await openIndex(options).metadata(file);
    expect(server.paths().filter((path) => path.endsWith(".metadata"))).toHaveLength(2);
  });

  test("is all there is when offline", async () => {
    using work = createWorkspace();
    await using server = startIndex({});
    const options = indexOptions(work.path, [`${server.url}/simple/`]);
    const file = await fileOf(options);
    const offline = openIndex({ ...options, offline: true });
    await expect(Promise.resolve(offline.metadata(file))).rejects.toMatchObject({
      message:
        `Cannot fetch the metadata of "${WHEEL.filename}": it is not in the cache, ` +
        "and --offline is given",
    });
    expect(server.asked).toHaveLength(1);
  });
});

describe("sdists", () => {
  async function sdist(info: string | undefined, folder = "demo-1.0"): Promise<Uint8Array> {
    const files: Record<string, string> = {
      [`${folder}/setup.py`]: "x".repeat(3000),
      [`${folder}/inner/PKG-INFO`]: "Metadata-Version: 2.2\nName: wrong\nVersion: 9\n",
    };
    if (info !== undefined) files[`${folder}/PKG-INFO`] = info;
    return Bun.gzipSync(await new Bun.Archive(files).bytes());
  }

  async function askSdist(
    bytes: Uint8Array,
    changes: Partial<IndexOptions>,
  ): Promise<CoreMetadata> {
    using work = createWorkspace();
    const files = [{ filename: "demo-1.0.tar.gz", url: "/f/demo-1.0.tar.gz", hashes: {} }];
    await using server = startWebServer({
      "/simple/demo/": () => jsonPage(files),
      "/f/demo-1.0.tar.gz": () => new Response(bytes as Uint8Array<ArrayBuffer>),
    });
    return await ask(indexOptions(work.path, [`${server.url}/simple/`], changes));
  }

  const info = (version: string, more = ""): string =>
    `Metadata-Version: ${version}\nName: demo\nVersion: 1.0\n${more}Requires-Dist: static\n`;
  const builder = {
    cacheKey: "3.12",
    buildMetadata: async () => info("2.1").replace("static", "built"),
    buildDirect: async () => {
      throw new Error("it was not asked for");
    },
  };

  test("tell by themselves when nothing that matters is dynamic", async () => {
    expect(names(await askSdist(await sdist(info("2.2")), { builder }))).toEqual(["static"]);
    const license = info("2.4", "Dynamic: license\n");
    expect(names(await askSdist(await sdist(license), { builder }))).toEqual(["static"]);
    const long = await sdist(info("2.2"), `demo-1.0${"x".repeat(150)}`);
    expect(names(await askSdist(long, { builder }))).toEqual(["static"]);
  });

  test("are built otherwise", async () => {
    for (const text of [
      info("2.1"),
      info("2.2", "Dynamic: Requires-Dist\n"),
      info("2.3", "dynamic: requires-python\n"),
      undefined,
    ]) {
      expect(names(await askSdist(await sdist(text), { builder }))).toEqual(["built"]);
    }
  });

  test("need somebody to build them", async () => {
    await expect(askSdist(await sdist(info("2.1")), {})).rejects.toMatchObject({
      code: "E_BUILD",
      message: 'Cannot tell what "demo-1.0.tar.gz" requires without building it',
    });
  });

  test("that are damaged are refused", async () => {
    const whole = await sdist(info("2.2"));
    for (const bytes of [whole.slice(0, 60), new Uint8Array(5000).fill(65)]) {
      await expect(askSdist(bytes, { builder })).rejects.toMatchObject({
        code: "E_INTEGRITY",
        message: 'Cannot read "demo-1.0.tar.gz": it is damaged, or no archive of its kind',
      });
    }
  });
});
