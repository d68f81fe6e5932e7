import { describe, expect, test } from "bun:test";
import { MEMBERS_MAX, RATIO_FREE_BYTES } from "../../../src/blast/wheel/limits.ts";
import { openZip } from "../../../src/blast/wheel/zip.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { sourceOf } from "../../support/zip-source.ts";
import { writeZip, type ZipEntry, type ZipOptions } from "../../support/zip-writer.ts";

/** Why an archive is refused, without what all such messages share. */
function refusal(bytes: Uint8Array): string {
  try {
    openZip(sourceOf(bytes));
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    expect(error.code).toBe("E_INTEGRITY");
    return error.message.replace('Cannot use "a.whl": ', "");
  }
  return "accepted";
}

const file: ZipEntry = { name: "a.py", content: "x = 1\n" };

describe("what is read", () => {
  test("members in the order of the archive, with all that is told of them", () => {
    const bytes = writeZip([
      { name: "b/", stored: true, mode: 0o040755 },
      { name: "b/c.py", content: "x = 1\n", mode: 0o100755 },
      { name: "a.txt", content: "text", stored: true, mode: 0 },
    ]);
    const { members, totalBytes } = openZip(sourceOf(bytes));
    const plain = members.map(({ path, isFolder, method, sizeBytes, mode }) => {
      return { path, isFolder, method, sizeBytes, mode };
    });
    expect(plain).toEqual([
      { path: "b", isFolder: true, method: 0, sizeBytes: 0, mode: 0o040755 },
      { path: "b/c.py", isFolder: false, method: 8, sizeBytes: 6, mode: 0o100755 },
      { path: "a.txt", isFolder: false, method: 0, sizeBytes: 4, mode: 0 },
    ]);
    expect(totalBytes).toBe(10);
    expect(members.map(({ offset }) => offset).slice(0, 1)).toEqual([0]);
    expect(members[0]?.limit).toBe(members[1]!.offset);
  });

  test("an archive without members", () => {
    expect(openZip(sourceOf(writeZip([]))).members).toEqual([]);
    expect(openZip(sourceOf(writeZip([], { zip64: true }))).members).toEqual([]);
  });

  test("comments up to their longest, and directories beyond the first range", () => {
    const comment = Buffer.alloc(0xffff, "c");
    expect(openZip(sourceOf(writeZip([file], { comment }))).members.length).toBe(1);
    const many = Array.from({ length: 2000 }, (_, index) => ({ ...file, name: `m/${index}.py` }));
    expect(openZip(sourceOf(writeZip(many))).members.length).toBe(2000);
    expect(openZip(sourceOf(writeZip(many, { comment }))).members.length).toBe(2000);
  });

  test("zip64 records and fields", () => {
    const bytes = writeZip([{ ...file, zip64: true }, { name: "b" }], { zip64: true });
    const { members } = openZip(sourceOf(bytes));
    expect(members.map(({ path, sizeBytes }) => [path, sizeBytes])).toEqual([
      ["a.py", 6],
      ["b", 0],
    ]);
  });

  test("names of both encodings, and a second name that says the same", () => {
    const name = Buffer.from([0x81]);
    const second = Buffer.from("\x01\0\0\0\0ü");
    const extra = Buffer.concat([Buffer.from([0x75, 0x70, second.length, 0]), second]);
    const bytes = writeZip([{ name: "δ" }, { name, fields: { extra } }]);
    expect(openZip(sourceOf(bytes)).members.map(({ path }) => path)).toEqual(["δ", "ü"]);
  });
});

describe("what is no archive, or not one alone", () => {
  const cases: Record<string, { bytes: () => Uint8Array; problem: string }> = {
    "no bytes": { bytes: () => Buffer.alloc(0), problem: "it is no zip archive, or it is cut off" },
    text: {
      bytes: () => Buffer.from("<html>".repeat(20_000)),
      problem: "it is no zip archive, or it is cut off",
    },
    "a cut-off end": {
      bytes: () => writeZip([file]).subarray(0, -1),
      problem: "it is no zip archive, or it is cut off",
    },
    "bytes behind the end": {
      bytes: () => writeZip([file], { suffix: Buffer.from("x") }),
      problem: "something stands behind the end of the archive",
    },
    "a second archive behind the first": {
      bytes: () => Buffer.concat([writeZip([file]), writeZip([file])]),
      problem: "its central directory is not where it says",
    },
    "an end record in the comment of another": {
      bytes: () => writeZip([file], { comment: writeZip([]) }),
      problem: "its central directory is not where it says",
    },
    "bytes in front that the offsets do not count": {
      bytes: () => Buffer.concat([Buffer.from("#!"), writeZip([file])]),
      problem: "its central directory is not where it says",
    },
    "one disk of several": {
      bytes: () => writeZip([file], { end: (end) => end.setUint16(4, 1, true) }),
      problem: "it is one part of an archive of several parts",
    },
    "another disk of several": {
      bytes: () => writeZip([file], { end: (end) => end.setUint16(8, 0, true) }),
      problem: "it is one part of an archive of several parts",
    },
    "fewer entries than the directory has": {
      bytes: () => end(1, [file, { ...file, name: "b" }]),
      problem: "its central directory is damaged",
    },
    "more entries than the directory has": {
      bytes: () => end(3, [file, { ...file, name: "b" }]),
      problem: "its central directory is damaged",
    },
    "too many members": {
      bytes: () => large({ end64: (record) => set64(record, [24, 32], MEMBERS_MAX + 1) }),
      problem: `it has ${MEMBERS_MAX + 1} members, more than ${MEMBERS_MAX}`,
    },
    "a zip64 record of another size": {
      bytes: () => large({ end64: (record) => record.setUint32(4, 45, true) }),
      problem: "its zip64 end record is damaged",
    },
    "a zip64 record of several disks": {
      bytes: () => large({ end64: (record) => record.setUint32(16, 1, true) }),
      problem: "it is one part of an archive of several parts",
    },
    "a zip64 record that counts otherwise": {
      bytes: () => large({ end: (record) => record.setUint32(12, 7, true) }),
      problem: "its two end records disagree",
    },
    "a zip64 directory of 2^53 bytes": {
      bytes: () => large({ end64: (record) => set64(record, [40], 2 ** 53) }),
      problem: "its central directory is not where it says",
    },
  };
  for (const [name, { bytes, problem }] of Object.entries(cases)) {
    test(name, () => expect(refusal(bytes())).toBe(problem));
  }

  function end(entries: number, members: ZipEntry[]): Buffer {
    return writeZip(members, {
      end: (record) => {
        record.setUint16(8, entries, true);
        record.setUint16(10, entries, true);
      },
    });
  }
  function large(options: ZipOptions): Buffer {
    return writeZip([file], { zip64: true, ...options });
  }
  function set64(record: DataView, offsets: number[], value: number): void {
    for (const offset of offsets) record.setBigUint64(offset, BigInt(value), true);
  }
});

describe("members that are refused", () => {
  const cases: Record<string, [Partial<ZipEntry>, string]> = {
    encrypted: [{ fields: { flags: 1 } }, "it is encrypted"],
    "strongly encrypted": [{ fields: { flags: 0x40 } }, "it is encrypted"],
    "with masked headers": [{ fields: { flags: 0x2000 } }, "it is encrypted"],
    "a patch": [{ fields: { flags: 0x20 } }, "it is a patch"],
    "packed by bzip2": [{ fields: { method: 12 } }, "its compression method 12 is not known"],
    "on another disk": [{ fields: { disk: 3 } }, "it lies in another part of the archive"],
    "a symbolic link": [{ mode: 0o120777 }, "it is a symbolic link"],
    "a FIFO": [{ mode: 0o010644 }, "it is no plain file"],
    "a device": [{ mode: 0o020644 }, "it is no plain file"],
    "a folder by its mode": [{ mode: 0o040755 }, "it is a folder and a file at once"],
    "stored with two sizes": [
      { stored: true, fields: { sizeBytes: 7 } },
      "its two sizes differ though it is not compressed",
    ],
    "with half an extra field": [
      { fields: { extra: Buffer.from([1, 0, 9, 0]) } },
      "its extra fields are damaged",
    ],
    "with two zip64 fields": [
      { fields: { extra: Buffer.from([1, 0, 0, 0, 1, 0, 0, 0]) } },
      "its extra fields contradict each other",
    ],
    "with a zip64 field that is too short": [
      { fields: { extra: Buffer.from([1, 0, 0, 0]) }, central: { sizeBytes: 0xffffffff } },
      "its extra fields are damaged",
    ],
    "with a second name": [
      { fields: { extra: Buffer.from([0x75, 0x70, 6, 0, 1, 0, 0, 0, 0, 0x62]) } },
      "it has two names",
    ],
    "behind the directory": [
      { central: { offset: 4000 } },
      "it starts behind the end of the members",
    ],
    "larger than the archive": [
      { fields: { compressedBytes: 50_000 } },
      "it overlaps what follows it",
    ],
  };
  for (const [name, [change, problem]] of Object.entries(cases)) {
    test(name, () => {
      const bytes = writeZip([{ ...file, ...change }]);
      expect(refusal(bytes)).toBe(`its member "a.py" is refused: ${problem}`);
    });
  }

  test("by their names", () => {
    const names = ["../a", "/a", "a\\b", "C:/a", "a/../b", "a//b", "./a", "a\0", "a\n", "/", ""];
    for (const name of names) expect(refusal(writeZip([{ name }]))).toContain("is refused: it");
    expect(refusal(writeZip([{ name: Buffer.from([0xff]), fields: { flags: 0x800 } }]))).toBe(
      "a member's name is no UTF-8",
    );
    expect(refusal(writeZip([{ name: "x".repeat(3000) }]))).toBe("a member's path is too long");
  });

  test("a folder with content", () => {
    expect(refusal(writeZip([{ name: "a/", content: "x", mode: 0 }]))).toBe(
      'its member "a/" is refused: it is a folder with content',
    );
    // Some tools give folders the mode of files.
    expect(refusal(writeZip([{ name: "a/", mode: 0o100644 }]))).toBe("accepted");
  });

  test("names that two members share, also in another composition", () => {
    const shared = (...names: string[]) =>
      refusal(writeZip(names.map((name) => ({ name, mode: 0 }))));
    const same = "is refused: another member has the same name";
    expect(shared("a", "a")).toBe(`its member "a" ${same}`);
    expect(shared("a/", "a/")).toBe(`its member "a" ${same}`);
    expect(shared("\u00fc", "u\u0308")).toBe(`its member "u\u0308" ${same}`);
    const both = "is refused: it is a folder and a file at once";
    expect(shared("a", "a/")).toBe(`its member "a" ${both}`);
    expect(shared("a", "a/b")).toBe(`its member "a" ${both}`);
    expect(shared("a/b/c/d", "x", "a/b")).toBe(`its member "a/b" ${both}`);
    expect(shared("a/", "a/b", "a/c", "ab", "A")).toBe("accepted");
  });

  test("that overlap, as in a bomb of one kernel of data", () => {
    const kernel: ZipEntry = { name: "a", content: Buffer.alloc(1000) };
    expect(refusal(writeZip([kernel, { name: "b", central: { offset: 0 } }]))).toContain(
      "it overlaps what follows it",
    );
    expect(refusal(writeZip([kernel, { name: "b", central: { offset: 35 } }]))).toContain(
      "it overlaps what follows it",
    );
  });

  test("that would unpack to too much", () => {
    const central = { sizeBytes: RATIO_FREE_BYTES / 2 + 1 };
    const entries = ["a", "b"].map((name) => ({ name, content: "x", central }));
    expect(refusal(writeZip(entries))).toBe(`it would unpack to ${RATIO_FREE_BYTES + 2} bytes`);
    expect(refusal(writeZip(entries.slice(1)))).toBe("accepted");
  });
});
