import { expect, test } from "bun:test";
import { truncateSync } from "node:fs";
import { openDisk } from "../../../src/rastos/image/disk-reader.ts";
import { imageIdentity } from "../../../src/rastos/image/identity.ts";
import { readPartitions } from "../../../src/rastos/image/inspect.ts";
import {
  PARTITION_TYPE,
  planPartitions,
  writePartitionTable,
} from "../../../src/rastos/image/partitions.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";

const MIB = 1024 ** 2;

test("partitions lie on whole megabytes, apart, and leave room for the second table", () => {
  for (const sizeBytes of [400 * MIB, 1000 * MIB + 4096, 10_000 * MIB + 512]) {
    const { bios, esp, root } = planPartitions(sizeBytes, 64 * MIB);
    expect([bios.start, esp.start]).toEqual([MIB, 2 * MIB]);
    expect(root.start).toBe(esp.start + esp.sizeBytes);
    expect(root.start + root.sizeBytes).toBeLessThanOrEqual(sizeBytes - MIB);
    expect(root.sizeBytes % MIB).toBe(0);
  }
});

test("a disk that is too small is refused with figures", () => {
  expect(() => planPartitions(300 * MIB, 64 * MIB)).toThrow(
    "Cannot divide 300 MiB: 323 MiB are needed",
  );
});

testUnless(needsProgram("sfdisk"))("the table is what sfdisk and the reader here find", () => {
  using work = createWorkspace();
  const path = work.write("disk");
  truncateSync(path, 1000 * MIB);
  const layout = planPartitions(1000 * MIB, 100 * MIB);
  const identity = imageIdentity("seed");
  writePartitionTable(path, layout, identity);
  using disk = openDisk(path);
  const found = readPartitions(disk);
  expect(found.map(({ name, type }) => [name, type])).toEqual([
    ["bios", PARTITION_TYPE.bios],
    ["esp", PARTITION_TYPE.esp],
    ["rastos", PARTITION_TYPE.root],
  ]);
  expect(found.map(({ start, sizeBytes }) => ({ start, sizeBytes }))).toEqual(
    [layout.bios, layout.esp, layout.root].map(({ start, sizeBytes }) => ({ start, sizeBytes })),
  );
  expect(found[2]?.guid).toBe(identity.rootPartition.toUpperCase());
  const verified = Bun.spawnSync(["sfdisk", "--verify", path], {
    env: { PATH: `${process.env["PATH"]}:/usr/sbin` },
  });
  expect(verified.stdout.toString()).toContain("No errors detected");
});
