import { describe, expect, test } from "bun:test";
import { readdirSync } from "node:fs";

import { openIndex } from "../../../src/blast/index/client.ts";
import type { Project } from "../../../src/blast/resolve/port.ts";
import { htmlPage, jsonPage, startWebServer } from "../../support/web-server.ts";
import { createWorkspace } from "../../support/workspace.ts";
import { indexOptions, named } from "./index-options.fixture.ts";

const SHA = "ab".repeat(32);

function shape(project: Project | undefined): unknown {
  return project?.versions.map((version) => [
    version.version.toString(),
    ...version.files().map(({ filename }) => filename),
  ]);
}

describe("pages", () => {
  test("JSON, newest version first", async () => {
    using work = createWorkspace();
    await using server = startWebServer({
      "/simple/foo-bar/": () =>
        jsonPage([
          {
            filename: "foo_bar-1.9.tar.gz",
            url: "../../f/foo_bar-1.9.tar.gz",
            hashes: { sha256: SHA.toUpperCase() },
            size: 12,
            "upload-time": "2024-01-02T03:04:05.678Z",
            "requires-python": ">=3.8",
            "core-metadata": { sha256: SHA },
            yanked: "it was böse",
          },
          {
            filename: "Foo.Bar-1.10-py3-none-any.whl",
            url: "https://files.example/Foo.Bar-1.10-py3-none-any.whl",
            hashes: {},
          },
        ]),
    });
    const index = openIndex(indexOptions(work.path, [`${server.url}/simple`]));
    const project = await index.project(named("Foo_Bar"));
    expect(project?.name).toBe(named("foo-bar"));
    expect(project?.versions.map(({ version }) => version.toString())).toEqual(["1.10", "1.9"]);
    expect(project?.versions.flatMap((version) => version.files())).toEqual([
      {
        kind: "wheel",
        filename: "Foo.Bar-1.10-py3-none-any.whl",
        url: "https://files.example/Foo.Bar-1.10-py3-none-any.whl",
        hashes: {},
        yanked: false,
        index: `${server.url}/simple/`,
      },
      {
        kind: "sdist",
        filename: "foo_bar-1.9.tar.gz",
        url: `${server.url}/f/foo_bar-1.9.tar.gz`,
        hashes: { sha256: SHA },
        size: 12,
        requiresPython: ">=3.8",
        uploadTime: "2024-01-02T03:04:05.678Z",
        metadata: { sha256: SHA },
        yanked: "it was böse",
        index: `${server.url}/simple/`,
      },
    ]);
    await index.close();
  });

  test("what a page says is kept: a second client answers at once and asks nobody", async () => {
    using work = createWorkspace();
    await using server = startWebServer({
      "/simple/foo/": '<a href="foo-1.0.tar.gz">foo-1.0.tar.gz</a>',
    });
    const options = indexOptions(work.path, [`${server.url}/simple/`]);
    await openIndex(options).project(named("foo"));
    expect(await openIndex(options).project(named("gone"))).toBeUndefined();
    const again = openIndex(options);
    const project = again.project(named("foo"));
    expect(project).not.toBeInstanceOf(Promise);
    expect(again.project(named("gone"))).toBeUndefined();
    expect((project as Project).versions[0]?.files()[0]?.url).toBe(
      `${server.url}/simple/foo/foo-1.0.tar.gz`,
    );
    expect(server.paths()).toEqual(["/simple/foo/", "/simple/gone/"]);
  });

  test("an old page is asked for by its ETag, and stays when nothing has changed", async () => {
    using work = createWorkspace();
    await using server = startWebServer({
      "/foo/": (request) =>
        request.headers.get("if-none-match") === '"v1"'
          ? new Response(null, { status: 304, headers: { ETag: '"v1"' } })
          : htmlPage('<a href="foo-1.tar.gz"></a>', {
              ETag: '"v1"',
              "Cache-Control": "max-age=60",
            }),
    });
    let nowMs = Date.now();
    const options = indexOptions(work.path, [server.url], { now: () => nowMs });
    await openIndex(options).project(named("foo"));
    nowMs += 59_000;
    expect(openIndex(options).project(named("foo"))).not.toBeInstanceOf(Promise);
    nowMs += 2000;
    expect(shape(await openIndex(options).project(named("foo")))).toEqual([["1", "foo-1.tar.gz"]]);
    expect(server.asked).toHaveLength(2);
    nowMs += 59_000;
    expect(openIndex(options).project(named("foo"))).not.toBeInstanceOf(Promise);
    expect(server.asked).toHaveLength(2);
  });

  test("offline uses any age, and says what is missing", async () => {
    using work = createWorkspace();
    await using server = startWebServer({ "/foo/": '<a href="foo-1.tar.gz"></a>' });
    const options = indexOptions(work.path, [server.url]);
    await openIndex(options).project(named("foo"));
    const later = { ...options, offline: true, now: () => Date.now() + 1e12 };
    expect(shape(await openIndex(later).project(named("foo")))).toEqual([["1", "foo-1.tar.gz"]]);
    expect(() => openIndex(later).project(named("bar"))).toThrow(
      'Cannot fetch the page of "bar": it is not in the cache, and --offline is given',
    );
    expect(server.asked).toHaveLength(1);
  });

  test("without cache nothing is written", async () => {
    using work = createWorkspace();
    await using server = startWebServer({ "/foo/": '<a href="foo-1.tar.gz"></a>' });
    const options = indexOptions(work.at("cache"), [server.url], { noCache: true });
    await openIndex(options).project(named("foo"));
    await openIndex(options).project(named("foo"));
    expect(server.asked).toHaveLength(2);
    expect(() => readdirSync(work.at("cache"))).toThrow("ENOENT");
  });
});

describe("several indexes", () => {
  test("the first that knows a name answers for it; the next is not asked", async () => {
    using work = createWorkspace();
    await using first = startWebServer({ "/own/": '<a href="own-1.tar.gz"></a>' });
    await using second = startWebServer({
      "/own/": '<a href="own-99.tar.gz"></a>',
      "/other/": '<a href="other-1.tar.gz"></a>',
    });
    const index = openIndex(indexOptions(work.path, [first.url, second.url]));
    expect(shape(await index.project(named("own")))).toEqual([["1", "own-1.tar.gz"]]);
    expect(second.asked).toEqual([]);
    expect(shape(await index.project(named("other")))).toEqual([["1", "other-1.tar.gz"]]);
    expect(await index.project(named("neither"))).toBeUndefined();
  });

  for (const status of [401, 403, 500]) {
    test(`status ${status} of the first is an error and never a "no"`, async () => {
      using work = createWorkspace();
      await using first = startWebServer({ "/own/": () => new Response("", { status }) });
      await using second = startWebServer({ "/own/": '<a href="own-99.tar.gz"></a>' });
      const index = openIndex(indexOptions(work.path, [first.url, second.url]));
      const asked = Promise.resolve(index.project(named("own")));
      await expect(asked).rejects.toMatchObject({
        code: "E_NETWORK",
        message: expect.stringContaining(`Cannot fetch the page of "own" from 127.0.0.1:`),
        details: { status },
      });
      expect(second.asked).toEqual([]);
    });
  }
});

describe("credentials", () => {
  test("of the URL are sent to it, and stand nowhere else", async () => {
    using work = createWorkspace();
    await using server = startWebServer({ "/simple/foo/": '<a href="/f/foo-1.tar.gz"></a>' });
    const url = `${server.url.replace("//", "//me:s%20ecret@")}/simple`;
    const index = openIndex(indexOptions(work.path, [url]));
    const project = await index.project(named("foo"));
    expect(server.asked[0]?.headers.get("authorization")).toBe(`Basic ${btoa("me:s ecret")}`);
    expect(JSON.stringify(project?.versions[0]?.files())).not.toContain("ecret");
    const paths = readdirSync(work.path, { recursive: true, encoding: "utf8" });
    expect(paths.join()).not.toContain("ecret");
    const page = paths.find((path) => path.endsWith(".page")) ?? "";
    expect(await Bun.file(work.at(page)).text()).not.toContain("ecret");
  });
});

test("credentials of an index go along to its files on the same server only", async () => {
  using work = createWorkspace();
  const files = [1, 2].map((number) => ({ filename: `foo-${number}.tar.gz`, hashes: {} }));
  await using other = startWebServer({ "/foo-2.tar.gz": () => new Response("two") });
  await using server = startWebServer({
    "/simple/foo/": () =>
      jsonPage([
        { ...files[0], url: "/f/foo-1.tar.gz" },
        { ...files[1], url: `${other.url}/foo-2.tar.gz` },
      ]),
    "/f/foo-1.tar.gz": () => new Response("one"),
  });
  const url = `${server.url.replace("//", "//me:pw@")}/simple/`;
  const index = openIndex(indexOptions(work.path, [url]));
  const project = await index.project(named("foo"));
  for (const version of project?.versions ?? []) {
    for (const file of version.files()) await index.download(file);
  }
  const sent = (from: typeof server): (string | null)[] =>
    from.asked.map(({ headers }) => headers.get("authorization"));
  expect(sent(server)).toEqual([`Basic ${btoa("me:pw")}`, `Basic ${btoa("me:pw")}`]);
  expect(sent(other)).toEqual([null]);
});
