import { expect, test } from "bun:test";
import { readFileSync, truncateSync } from "node:fs";
import fc from "fast-check";
import { OpenTarget } from "../../../src/rastos/image/byte-target.ts";
import { openDisk } from "../../../src/rastos/image/disk-reader.ts";
import { convertToQcow2 } from "../../../src/rastos/image/qcow2.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

const MIB = 1024 ** 2;

/** A disk of some pieces of data and holes between them. */
const disks = fc.record({
  sizeBytes: fc.integer({ min: 1, max: 40_000 }).map((sectors) => sectors * 4096),
  pieces: fc.array(
    fc.record({ at: fc.double({ min: 0, max: 1, noNaN: true }), length: fc.nat({ max: 300_000 }) }),
    { maxLength: 8 },
  ),
});

testUnless(needsProgram("qemu-img"))("qemu-img finds the same disk in it, and no errors", () => {
  fc.assert(
    fc.property(disks, (disk) => {
      using work = createWorkspace();
      const raw = writeDisk(work, disk);
      const image = work.at("disk.qcow2");
      convertToQcow2(raw, image);
      expect(qemu("check", image)).toContain("No errors");
      expect(qemu("compare", "-f", "raw", "-F", "qcow2", raw, image)).toContain("identical");
    }),
    { numRuns: 12 },
  );
});

test("what is written is read back by the reader here, and is the same each time", () => {
  fc.assert(
    fc.property(disks, (disk) => {
      using work = createWorkspace();
      const raw = writeDisk(work, disk);
      convertToQcow2(raw, work.at("a"));
      convertToQcow2(raw, work.at("b"));
      expect(readFileSync(work.at("a")).equals(readFileSync(work.at("b")))).toBe(true);
      using reader = openDisk(work.at("a"));
      expect(reader.sizeBytes).toBe(disk.sizeBytes);
      const length = Math.min(disk.sizeBytes, 8 * MIB);
      expect(reader.read(0, length).equals(readFileSync(raw).subarray(0, length))).toBe(true);
    }),
    { numRuns: 12 },
  );
});

test("a large empty disk takes a few hundred kilobytes", () => {
  using work = createWorkspace();
  const raw = writeDisk(work, { sizeBytes: 8192 * MIB, pieces: [{ at: 0.9, length: 100 }] });
  const { clusters, fileBytes } = convertToQcow2(raw, work.at("disk.qcow2"));
  expect(clusters).toBe(1);
  expect(fileBytes).toBeLessThan(MIB);
});

test("what is no plain image is refused", () => {
  using work = createWorkspace();
  const raw = writeDisk(work, { sizeBytes: MIB, pieces: [] });
  convertToQcow2(raw, work.at("a"));
  const bytes = readFileSync(work.at("a"));
  // An overlay of another file.
  bytes.writeBigUInt64BE(1024n, 8);
  expect(() => openDisk(work.write("overlay", bytes))).toThrow("it is encrypted, an overlay");
  expect(() => openDisk(work.at("missing"))).toThrow("no such file");
});

function writeDisk(
  work: Workspace,
  disk: {
    readonly sizeBytes: number;
    readonly pieces: readonly { readonly at: number; readonly length: number }[];
  },
): string {
  const path = work.at("disk.raw");
  using target = new OpenTarget(path, true);
  truncateSync(path, disk.sizeBytes);
  for (const { at, length } of disk.pieces) {
    const start = Math.floor(at * disk.sizeBytes);
    target.write(start, Buffer.alloc(Math.min(length, disk.sizeBytes - start), "data"));
  }
  return path;
}

function qemu(...args: readonly string[]): string {
  const result = Bun.spawnSync(["qemu-img", ...args], { stdout: "pipe", stderr: "pipe" });
  return `${result.stdout}${result.stderr}`;
}
