import { describe, expect, test } from "bun:test";
import { pathToFileURL } from "node:url";

import type { IndexClient } from "../../../src/blast/index/client.ts";
import { openIndex } from "../../../src/blast/index/client.ts";
import type { CoreMetadata } from "../../../src/blast/resolve/port.ts";
import { htmlPage, startWebServer } from "../../support/web-server.ts";
import { makeWheel } from "../../support/wheel-writer.ts";
import { createWorkspace } from "../../support/workspace.ts";
import { indexOptions, named } from "./index-options.fixture.ts";

async function shape(index: IndexClient, name: string): Promise<unknown> {
  const project = await index.project(named(name));
  return project?.versions.map(({ version }, at) => [
    version.toString(),
    ...(project.versions[at]?.files() ?? []).map(({ url }) => url),
  ]);
}

describe("a folder", () => {
  test("has its files, told by path or URL; without an index nothing else", async () => {
    using work = createWorkspace();
    const wheel = makeWheel();
    const path = work.write(`links/${wheel.filename}`, wheel.bytes);
    work.write("links/two-words-1.0.tar.gz");
    work.write("links/readme.txt");
    for (const place of [work.at("links"), pathToFileURL(work.at("links")).href]) {
      const index = openIndex(indexOptions(work.at("cache"), [], { findLinks: [place] }));
      expect(await shape(index, "demo")).toEqual([["1.0", pathToFileURL(path).href]]);
      expect(await shape(index, "two-words")).toHaveLength(1);
      expect(await shape(index, "two")).toBeUndefined();
      expect(index.project(named("other"))).toBeUndefined();
      const file = (await index.project(named("demo")))?.versions[0]?.files()[0];
      if (file === undefined) throw new Error("there is no file");
      const metadata: CoreMetadata = await index.metadata(file);
      expect(metadata.requiresDist.map(({ name }) => name as string)).toEqual(["other"]);
      expect(await index.download(file)).toEqual({ path, sha256: wheel.sha256 });
    }
  });

  test("that is not there is a warning", async () => {
    using work = createWorkspace();
    const warnings: string[] = [];
    const index = openIndex(
      indexOptions(work.path, [], {
        findLinks: ["/nonexistent"],
        onWarning: (text) => warnings.push(text),
      }),
    );
    expect(index.project(named("demo"))).toBeUndefined();
    expect(index.project(named("other"))).toBeUndefined();
    expect(warnings).toEqual([
      'Cannot look for packages in "/nonexistent": no such file or directory',
    ]);
  });

  test("adds to what an index has", async () => {
    using work = createWorkspace();
    for (const version of ["0.5", "1.0", "3.0"]) work.write(`links/demo-${version}.tar.gz`);
    await using server = startWebServer({
      "/demo/": '<a href="/demo-1.0.tar.gz"></a><a href="/demo-2.0.tar.gz"></a>',
    });
    const options = indexOptions(work.at("cache"), [server.url], { findLinks: [work.at("links")] });
    const local = (version: string): string =>
      pathToFileURL(work.at("links", `demo-${version}.tar.gz`)).href;
    expect(await shape(openIndex(options), "demo")).toEqual([
      ["3.0", local("3.0")],
      ["2.0", `${server.url}/demo-2.0.tar.gz`],
      ["1.0", local("1.0"), `${server.url}/demo-1.0.tar.gz`],
      ["0.5", local("0.5")],
    ]);
  });
});

describe("a page", () => {
  test("has links to files of all projects, and is kept for a while", async () => {
    using work = createWorkspace();
    await using server = startWebServer({
      "/links.html": () =>
        htmlPage('<a href="a/demo-1.0.tar.gz">x</a><a href="other-2.0.zip">y</a><a href="/">z</a>'),
    });
    const options = indexOptions(work.path, [], { findLinks: [`${server.url}/links.html`] });
    expect(await shape(openIndex(options), "demo")).toEqual([
      ["1.0", `${server.url}/a/demo-1.0.tar.gz`],
    ]);
    const again = openIndex(options);
    expect(await shape(again, "other")).toEqual([["2.0", `${server.url}/other-2.0.zip`]]);
    expect(again.project(named("third"))).toBeUndefined();
    expect(server.asked).toHaveLength(1);
    await openIndex({ ...options, refresh: true }).project(named("demo"));
    expect(server.asked).toHaveLength(2);
  });

  test("in a file leads to files beside it", async () => {
    using work = createWorkspace();
    const page = work.write("links.html", '<a href="demo-1.0.tar.gz">x</a>');
    const place = pathToFileURL(page).href;
    const index = openIndex(indexOptions(work.at("cache"), [], { findLinks: [place] }));
    expect(await shape(index, "demo")).toEqual([
      ["1.0", pathToFileURL(work.at("demo-1.0.tar.gz")).href],
    ]);
  });
});
