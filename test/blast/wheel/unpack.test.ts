import { describe, expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { WheelExpectation } from "../../../src/blast/wheel/inspect.ts";
import { ARCHIVE_IN_MEMORY_BYTES } from "../../../src/blast/wheel/limits.ts";
import { readManifest, wheelPath } from "../../../src/blast/wheel/store-layout.ts";
import { unpackWheel } from "../../../src/blast/wheel/unpack.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";
import {
  makeWheel,
  metadataOf,
  recordLine,
  WHEEL_TEXT,
  type WheelSpec,
} from "../../support/wheel-writer.ts";
import { createWorkspace } from "../../support/workspace.ts";

/** Unpacks a wheel; its folder in the store, with what a refusal left behind counted. */
function unpack(spec: WheelSpec, expected: WheelExpectation = {}, sha256?: string) {
  const work = createWorkspace();
  const wheel = makeWheel(spec);
  const path = work.write(wheel.filename, wheel.bytes);
  const store = work.at("store");
  const names = { filename: wheel.filename, ...expected };
  const run = () => unpackWheel(store, { archivePath: path, sha256, expected: names });
  return { work, store, run, wheel, [Symbol.dispose]: () => work[Symbol.dispose]() };
}

/** Why a wheel is refused. Nothing of it may be left in the store. */
function refusal(spec: WheelSpec, expected: WheelExpectation = {}, sha256?: string): string {
  using attempt = unpack(spec, expected, sha256);
  try {
    attempt.run();
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    expect(error.code).toBe("E_INTEGRITY");
    const left = existsSync(attempt.store) ? readdirSync(attempt.store, { recursive: true }) : [];
    expect(left.filter((name) => name !== ".unpacking")).toEqual([]);
    return error.message.replace(/^Cannot use "[^"]*": /, "");
  }
  return "accepted";
}

describe("a wheel that is in order", () => {
  test("is there with its files, permissions and manifest", () => {
    const files = { "demo/__init__.py": "x = 1\n", "demo/a b,c.txt": "", "run.sh": "#!/bin/sh\n" };
    using attempt = unpack({ files, executable: ["run.sh"] }, {}, undefined);
    const sha256 = attempt.run();
    expect(sha256).toBe(attempt.wheel.sha256);
    const folder = wheelPath(attempt.store, sha256);
    expect(readdirSync(folder).sort()).toEqual(["manifest", "tree"]);
    for (const [path, content] of Object.entries(files)) {
      expect(readFileSync(join(folder, "tree", path), "utf8")).toBe(content);
    }
    expect(statSync(join(folder, "tree/run.sh")).mode & 0o777).toBe(0o755);
    expect(statSync(join(folder, "tree/demo/__init__.py")).mode & 0o777).toBe(0o644);
    const manifest = readManifest(folder);
    expect(manifest?.files.map(({ path, executable }) => [path, executable])).toEqual([
      ["demo/__init__.py", false],
      ["demo/a b,c.txt", false],
      ["run.sh", true],
      ["demo-1.0.dist-info/METADATA", false],
      ["demo-1.0.dist-info/WHEEL", false],
      ["demo-1.0.dist-info/RECORD", false],
    ]);
    expect(manifest?.folders).toEqual(["demo", "demo-1.0.dist-info"]);
    expect(readdirSync(join(attempt.store, ".unpacking"))).toEqual([]);
  });

  test("of all kinds of spelling and of content", () => {
    const accepted: WheelSpec[] = [
      { stored: true },
      { name: "Demo.Pkg", version: "1.0+local.1" },
      { name: "demo_pkg", metadata: metadataOf("Demo-Pkg", "1.0.0") },
      { wheel: WHEEL_TEXT.replace("1.0", "1.9") },
      { wheel: WHEEL_TEXT.replaceAll("\n", "\r\n") },
      { files: {} },
      { files: { "a.py": Buffer.alloc(ARCHIVE_IN_MEMORY_BYTES + 1, "x\n") } },
      { files: { "demo.dist-info.py": "", "deep/other-1.dist-info/METADATA": "" } },
      { files: { "demo-1.0.data/scripts/x": "#!python\n", "other.data": "", "x.data/y": "" } },
      { editRecord: (lines) => lines.map((line) => line.replaceAll(",", ",").concat("\r")) },
      { editRecord: (lines) => [...lines, lines[0] ?? ""] },
      { editRecord: (lines) => [...lines, "demo/,,", "", "demo-1.0.dist-info/RECORD.jws,,"] },
      { editRecord: (lines) => lines.map((line) => line.replace(/,\d+$/, ",")) },
      { editRecord: (lines) => lines.map((line) => line.replace(/(sha256=[^,]*)/, "$1=")) },
      { edit: (entries) => [{ name: "demo/", mode: 0o040755 }, { name: "void/" }, ...entries] },
      { edit: (entries) => entries.toReversed() },
      { edit: (entries) => entries.map((entry) => ({ ...entry, mode: 0 })) },
      { zip: { zip64: true } },
    ];
    for (const [index, spec] of accepted.entries()) {
      expect([index, refusal(spec)]).toEqual([index, "accepted"]);
    }
  });

  test("with hashes of the longer kinds", () => {
    const content = "x = 1\n";
    for (const algorithm of ["sha384", "sha512"] as const) {
      const digest = new Bun.CryptoHasher(algorithm).update(content).digest("base64url");
      const write = (text: string) =>
        refusal({
          files: { "a.py": content },
          editRecord: (lines) => [`a.py,${algorithm}=${text},6`, ...lines.slice(1)],
        });
      expect(write(digest)).toBe("accepted");
      expect(write(digest.replace(/^./, "_"))).toContain("its hash is not what RECORD says");
    }
  });

  test("whose members lie in the archive one way and in RECORD another", () => {
    using attempt = unpack({ files: { "b.py": "b", "a/c.py": "c", "a.py": "a" } });
    const manifest = readManifest(wheelPath(attempt.store, attempt.run()));
    expect(manifest?.files.length).toBe(6);
  });

  test("of a newer minor format is told", () => {
    using attempt = unpack({ wheel: WHEEL_TEXT.replace("Version: 1.0", "Version: 1.1") });
    const { warnings } = readManifest(wheelPath(attempt.store, attempt.run()))?.head ?? {};
    expect(warnings?.[0]).toContain("is of the newer wheel format 1.1");
  });

  test("is left as it is where it is there already", () => {
    using attempt = unpack({});
    const folder = wheelPath(attempt.store, attempt.run());
    const before = statSync(join(folder, "manifest")).ino;
    expect(attempt.run()).toBe(attempt.wheel.sha256);
    expect(statSync(join(folder, "manifest")).ino).toBe(before);
    // A damaged one is replaced.
    writeFileSync(join(folder, "manifest"), "half");
    attempt.run();
    expect(readManifest(folder)?.head.name).toBe("demo");
    expect(readdirSync(join(attempt.store, ".unpacking"))).toEqual([]);
  });
});

describe("a wheel that is refused, with nothing of it in the store", () => {
  const info = "demo-1.0.dist-info";
  const line = (path: string, content: string) => recordLine(path, content);
  const cases: Record<string, [WheelSpec, string]> = {
    "without dist-info": [
      { edit: (entries) => entries.filter(({ name }) => !String(name).includes("dist-info")) },
      "it has no .dist-info folder",
    ],
    "with two of them": [
      { files: { "other-1.dist-info/METADATA": "" } },
      "it has several .dist-info folders: demo-1.0.dist-info, other-1.dist-info",
    ],
    "without METADATA": [{ metadata: undefined }, `it has no "${info}/METADATA"`],
    "without WHEEL": [{ wheel: undefined }, `it has no "${info}/WHEEL"`],
    "without RECORD": [{ record: undefined }, `it has no "${info}/RECORD"`],
    "of format 2": [
      { wheel: WHEEL_TEXT.replace("1.0", "2.0") },
      "it is of format 2.0, but only 1.x is known",
    ],
    "of no format": [
      { wheel: "Tag: py3-none-any\n" },
      'its WHEEL names no version of the format: ""',
    ],
    "whose METADATA has no name": [
      { metadata: "Version: 1.0\n" },
      "its METADATA has no name or no version",
    ],
    "whose METADATA has a name that is none": [
      { metadata: metadataOf("-", "1.0") },
      "its names are not readable",
    ],
    "whose METADATA has a version that is none": [
      { metadata: metadataOf("demo", "one") },
      "its names are not readable",
    ],
    "whose METADATA has another name": [
      { metadata: metadataOf("evil", "1.0") },
      'its METADATA says "evil 1.0", but its file name says "demo 1.0"',
    ],
    "whose METADATA has another version": [
      { metadata: metadataOf("demo", "1.0.post1") },
      'its METADATA says "demo 1.0.post1", but its file name says "demo 1.0"',
    ],
    "with two data folders": [
      { files: { "demo-1.0.data/a": "", "Demo-1.0.data/b": "" } },
      "it has several .data folders: Demo-1.0.data, demo-1.0.data",
    ],
    "with a file that RECORD does not name": [
      { editRecord: (lines) => lines.slice(1) },
      'its RECORD does not name "demo/__init__.py"',
    ],
    "without a file that RECORD names": [
      { editRecord: (lines) => [line("gone.py", ""), ...lines] },
      'its RECORD names "gone.py", but it has none',
    ],
    "whose RECORD leads out": [
      { editRecord: (lines) => [line("../gone.py", ""), ...lines] },
      'its RECORD names "../gone.py", but it has none',
    ],
    "with a file without a hash": [
      { editRecord: (lines) => ["demo/__init__.py,,", ...lines.slice(1)] },
      'its RECORD has no sha256 of "demo/__init__.py"',
    ],
    "with a weak hash": [
      { editRecord: (lines) => ["demo/__init__.py,md5=abc,12", ...lines.slice(1)] },
      'its RECORD has no sha256 of "demo/__init__.py"',
    ],
    "whose RECORD contradicts itself": [
      { editRecord: (lines) => [line("demo/__init__.py", "other"), ...lines] },
      'its RECORD names "demo/__init__.py" twice, differently',
    ],
    "with another size than RECORD says": [
      { editRecord: (lines) => lines.map((each) => each.replace(/,12$/, ",13")) },
      'its member "demo/__init__.py" is refused: its size is not what RECORD says',
    ],
    "with other content than RECORD says": [
      { editRecord: (lines) => [line("demo/__init__.py", "answer = 43\n"), ...lines.slice(1)] },
      'its member "demo/__init__.py" is refused: its hash is not what RECORD says',
    ],
    "with other METADATA than RECORD says": [
      {
        editRecord: (lines) => [
          ...lines.filter((each) => !each.includes("METADATA")),
          line(`${info}/METADATA`, metadataOf("demo", "1.0").replace("other", "evils")),
        ],
      },
      `its member "${info}/METADATA" is refused: its hash is not what RECORD says`,
    ],
    "with a link": [
      { edit: (entries) => [{ name: "etc", content: "/etc", mode: 0o120777 }, ...entries] },
      'its member "etc" is refused: it is a symbolic link',
    ],
    "that slips out": [
      { files: { "../../../../tmp/evil.py": "x" } },
      'its member "../../../../tmp/evil.py" is refused: its path leads out by ".."',
    ],
    "with damage in its last file": [
      {
        edit: (entries) => [...entries.slice(0, -1), { ...entries.at(-1)!, fields: { crc32: 1 } }],
      },
      `its member "${info}/RECORD" is refused: its CRC is wrong`,
    ],
  };
  for (const [name, [spec, problem]] of Object.entries(cases)) {
    test(name, () => expect(refusal(spec)).toBe(problem));
  }

  test("that is another one than was asked for", () => {
    expect(refusal({}, {}, "0".repeat(64))).toMatch(
      /^its SHA-256 is [0-9a-f]{64}, expected was 0{64}$/,
    );
    expect(refusal({}, { name: "other" })).toBe(
      'its METADATA says "demo 1.0", but expected was "other 1.0"',
    );
    expect(refusal({}, { name: "demo", version: "1.1" })).toBe(
      'its METADATA says "demo 1.0", but expected was "demo 1.1"',
    );
    expect(refusal({}, { name: "demo", version: "1.0.0" })).toBe("accepted");
    expect(refusal({}, { filename: undefined, name: "demo" })).toBe("accepted");
    expect(refusal({}, { filename: "demo-2.0-py3-none-any.whl" })).toContain("its file name says");
    expect(refusal({}, { filename: "demo.whl" })).toBe("its names are not readable");
  });

  test("that the index describes otherwise (PEP 658)", () => {
    const text = metadataOf("demo", "1.0");
    expect(refusal({}, { metadataText: text })).toBe("accepted");
    expect(refusal({}, { metadataText: text.replace("other>=1", "other>=2") })).toBe(
      "its METADATA has another requires-dist than the index says",
    );
  });
});
