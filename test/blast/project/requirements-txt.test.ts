import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import {
  type RequirementsFiles,
  type RequirementsOptions,
  readRequirementsFile,
  readRequirementsFiles,
} from "../../../src/blast/project/requirements-txt.ts";
import { causeMessages, Fault } from "../../../src/kit/fault/fault.ts";

let folder = "";
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "blast-requirements-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function write(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, content);
  return path;
}

async function read(
  content: string | Uint8Array,
  more: Partial<RequirementsOptions> = {},
): Promise<RequirementsFiles> {
  write("r.txt", content);
  return readRequirementsFiles([{ path: "r.txt", constraint: false }], {
    base: folder,
    environment: {},
    ...more,
  });
}

async function problem(content: string, more: Partial<RequirementsOptions> = {}) {
  try {
    await read(content, more);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const told = [error.message, ...causeMessages(error), error.hint];
    return told.filter((one) => one !== undefined).map((one) => one.replaceAll(`${folder}/`, ""));
  }
  throw new Error("no fault");
}

const texts = ({ requirements }: RequirementsFiles) => requirements.map(({ text }) => text);

/** A variable as it is written in the file. */
const v = (name: string) => ["$", `{${name}}`].join("");

describe("lines", () => {
  test("comments, continuations, blank lines; the first line's number counts", async () => {
    const { requirements } = await read("# top\n\na # c\nb\\\n>=1\nc ; python_version \\\n <'3'\n");
    expect(requirements.map(({ text, origin }) => [text, origin])).toEqual([
      ["a", "r.txt:3"],
      ["b>=1", "r.txt:4"],
      ["c ; python_version  <'3'", "r.txt:6"],
    ]);
  });

  test("variables: upper case only, unset and empty ones stay", async () => {
    const environment = { NAME: "flask", EMPTY: "", lower: "x", TOKEN: "s3cret" };
    const files = await read(
      `${v("NAME")}\n-i https://u:${v("TOKEN")}@h/${v("EMPTY")}${v("lower")}/simple\n`,
      { environment },
    );
    expect(texts(files)).toEqual(["flask"]);
    expect(files.indexUrl).toEqual({
      value: `https://u:s3cret@h/${v("EMPTY")}${v("lower")}/simple`,
      origin: "r.txt:2",
    });
  });

  test("encodings: byte order marks and PEP 263", async () => {
    const utf16 = new Uint8Array([0xff, 0xfe, 0x61, 0, 0x0a, 0]);
    const utf32 = new Uint8Array([0xff, 0xfe, 0, 0, 0x61, 0, 0, 0]);
    const latin = new Uint8Array([
      ...new TextEncoder().encode("# -*- coding: latin-1 -*-\na # "),
      0xe4,
    ]);
    for (const bytes of ["\ufeffa\n", utf16, utf32, latin]) {
      expect(texts(await read(bytes))).toEqual(["a"]);
    }
    write("bad.txt", new Uint8Array([0x61, 0xe4]));
    expect(await problem("-r bad.txt\n")).toEqual([
      'Cannot read "bad.txt", which "r.txt" includes',
      "Cannot read bytes that are no utf-8 text",
    ]);
  });
});

describe("what a line can be", () => {
  test("extras, markers, hashes, settings", async () => {
    const { requirements, requireHashes } = await read(
      "a[x,Y]==1 ; os_name == 'posix' \\\n --hash=sha256:aa \\\n --hash sha512:bb " +
        "--config-settings k=1 --config-settings k=2 -C j=3\n",
    );
    const [one] = requirements;
    expect([one?.name as string, one?.extras as readonly string[]]).toEqual(["a", ["x", "y"]]);
    expect(one?.hashes).toEqual(["sha256:aa", "sha512:bb"]);
    expect(one?.configSettings).toEqual({ k: ["1", "2"], j: "3" });
    expect(requireHashes).toBe(true);
  });

  test("paths, URLs, archives, VCS", async () => {
    mkdirSync(join(folder, "pkg"), { recursive: true });
    write("dist/foo-1.0-py3-none-any.whl", "");
    write("bar-2.0.tar.gz", "");
    const { requirements } = await read(
      [
        "./pkg[x]",
        "-e pkg",
        "dist/foo-1.0-py3-none-any.whl ; os_name == 'nt'",
        "bar-2.0.tar.gz",
        "https://h/q/My_Pkg-1.0-py3-none-any.whl#sha256=AB",
        "git+https://u@h/r.git@v1#egg=name[z]&subdirectory=s",
        "-e git+ssh://git@h/r.git#egg=other",
        "named @ file:pkg",
        `url[e] @ https://h/x.zip#subdirectory=a/b ; os_name == 'posix'`,
      ].join("\n"),
    );
    const seen = requirements.map((one) => ({
      name: one.name as string | undefined,
      extras: one.extras as readonly string[],
      editable: one.editable,
      source: one.source,
      ...(one.hashes.length > 0 ? { hashes: one.hashes } : {}),
      ...(one.marker === undefined ? {} : { marker: true }),
    }));
    const at = (path: string) => join(folder, path);
    const plain = { extras: [], editable: false };
    expect(seen).toEqual([
      {
        ...plain,
        name: undefined,
        extras: ["x"],
        source: { kind: "directory", path: at("pkg"), editable: false },
      },
      {
        ...plain,
        name: undefined,
        editable: true,
        source: { kind: "directory", path: at("pkg"), editable: true },
      },
      {
        ...plain,
        name: "foo",
        source: { kind: "archive", url: `file://${at("dist/foo-1.0-py3-none-any.whl")}` },
        marker: true,
      },
      {
        ...plain,
        name: undefined,
        source: { kind: "archive", url: `file://${at("bar-2.0.tar.gz")}` },
      },
      {
        ...plain,
        name: "my-pkg",
        source: {
          kind: "archive",
          url: "https://h/q/My_Pkg-1.0-py3-none-any.whl",
          hashes: { sha256: "ab" },
        },
        hashes: ["sha256:ab"],
      },
      {
        ...plain,
        name: "name",
        extras: ["z"],
        source: { kind: "git", url: "https://u@h/r.git", revision: "v1", subdirectory: "s" },
      },
      {
        ...plain,
        name: "other",
        editable: true,
        source: { kind: "git", url: "ssh://git@h/r.git" },
      },
      {
        ...plain,
        name: "named",
        source: { kind: "directory", path: at("pkg"), editable: false },
      },
      {
        ...plain,
        name: "url",
        extras: ["e"],
        source: { kind: "archive", url: "https://h/x.zip", subdirectory: "a/b" },
        marker: true,
      },
    ]);
  });

  test("options of the whole file", async () => {
    mkdirSync(join(folder, "links"), { recursive: true });
    const files = await read(
      "-i https://a/\n--extra-index-url=https://b/ --extra-index-url 'https://c/'\n-flinks\n" +
        "--find-links https://d/\n--trusted-host e:1\n--no-binary x,Y_y\n--only-binary :all:\n" +
        "--no-binary z\n--pre\n--prefer-binary\n--no-index\n--require-hashes\n" +
        "--use-feature fast-deps\n",
    );
    const values = (list: readonly { value: string }[]) => list.map(({ value }) => value);
    expect(files.indexUrl).toEqual({ value: "https://a/", origin: "r.txt:1" });
    expect(values(files.extraIndexUrls)).toEqual(["https://b/", "https://c/"]);
    expect(values(files.findLinks)).toEqual([join(folder, "links"), "https://d/"]);
    expect(values(files.trustedHosts)).toEqual(["e:1"]);
    expect([[...files.formats.noBinary], [...files.formats.onlyBinary]]).toEqual([
      ["z"],
      [":all:"],
    ]);
    expect([files.preReleases, files.preferBinary, files.noIndex, files.requireHashes]).toEqual(
      Array(4).fill(true),
    );
    expect(files.notes).toEqual(['"--use-feature" of "r.txt:13" has no effect']);
  });
});

describe("includes", () => {
  test("relative to the file; constraints are apart", async () => {
    write("sub/more.txt", "b\n-c ../limits.txt\n-r deep/last.txt\n");
    write("sub/deep/last.txt", "c\n");
    write("limits.txt", "b<2\n");
    const { requirements, constraints } = await read("a\n-r sub/more.txt\nd\n");
    expect(requirements.map(({ text, origin }) => [text, origin])).toEqual([
      ["a", "r.txt:1"],
      ["b", "sub/more.txt:1"],
      ["c", "sub/deep/last.txt:1"],
      ["d", "r.txt:3"],
    ]);
    expect(constraints.map(({ text, origin }) => [text, origin])).toEqual([
      ["b<2", "limits.txt:1"],
    ]);
  });

  test("of a circle, of nothing, of an address", async () => {
    write("loop.txt", "-r r.txt\n");
    expect((await problem("-r loop.txt\n"))[0]).toBe(
      'Cannot use "loop.txt:1": "r.txt" includes itself',
    );
    expect(await problem("-r gone.txt\n")).toEqual([
      'Cannot read "gone.txt", which "r.txt" includes: no such file',
    ]);
    expect(await problem("-r https://u:p@h/x.txt\n")).toEqual([
      'Cannot fetch "https://u:***@h/x.txt"',
    ]);
    const asked: string[] = [];
    const files = await read("-r https://h/d/x.txt\n", {
      fetchText: async (url) => {
        asked.push(url);
        return url.endsWith("x.txt") ? "a\n-r y.txt\n" : "b\n";
      },
    });
    expect([texts(files), asked]).toEqual([
      ["a", "b"],
      ["https://h/d/x.txt", "https://h/d/y.txt"],
    ]);
  });

  test("the same file twice is no circle", async () => {
    write("twice.txt", "t\n");
    expect(texts(await read("-r twice.txt\n-r twice.txt\n"))).toEqual(["t", "t"]);
  });

  test("a project's own file: paths start from its folder", async () => {
    mkdirSync(join(folder, "proj/lib"), { recursive: true });
    const path = write("proj/requirements.txt", "./lib\n");
    const files = await readRequirementsFile(path, { environment: {} }, "requirements.txt");
    expect(files.requirements.map(({ source, origin }) => [source, origin])).toEqual([
      [
        { kind: "directory", path: join(folder, "proj/lib"), editable: false },
        "requirements.txt:1",
      ],
    ]);
  });
});

describe("what is wrong is told with its line", () => {
  const cases: [line: string, first: string, second?: string][] = [
    ["a=1", 'Cannot use "r.txt:2": "a=1" is no requirement'],
    ["--frobnicate", 'Cannot use "r.txt:2"', 'Cannot use the option "--frobnicate" in a file'],
    ["-x", 'Cannot use "r.txt:2"', 'Cannot use the option "-x" in a file'],
    ["--no", 'Cannot use "r.txt:2"', 'Cannot tell what "--no" is short for'],
    ["--pre=1", 'Cannot use "r.txt:2"', 'Cannot use "--pre" with a value'],
    ["-r", 'Cannot use "r.txt:2"', 'Cannot use "--requirement" without a value'],
    ["-r 'x", 'Cannot use "r.txt:2"', `Cannot split "-r 'x": a quote has no end`],
    [
      "a --hash=md5:1",
      'Cannot use "r.txt:2"',
      'Cannot use the hash "md5:1": it must be sha256:, sha384: or sha512:',
    ],
    ["./nope", 'Cannot use "r.txt:2": "./nope" is no requirement', 'Cannot find "./nope"'],
    ["svn+https://h/r", 'Cannot use "r.txt:2": "svn+https://h/r" is no requirement'],
    ["-e a.whl", 'Cannot use "r.txt:2": "a.whl" is no requirement', 'Cannot find "a.whl"'],
    ["git+https://u:p@h/r@", 'Cannot use "r.txt:2": "git+https://u:***@h/r@" is no requirement'],
  ];
  for (const [line, first, second] of cases) {
    test(line, async () => {
      const told = await problem(`x\n${line}\n`);
      expect(told[0]).toBe(first);
      if (second !== undefined) expect(told[1]).toBe(second);
    });
  }

  test("constraints that are none", async () => {
    mkdirSync(join(folder, "pkg"), { recursive: true });
    for (const [line, why] of [
      ["a[x]<2", "it has extras"],
      ["-e pkg", "it is editable"],
      ["./pkg", "it has no name"],
    ]) {
      write("limits.txt", `${line}\n`);
      expect((await problem("-c limits.txt\n"))[0]).toContain(`is no constraint, because ${why}`);
    }
  });

  test("a file name in place of a requirement", async () => {
    expect(texts(await read("other.txt\n"))).toEqual(["other.txt"]);
    write("other.txt", "x\n");
    expect((await problem("other.txt\n")).at(-1)).toBe('did you mean "-r other.txt"?');
  });
});
