import { expect, test } from "bun:test";
import { pathToFileURL } from "node:url";

import { openIndex } from "../../../src/blast/index/client.ts";
import { createWorkspace } from "../../support/workspace.ts";
import { indexOptions, named } from "./index-options.fixture.ts";

test("a folder is an index: with pages, or simply with files", async () => {
  using work = createWorkspace();
  work.write("index/paged/index.html", '<a href="../../files/paged-1.0.tar.gz#x">x</a>');
  work.write("index/plain/plain-2.0.tar.gz");
  const place = pathToFileURL(work.at("index")).href;
  const index = openIndex(indexOptions(work.at("cache"), [place]));
  const urls = ["paged", "plain"].map(async (name) => {
    const project = await index.project(named(name));
    return project?.versions.flatMap((version) => version.files()).map(({ url }) => url);
  });
  expect(await Promise.all(urls)).toEqual([
    [pathToFileURL(work.at("files/paged-1.0.tar.gz")).href],
    [pathToFileURL(work.at("index/plain/plain-2.0.tar.gz")).href],
  ]);
  expect(index.project(named("gone"))).toBeUndefined();
});
