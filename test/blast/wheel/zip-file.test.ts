import { expect, test } from "bun:test";
import { truncateSync } from "node:fs";
import { ARCHIVE_IN_MEMORY_BYTES } from "../../../src/blast/wheel/limits.ts";
import { MemberReader, openZip } from "../../../src/blast/wheel/zip.ts";
import { ArchiveFile } from "../../../src/blast/wheel/zip-file.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { createWorkspace } from "../../support/workspace.ts";
import { writeZip } from "../../support/zip-writer.ts";

const noise = Buffer.from(
  Array.from({ length: ARCHIVE_IN_MEMORY_BYTES / 2 }, (_, index) => (index * index) >> 9),
);

test("archives smaller and larger than the memory are read the same way", () => {
  using work = createWorkspace();
  for (const copies of [1, 5]) {
    const entries = Array.from({ length: copies }, (_, index) => [
      { name: `${index}/stored`, content: noise, stored: true },
      { name: `${index}/small.py`, content: `x = ${index}\n` },
      { name: `${index}/deflated`, content: noise },
    ]).flat();
    const bytes = writeZip(entries);
    expect(bytes.length > ARCHIVE_IN_MEMORY_BYTES).toBe(copies > 1);
    const path = work.write(`${copies}.whl`, bytes);
    using archive = new ArchiveFile(path, "a.whl");
    expect(archive.sizeBytes).toBe(bytes.length);
    expect(archive.sha256()).toBe(new Bun.CryptoHasher("sha256").update(bytes).digest("hex"));
    const reader = new MemberReader(archive);
    const { members } = openZip(archive);
    // Forwards and backwards: no window may be taken for another.
    for (const member of [...members, ...members.toReversed()]) {
      const expected = entries.find(({ name }) => name === member.path)?.content ?? "";
      expect(Buffer.from(reader.bytes(member)).equals(Buffer.from(expected))).toBeTrue();
    }
  }
});

test("a directory larger than the memory", () => {
  using work = createWorkspace();
  const extra = Buffer.alloc(60_004);
  extra.writeUInt16LE(0xcafe, 0);
  extra.writeUInt16LE(60_000, 2);
  const count = Math.ceil(ARCHIVE_IN_MEMORY_BYTES / 60_000) + 1;
  const entries = Array.from({ length: count }, (_, index) => ({
    name: `${index}`,
    central: { extra },
  }));
  const path = work.write("a.whl", writeZip(entries));
  using archive = new ArchiveFile(path, "a.whl");
  expect(openZip(archive).members.length).toBe(count);
});

test("an archive that is cut off while it is read is told as such", () => {
  using work = createWorkspace();
  const content = Buffer.concat([noise, noise, noise]);
  const path = work.write("a.whl", writeZip([{ name: "a", content, stored: true }]));
  using archive = new ArchiveFile(path, "a.whl");
  const { members } = openZip(archive);
  truncateSync(path, 2_000_000);
  const reader = new MemberReader(archive);
  expect(() => reader.bytes(members[0]!)).toThrow("it is cut off");
  expect(() => archive.sha256()).toThrow("it is shorter than it should be");
  expect(() => openZip(archive)).toThrow("it is shorter than it should be");
});

test("what cannot be read is told with its reason", () => {
  using work = createWorkspace();
  const open = (path: string) => () => new ArchiveFile(path, "a.whl");
  expect(open(work.at("missing"))).toThrow(Fault);
  expect(open(work.at("missing"))).toThrow("no such file or folder");
  expect(open(work.path)).toThrow("is a folder");
});
