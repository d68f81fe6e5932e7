import { expect, test } from "bun:test";
import fc from "fast-check";
import { encodeManifest, Manifest, type ManifestFile } from "../../../src/blast/wheel/manifest.ts";

const names = {
  name: "demo",
  version: "1.0",
  distInfo: "demo-1.0.dist-info",
  dataFolder: undefined,
  rootIsPurelib: true,
  tags: ["py3-none-any"],
  warnings: [],
};

const file = fc.record({
  path: fc.string({ minLength: 1, unit: "grapheme" }).filter((path) => !path.includes("\0")),
  size: fc.nat(2 ** 40),
  sha256: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => {
    return Buffer.from(bytes).toString("base64url");
  }),
  executable: fc.boolean(),
  mtimeSec: fc.integer({ min: -1, max: 2 ** 40 }),
  mtimeNsec: fc.nat(999_999_999),
});

test("what is written is read again", () => {
  const folders = fc.array(fc.string({ minLength: 1, unit: "grapheme-ascii" }));
  fc.assert(
    fc.property(fc.array(file), folders, (files: ManifestFile[], folderPaths) => {
      const manifest = Manifest.parse(encodeManifest(names, files, folderPaths));
      expect(manifest?.files).toEqual(
        files.map(({ path, size, sha256, executable }) => ({ path, size, sha256, executable })),
      );
      expect(manifest?.folders).toEqual(folderPaths);
      expect(manifest?.times).toEqual(
        files.flatMap(({ mtimeSec, mtimeNsec }) => [mtimeSec, mtimeNsec]),
      );
      const paths = Buffer.from(files.map(({ path }) => `${path}\0`).join(""));
      expect(paths.equals(manifest?.pathBytes ?? Buffer.of(1))).toBeTrue();
    }),
    { numRuns: 300 },
  );
});

test("the head tells sizes, also in whole blocks, and the data folder if there is one", () => {
  const one: ManifestFile = {
    path: "a",
    size: 4097,
    sha256: "x".repeat(43),
    executable: false,
    mtimeSec: 1000,
    mtimeNsec: 5,
  };
  const bytes = encodeManifest({ ...names, dataFolder: "demo-1.0.data" }, [one, one], ["f"]);
  const head = Manifest.parse(bytes)?.head;
  expect(head).toMatchObject({ name: "demo", totalBytes: 8194, diskBytes: 16384, files: 2 });
  expect(head?.dataFolder).toBe("demo-1.0.data");
  expect(Manifest.parse(encodeManifest(names, [], []))?.head).not.toHaveProperty("dataFolder");
});

test("a manifest that is cut off or changed anywhere is none", () => {
  const bytes = encodeManifest(names, [], ["a"]);
  for (let length = 0; length < bytes.length; length++) {
    expect(Manifest.parse(Buffer.from(bytes.subarray(0, length)))).toBeUndefined();
  }
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at] = (changed[at] ?? 0) ^ 1;
    expect(Manifest.parse(changed)).toBeUndefined();
  }
  expect(Manifest.parse(Buffer.concat([bytes, Buffer.of(0)]))).toBeUndefined();
});

test("another format is not taken for this one", () => {
  const body = Buffer.from(
    encodeManifest(names, [], []).toString().replace('"format":1', '"format":2'),
  ).subarray(0, -17);
  const check = `${Bun.hash(body).toString(16).padStart(16, "0")}\n`;
  expect(Manifest.parse(Buffer.concat([body, Buffer.from(check)]))).toBeUndefined();
});
