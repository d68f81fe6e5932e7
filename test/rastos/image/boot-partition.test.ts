import { expect, test } from "bun:test";
import { readFileSync, truncateSync } from "node:fs";
import {
  PlannedBootFiles,
  sectorsPerCluster,
  writeBootPartition,
} from "../../../src/rastos/image/boot-partition.ts";
import { OpenTarget } from "../../../src/rastos/image/byte-target.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

const MIB = 1024 ** 2;

test("clusters are as large as FAT32 allows", () => {
  expect([64, 128, 200, 512].map((mib) => sectorsPerCluster(mib * MIB))).toEqual([1, 2, 4, 8]);
});

test("planned files are listed, renamed and removed like those of a folder", () => {
  const files = new PlannedBootFiles();
  files.write("loader/entries/a.conf", "a");
  files.write("loader/loader.conf", "l");
  expect(files.list("loader")).toEqual([
    { name: "entries", isFolder: true },
    { name: "loader.conf", isFolder: false },
  ]);
  files.rename("loader/entries", "a.conf", "b.conf");
  expect(files.list("loader/entries")).toEqual([{ name: "b.conf", isFolder: false }]);
  files.removeFolder("loader/entries");
  expect(files.all.map(([path]) => path)).toEqual(["loader/loader.conf"]);
});

testUnless(needsProgram("mkfs.vfat", "mcopy", "fsck.vfat"))(
  "mtools and fsck find the files, and the order of writing does not show",
  () => {
    using work = createWorkspace();
    for (const size of [64, 300]) {
      const first = write(work, `a-${size}`, ["b/two.conf", "a", "b/c/long name.txt"], size * MIB);
      const second = write(work, `b-${size}`, ["b/c/long name.txt", "b/two.conf", "a"], size * MIB);
      expect(Buffer.compare(readFileSync(first), readFileSync(second))).toBe(0);
      const checked = tool("fsck.vfat", "-n", "-v", first);
      expect(checked).toContain("32 bit entries");
      expect(tool("mtype", "-i", first, "::b/c/long name.txt")).toBe("of b/c/long name.txt");
      expect(tool("mdir", "-i", first, "::")).toContain("2023-11-14  22:13");
    }
  },
);

function write(work: Workspace, name: string, paths: readonly string[], sizeBytes: number): string {
  const files = new PlannedBootFiles();
  for (const path of paths) files.write(path, `of ${path}`);
  const image = work.at(name);
  using target = new OpenTarget(image, true);
  truncateSync(image, sizeBytes);
  const facts = { serial: "1234ABCD", seconds: 1_700_000_000, workFolder: work.path };
  writeBootPartition(target, { files, sizeBytes, ...facts });
  return image;
}

function tool(...command: readonly string[]): string {
  const env = { PATH: `${process.env["PATH"]}:/usr/sbin:/sbin`, TZ: "UTC" };
  const result = Bun.spawnSync([...command], { env, stdout: "pipe", stderr: "pipe" });
  if (!result.success) throw new Error(`${command.join(" ")}: ${result.stdout}${result.stderr}`);
  return result.stdout.toString();
}
