import { describe, expect, test } from "bun:test";
import fc from "fast-check";

import { parseHtmlPage } from "../../../src/blast/index/html-page.ts";
import type { PageFile } from "../../../src/blast/index/page-file.ts";

const BASE = "https://index.example/simple/foo/";
const SHA = "0a".repeat(32);

function files(text: string, base = BASE): readonly PageFile[] {
  return parseHtmlPage(text, base).files;
}

function urls(text: string, base = BASE): string[] {
  return files(text, base).map(({ url }) => url);
}

test("a page as the public index sends it", () => {
  const text = `<!DOCTYPE html>
<html>
  <head>
    <meta name="pypi:repository-version" content="1.3">
    <title>Links for foo</title>
  </head>
  <body>
    <h1>Links for foo</h1>
<a href="https://files.example/packages/aa/foo-1.0.tar.gz#sha256=${SHA}" >foo-1.0.tar.gz</a><br />
<a href="https://files.example/packages/bb/foo-1.1-py3-none-any.whl#sha256=${SHA}"
  data-requires-python="&gt;=3.8,!=3.9.*" data-dist-info-metadata="sha256=${SHA}"
  data-core-metadata="sha256=${SHA.toUpperCase()}"
  data-yanked="bad &quot;wheel&quot;">foo-1.1-py3-none-any.whl</a><br />
</body>
</html>
<!--SERIAL 123-->`;
  expect(parseHtmlPage(text, BASE)).toEqual({
    apiVersion: "1.3",
    files: [
      {
        filename: "foo-1.0.tar.gz",
        url: "https://files.example/packages/aa/foo-1.0.tar.gz",
        hashes: { sha256: SHA },
        yanked: false,
      },
      {
        filename: "foo-1.1-py3-none-any.whl",
        url: "https://files.example/packages/bb/foo-1.1-py3-none-any.whl",
        hashes: { sha256: SHA },
        requiresPython: ">=3.8,!=3.9.*",
        yanked: 'bad "wheel"',
        metadata: { sha256: SHA },
      },
    ],
  });
});

describe("addresses", () => {
  test("are relative to the page, to its host, or to nothing", () => {
    expect(
      urls(`
        <a href="foo-1.tar.gz">x</a> <a href=../../f/foo-2.tar.gz>x</a> <a href='/foo-3.tar.gz'>
        <a href="//cdn.example/foo-4.tar.gz"> <a href="HTTPS://Cdn.Example/a/../foo-5.tar.gz">
        <a href=" foo-6.tar.gz?token=a&amp;b=c#x "> <a href="/f/./foo-7.tar.gz">`),
    ).toEqual([
      "https://index.example/simple/foo/foo-1.tar.gz",
      "https://index.example/f/foo-2.tar.gz",
      "https://index.example/foo-3.tar.gz",
      "https://cdn.example/foo-4.tar.gz",
      "https://cdn.example/foo-5.tar.gz",
      "https://index.example/simple/foo/foo-6.tar.gz?token=a&b=c",
      "https://index.example/f/foo-7.tar.gz",
    ]);
  });

  test("begin at the base element, the first one", () => {
    expect(urls(`<base href="../files/"><base href="/no/"><a href="foo-1.tar.gz"></a>`)).toEqual([
      "https://index.example/simple/files/foo-1.tar.gz",
    ]);
  });

  test("lose their credentials", () => {
    expect(urls(`<a href="https://me:pw@cdn.example/foo-1.tar.gz"></a>`)).toEqual([
      "https://cdn.example/foo-1.tar.gz",
    ]);
  });

  test("of other schemes are left out; into the file system only from there", () => {
    const text = `<a href="javascript:foo-1.tar.gz"><a href="file:///foo-2.tar.gz">
      <a href="ftp://x/foo-3.zip">`;
    expect(urls(text)).toEqual([]);
    expect(urls(text, "file:///index/foo/index.html")).toEqual(["file:///foo-2.tar.gz"]);
  });

  test("that tell no file leave the name to the text", () => {
    const text = `<a href="/get?id=7">foo-1.0.tar.gz</a><a href="/get?id=8">the readme</a>
      <a href="/f/foo-1%2B2.tar.gz">x</a>`;
    expect(files(text).map(({ filename }) => filename)).toEqual([
      "foo-1.0.tar.gz",
      "foo-1+2.tar.gz",
    ]);
  });
});

describe("attributes", () => {
  const one = (attributes: string): PageFile | undefined =>
    files(`<a href="foo-1.tar.gz" ${attributes}>foo</a>`)[0];

  test("are found in any case, order and quoting", () => {
    expect(one(`DATA-Requires-Python = '&#62;=3.6' data-yanked`)).toMatchObject({
      requiresPython: ">=3.6",
      yanked: "",
    });
    expect(one("data-requires-python=&gt;&#x3D;3")).toMatchObject({ requiresPython: ">=3" });
    expect(one('data-requires-python="  "')?.requiresPython).toBeUndefined();
  });

  test("for metadata come in two spellings, the newer wins", () => {
    expect(one('data-dist-info-metadata="true"')?.metadata).toBe(true);
    expect(one('data-core-metadata="false" data-dist-info-metadata="true"')?.metadata).toBe(
      undefined,
    );
    expect(one(`data-core-metadata="sha256=${SHA}"`)?.metadata).toEqual({ sha256: SHA });
    expect(one('data-core-metadata="md5=wrong"')?.metadata).toBe(true);
  });

  test("with entities that are none stay as they are", () => {
    expect(one('data-yanked="a & b &unknown; &amp; &#0; &#9999999;"')?.yanked).toBe(
      "a & b &unknown; & \ufffd \ufffd",
    );
  });
});

describe("what is not to be seen", () => {
  test("comments, scripts and styles hold no links", () => {
    expect(
      urls(`<!-- <a href="foo-1.tar.gz"></a> --><script>"<a href='foo-2.tar.gz'>"</script >
        <STYLE><a href="foo-3.tar.gz"></STYLE><abbr href="foo-4.tar.gz"><a href="foo-5.tar.gz">`),
    ).toEqual(["https://index.example/simple/foo/foo-5.tar.gz"]);
  });

  test("a page that ends in the middle gives what was there", () => {
    const text = '<a href="foo-1.tar.gz">foo</a><a href="foo-2.tar.gz';
    for (let length = 0; length <= text.length; length += 1) files(text.slice(0, length));
    expect(files(text)).toHaveLength(2);
  });
});

test("any text is read, and in time", () => {
  const piece = fc.constantFrom(
    "<a",
    "<a ",
    " href=",
    '"',
    "'",
    ">",
    "</a>",
    "<!--",
    "-->",
    "<base href=",
    "<script>",
    "</script",
    "foo-1.tar.gz",
    "&amp;",
    "&#",
    "=",
    "/",
    "\n",
    "https://a/",
    "#sha256=",
  );
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, fc.string()), { maxLength: 60 }), (parts) => {
      for (const file of files(parts.join(""))) {
        expect(file.url).toMatch(/^https?:\/\//);
        expect(file.url).not.toContain("#");
      }
    }),
    { numRuns: 2000 },
  );
});

test("openings without an end do not make it slow", () => {
  for (const text of ["<a ", "<!-", '<a href="', "<script ", "</script", "<a href=x ", "&#"]) {
    expect(files(text.repeat(100_000)).length).toBeLessThanOrEqual(100_000);
  }
});
