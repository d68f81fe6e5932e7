import { describe, expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import fc from "fast-check";
import { TarError } from "../../../src/kit/archive/tar.ts";
import {
  decompressed,
  HostileArchive,
  isArchiveProblem,
  unpackTar,
} from "../../../src/kit/archive/unpack-tar.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";
import { type TarEntry, tarBytes } from "../../support/tar-bytes.ts";
import { createWorkspace } from "../../support/workspace.ts";

const LIMITS = { membersMax: 1000, bytesMax: 10_000_000 };

async function* inPieces(bytes: Uint8Array, length = 700): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += length) yield bytes.subarray(at, at + length);
}

test("files, folders and links, in pieces of any size", async () => {
  const archive = tarBytes([
    { path: "a/", type: "5" },
    { path: "a/bin/run", content: "#!/bin/sh\n", mode: 0o6755 },
    { path: "a/text", content: "x".repeat(1500), mode: 0o666 },
    { path: "a/link", type: "2", target: "bin/run" },
    { path: "a/bin/up", type: "2", target: "../text" },
    { path: "a/hard", type: "1", target: "a/text" },
    { path: "./a/./empty", content: "" },
  ]);
  for (const length of [1, 511, 512, 513, 100_000]) {
    using work = createWorkspace();
    await unpackTar(inPieces(archive, length), work.path, LIMITS);
    expect(readFileSync(work.at("a/bin/up"), "utf8")).toBe("x".repeat(1500));
    expect(statSync(work.at("a/bin/run")).mode & 0o7777).toBe(0o755);
    expect(statSync(work.at("a/text")).mode & 0o7777).toBe(0o644);
    expect(statSync(work.at("a/hard")).ino).toBe(statSync(work.at("a/text")).ino);
    expect(readlinkSync(work.at("a/link"))).toBe("bin/run");
    expect(readdirSync(work.at("a")).sort()).toEqual(
      ["bin", "empty", "hard", "link", "text"].sort(),
    );
  }
});

describe("against tar(1)", () => {
  for (const format of ["ustar", "gnu", "pax"]) {
    for (const how of ["", "-z", "--zstd"]) {
      testUnless(needsProgram("tar", ...(how === "--zstd" ? ["zstd"] : [])))(
        `${format} ${how}`,
        async () => {
          using work = createWorkspace();
          const deep = `tree/${"long-folder-name/".repeat(7)}`;
          work.write(`${deep}${"n".repeat(90)}`, "deep");
          work.write("tree/grüße", "utf-8");
          work.write("tree/big", "0123456789".repeat(30_000));
          symlinkSync(format === "ustar" ? "big" : "n".repeat(200), work.at("tree/link"));
          const pack = ["tar", "-C", work.path, `--format=${format}`, "-cf", work.at("x.tar")];
          const made = Bun.spawnSync([...pack, ...(how === "" ? [] : [how]), "tree"]);
          expect(made.stderr.toString()).toBe("");
          const out = work.folder("out");
          await unpackTar(decompressed(work.at("x.tar")), out, LIMITS);
          const diff = Bun.spawnSync([
            "diff",
            "-r",
            "--no-dereference",
            work.at("tree"),
            `${out}/tree`,
          ]);
          expect([diff.stdout.toString(), diff.exitCode]).toEqual(["", 0]);
        },
      );
    }
  }
});

const HOSTILE: Readonly<Record<string, readonly TarEntry[]>> = {
  "an absolute name": [{ path: "/etc/x", content: "" }],
  "a name that leads up": [{ path: "a/../../x", content: "" }],
  "a Windows drive": [{ path: "C:/x", content: "" }],
  "a backslash": [{ path: "..\\x", content: "" }],
  "an absolute link": [{ path: "a", type: "2", target: "/etc" }],
  "a link that leads up": [{ path: "a/b", type: "2", target: "../../x" }],
  "a link that leads up and back": [{ path: "b", type: "2", target: "a/../../out/x" }],
  "a link that leads outside through another one": [
    { path: "a/b/c", type: "2", target: "../.." },
    { path: "out", type: "2", target: "a/b/c/../.." },
  ],
  "a file through a link": [
    { path: "real/", type: "5" },
    { path: "a", type: "2", target: "real" },
    { path: "a/x", content: "" },
  ],
  "a file over a link": [
    { path: "a", type: "2", target: "b" },
    { path: "a", content: "" },
  ],
  "a hard link to outside": [{ path: "a", type: "1", target: "../secret" }],
  "a hard link to a link": [
    { path: "l", type: "2", target: "x" },
    { path: "a", type: "1", target: "l" },
  ],
  "a device": [{ path: "a", type: "3" }],
  "a FIFO": [{ path: "a", type: "6" }],
  "too many members": Array.from({ length: 1001 }, (_, index) => ({
    path: `${index}`,
    content: "",
  })),
  "too many bytes": [{ path: "a", content: "x", claimedSize: 20_000_000 }],
};

for (const [name, entries] of Object.entries(HOSTILE)) {
  test(`${name} is refused`, async () => {
    using work = createWorkspace();
    writeFileSync(work.at("secret"), "mine");
    mkdirSync(work.at("out"));
    const unpacking = unpackTar(inPieces(tarBytes(entries)), work.at("out"), LIMITS);
    await expect(unpacking).rejects.toThrow(HostileArchive);
    expect(readdirSync(work.path).sort()).toEqual(["out", "secret"]);
    expect(existsSync(work.at("real/x"))).toBe(false);
    expect(readFileSync(work.at("secret"), "utf8")).toBe("mine");
  });
}

test("what is cut short or damaged is told, whatever the bytes are", async () => {
  const archive = tarBytes([
    { path: "a/b", content: "x".repeat(2000) },
    { path: "l", type: "2", target: "a" },
    { path: "n".repeat(300), content: "pax" },
  ]);
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: archive.length - 1 }),
      fc.integer({ min: 0, max: 255 }),
      fc.nat({ max: archive.length }),
      async (at, byte, length) => {
        using work = createWorkspace();
        const damaged = Uint8Array.from(archive.subarray(0, length));
        if (at < damaged.length) damaged[at] = byte;
        try {
          await unpackTar(inPieces(damaged), work.path, LIMITS);
        } catch (error) {
          expect(isArchiveProblem(error)).toBe(true);
        }
      },
    ),
    { numRuns: 200 },
  );
  using work = createWorkspace();
  const short = archive.subarray(0, 1000);
  await expect(unpackTar(inPieces(short), work.path, LIMITS)).rejects.toThrow(TarError);
  expect(lstatSync(work.at("a")).isDirectory()).toBe(true);
});
