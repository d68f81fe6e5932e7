import { describe, expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { gzipSync } from "node:zlib";
import { unpackSource } from "../../../src/blast/build/unpack-source.ts";
import { basePython } from "../../support/blast-world.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";
import { type TarEntry, tarBytes } from "../../support/tar-bytes.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";
import { writeZip } from "../../support/zip-writer.ts";

const OPTIONS = { python: basePython(), environment: {} };

function unpack(work: Workspace, filename: string, bytes: Uint8Array, limits = {}) {
  const path = work.write(filename, bytes);
  const options = { ...OPTIONS, limits: { members: 100, totalBytes: 1e6, ...limits } };
  return unpackSource({ path, filename }, work.folder("out"), options);
}

function tarball(entries: readonly TarEntry[]): Uint8Array {
  return gzipSync(tarBytes(entries));
}

describe("archives that Python makes", () => {
  const MAKE = `
import sys, tarfile, zipfile, pathlib
folder, name = sys.argv[1:3]
if name.endswith(".zip"):
    with zipfile.ZipFile(name, "w") as archive:
        for path in sorted(pathlib.Path(folder).rglob("*")):
            archive.write(path, path.relative_to(pathlib.Path(folder).parent))
else:
    mode = {"gz": "gz", "tgz": "gz", "bz2": "bz2", "tbz": "bz2", "xz": "xz", "txz": "xz"}
    with tarfile.open(name, "w:" + mode.get(name.rsplit(".")[-1], "")) as archive:
        archive.add(folder, "demo-1.0")
`;
  for (const ending of ["tar.gz", "tgz", "tar", "tar.bz2", "tbz", "tar.xz", "txz", "zip"]) {
    testUnless(needsProgram("python3"))(ending, async () => {
      using work = createWorkspace();
      work.write("demo-1.0/pyproject.toml", "x", { mtimeSeconds: 1_600_000_000 });
      work.write("demo-1.0/src/run.sh", "#!/bin/sh\n", { mode: 0o777 });
      work.write(`demo-1.0/${"long".repeat(40)}/ä`, "y".repeat(100_000));
      const archive = work.at(`demo-1.0.${ending}`);
      const made = Bun.spawnSync([basePython(), "-c", MAKE, work.at("demo-1.0"), archive]);
      expect(made.stderr.toString()).toBe("");
      const source = { path: archive, filename: `demo-1.0.${ending}` };
      const folder = await unpackSource(source, work.folder("out"), OPTIONS);
      expect(folder).toBe(work.at("out/demo-1.0"));
      expect(readFileSync(`${folder}/pyproject.toml`, "utf8")).toBe("x");
      expect(readFileSync(`${folder}/${"long".repeat(40)}/ä`, "utf8")).toBe("y".repeat(100_000));
      expect(statSync(`${folder}/src/run.sh`).mode & 0o777).toBe(0o755);
      if (ending !== "zip") expect(statSync(`${folder}/pyproject.toml`).mtimeMs).toBe(1.6e12);
    });
  }
});

test("links within the source, and files that are there twice", async () => {
  using work = createWorkspace();
  const folder = await unpack(
    work,
    "demo-1.0.tar.gz",
    tarball([
      { path: "./demo/", type: "5" },
      { path: "./demo/setup.py", content: "old" },
      { path: "demo/setup.py", content: "new" },
      { path: "demo/docs/readme", type: "2", target: "../setup.py" },
      { path: "demo/again", type: "1", target: "demo/setup.py" },
    ]),
  );
  expect(readFileSync(`${folder}/setup.py`, "utf8")).toBe("new");
  expect(readlinkSync(`${folder}/docs/readme`)).toBe("../setup.py");
  expect(readFileSync(`${folder}/again`, "utf8")).toBe("new");
});

const HOSTILE: Readonly<Record<string, readonly TarEntry[]>> = {
  "an absolute name": [{ path: "/etc/x", content: "" }],
  "a name that leads up": [{ path: "a/../../x", content: "" }],
  "a backslash": [{ path: "a/..\\x", content: "" }],
  "an absolute link": [{ path: "a/b", type: "2", target: "/etc" }],
  "a link that leads up": [{ path: "a/b", type: "2", target: "../x" }],
  "links that lead up through each other": [
    { path: "a/b/c/d", type: "2", target: "../.." },
    { path: "a/out", type: "2", target: "b/c/d/../.." },
  ],
  "a file through a link": [
    { path: "a/real/", type: "5" },
    { path: "a/b", type: "2", target: "real" },
    { path: "a/b/x", content: "" },
  ],
  "a folder through a link": [
    { path: "a/b", type: "2", target: "." },
    { path: "a/b/", type: "5" },
  ],
  "a link over a folder": [
    { path: "a/b/c", content: "" },
    { path: "a/b", type: "2", target: "." },
  ],
  "a hard link to outside": [{ path: "a/b", type: "1", target: "../secret" }],
  "a hard link to a link": [
    { path: "a/b", type: "2", target: "x" },
    { path: "a/c", type: "1", target: "a/b" },
  ],
  "a hard link through a link": [
    { path: "a/b/x", content: "" },
    { path: "a/c", type: "2", target: "b" },
    { path: "a/d", type: "1", target: "a/c/x" },
  ],
  "a device": [{ path: "a/b", type: "3" }],
  "a FIFO": [{ path: "a/b", type: "6" }],
  "too many files": Array.from({ length: 101 }, (_, i) => ({ path: `a/${i}`, content: "" })),
  "too many folders": Array.from({ length: 101 }, (_, i) => ({ path: `a/${i}/`, type: "5" })),
  "too many bytes": [{ path: "a/b", content: "x".repeat(1_000_001) }],
};

for (const [name, entries] of Object.entries(HOSTILE)) {
  test(`${name} is refused`, async () => {
    using work = createWorkspace();
    writeFileSync(work.at("secret"), "mine");
    const result = unpack(work, "demo-1.0.tar.gz", tarball(entries));
    await expect(result).rejects.toMatchObject({
      code: "E_INTEGRITY",
      message: expect.stringMatching(/^Cannot unpack "demo-1.0.tar.gz": ".+": /),
    });
    expect(readdirSync(work.path).sort()).toEqual(["demo-1.0.tar.gz", "out", "secret"]);
    expect(readFileSync(work.at("secret"), "utf8")).toBe("mine");
    for (const inside of ["a/real/x", "a/out"]) {
      expect(lstatSync(work.at("out", inside), { throwIfNoEntry: false })).toBeUndefined();
    }
  });
}

test("of zip archives, too, names that lead outside are refused", async () => {
  using work = createWorkspace();
  const bytes = writeZip([{ name: "../x", content: "" }]);
  await expect(unpack(work, "demo-1.0.zip", bytes)).rejects.toMatchObject({ code: "E_INTEGRITY" });
  expect(existsSync(work.at("x"))).toBe(false);
});

describe("what is damaged is told", () => {
  const whole = tarball([{ path: "a/setup.py", content: "x".repeat(5000) }]);
  const cases: Readonly<Record<string, readonly [string, Uint8Array]>> = {
    "a cut tar.gz": ["a.tar.gz", whole.subarray(0, whole.length - 20)],
    "no gzip at all": ["a.tar.gz", Buffer.from("<html>not found</html>")],
    "no tar in it": ["a.tar.gz", gzipSync("x".repeat(2000))],
    "no bzip2": ["a.tar.bz2", Buffer.from("BZh9 no")],
    "no xz": ["a.tar.xz", Buffer.from("nothing")],
    "no zip": ["a.zip", Buffer.from("PK nothing")],
  };
  for (const [name, [filename, bytes]] of Object.entries(cases)) {
    test(name, async () => {
      using work = createWorkspace();
      await expect(unpack(work, filename, bytes)).rejects.toMatchObject({ code: "E_INTEGRITY" });
    });
  }
});

describe("where the source is", () => {
  test("in the archive itself, if that has a setup.py", async () => {
    using work = createWorkspace();
    const bytes = tarball([
      { path: "setup.py", content: "" },
      { path: "src/a.py", content: "" },
    ]);
    expect(await unpack(work, "a.tar.gz", bytes)).toBe(work.at("out"));
  });

  test("nowhere, if things lie side by side", async () => {
    using work = createWorkspace();
    const bytes = tarball([
      { path: "a/setup.py", content: "" },
      { path: "b/setup.py", content: "" },
    ]);
    await expect(unpack(work, "a.tar.gz", bytes)).rejects.toMatchObject({
      code: "E_BUILD",
      message: 'Cannot build "a.tar.gz": what it holds does not lie in one folder',
    });
  });

  test("in no archive of a kind that nobody reads", async () => {
    using work = createWorkspace();
    await expect(unpack(work, "a.tar.Z", Buffer.from("x"))).rejects.toMatchObject({
      code: "E_BUILD",
      message: 'Cannot build "a.tar.Z": archives of its kind are not read',
    });
  });
});
