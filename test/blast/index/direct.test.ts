import { describe, expect, test } from "bun:test";

import { openIndex } from "../../../src/blast/index/client.ts";
import { archiveFile } from "../../../src/blast/index/direct.ts";
import { rangedBytes, startWebServer } from "../../support/web-server.ts";
import { makeWheel } from "../../support/wheel-writer.ts";
import { createWorkspace } from "../../support/workspace.ts";
import { indexOptions } from "./index-options.fixture.ts";

const WHEEL = makeWheel();

test("an archive's URL, with hashes in its fragment", () => {
  const sha256 = "0d".repeat(32);
  expect(archiveFile(`https://h.example/a/demo%2B-1.zip#subdirectory=x&sha256=${sha256}`)).toEqual({
    url: "https://h.example/a/demo%2B-1.zip",
    filename: "demo+-1.zip",
    hashes: { sha256 },
  });
  expect(archiveFile("/a b/demo-1.zip").url).toBe("file:///a%20b/demo-1.zip");
});

describe("a direct source", () => {
  test("that is a wheel tells by itself, once", async () => {
    using work = createWorkspace();
    await using server = startWebServer({
      [`/${WHEEL.filename}`]: (request) => rangedBytes(WHEEL.bytes, request),
    });
    const url = `${server.url}/${WHEEL.filename}#sha256=${WHEEL.sha256}`;
    const index = openIndex(indexOptions(work.path, []));
    const source = { kind: "archive", url } as const;
    const answer = await index.direct(source);
    expect(answer.source).toEqual(source);
    expect(answer.metadata.version.toString()).toBe("1.0");
    expect(await index.direct(source)).toBe(answer);
    expect(server.asked).toHaveLength(1);
  });

  test("with another hash is refused", async () => {
    using work = createWorkspace();
    const path = work.write(WHEEL.filename, WHEEL.bytes);
    const source = { kind: "archive", url: `${path}#sha256=${"0".repeat(64)}` } as const;
    const asked = Promise.resolve(openIndex(indexOptions(work.path, [])).direct(source));
    await expect(asked).rejects.toMatchObject({ code: "E_INTEGRITY" });
  });

  test("that is no archive is told", async () => {
    using work = createWorkspace();
    const source = { kind: "archive", url: "https://me:pw@h.example/demo.exe" } as const;
    const asked = Promise.resolve(openIndex(indexOptions(work.path, [])).direct(source));
    await expect(asked).rejects.toMatchObject({
      message:
        'Cannot install "https://h.example/demo.exe": it is neither a wheel nor a source archive',
    });
  });

  test("that is a folder is for the builder", async () => {
    using work = createWorkspace();
    const source = { kind: "directory", path: work.path, editable: false } as const;
    const asked = Promise.resolve(openIndex(indexOptions(work.path, [])).direct(source));
    await expect(asked).rejects.toMatchObject({ code: "E_BUILD" });
  });
});
