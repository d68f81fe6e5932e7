import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import {
  compareEntries,
  entryFileName,
  entryName,
  formatEntry,
  identityOf,
  kernelFolderOf,
  nextEntry,
  nextVersion,
  parseEntry,
  parseEntryFileName,
} from "../../../src/rastos/boot/entry.ts";
import type { BootEntry } from "../../../src/rastos/boot/types.ts";

const number = fc.nat(999_999);
const counters = fc.oneof(
  fc.constant({ triesLeft: undefined, triesDone: 0 }),
  fc.record({ triesLeft: fc.nat(9999), triesDone: fc.nat(9999) }),
);
/** A word of a command line or a title: no blanks at its ends, nothing that breaks a line. */
const word = fc.stringMatching(/^[!-~]{1,20}$/);
const words = fc.array(word, { minLength: 1, maxLength: 8 }).map((list) => list.join(" "));

const entries: fc.Arbitrary<BootEntry> = fc
  .tuple(number, number, number, counters, words, words)
  .map(([snapshot, deployment, version, counts, title, options]) => ({
    name: entryName({ snapshot, deployment }),
    title,
    version: String(version),
    kernel: `/${kernelFolderOf({ snapshot, deployment })}/vmlinuz`,
    initrd: `/${kernelFolderOf({ snapshot, deployment })}/initrd`,
    options,
    ...counts,
  }));

const sample: BootEntry = {
  name: "rastos-3-7",
  title: "rastOS 3",
  version: "12",
  kernel: "/EFI/rastos/3-7/vmlinuz",
  initrd: "/EFI/rastos/3-7/initrd",
  options: "root=UUID=x rootflags=subvol=.snapshots/deploy/deploy-3-7 rw",
  triesLeft: 3,
  triesDone: 0,
};

describe("an entry", () => {
  test("is written as the Boot Loader Specification has it", () => {
    expect(formatEntry(sample)).toBe(
      [
        "title      rastOS 3",
        "sort-key   rastos",
        "version    12",
        "linux      /EFI/rastos/3-7/vmlinuz",
        "initrd     /EFI/rastos/3-7/initrd",
        "options    root=UUID=x rootflags=subvol=.snapshots/deploy/deploy-3-7 rw",
        "",
      ].join("\n"),
    );
  });

  test("comes back from its file as it was", () => {
    fc.assert(
      fc.property(entries, (entry) => {
        expect(parseEntry(entryFileName(entry), formatEntry(entry))).toEqual(entry);
      }),
    );
  });

  test("any text at all gives an entry or nothing", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        const entry = parseEntry("rastos-1-1.conf", Buffer.from(bytes).toString("latin1"));
        if (entry !== undefined) expect(entry.kernel).not.toBe("");
      }),
    );
  });

  test("cannot be given further lines by a title, nor by a command line", () => {
    const evil = { ...sample, title: "a\nlinux /EFI/evil\u2028b" };
    expect(parseEntry("rastos-3-7.conf", formatEntry(evil))?.kernel).toBe(sample.kernel);
    expect(() => formatEntry({ ...sample, options: "quiet\nefi /x" })).toThrow("boot entry");
    expect(() => formatEntry({ ...sample, kernel: "/a\u0000" })).toThrow("boot entry");
  });
});

describe("the name of an entry's file", () => {
  test.each([
    ["rastos-3-7.conf", undefined, 0],
    ["rastos-3-7+3.conf", 3, 0],
    ["rastos-3-7+2-1.conf", 2, 1],
    ["rastos-3-7+0-3.conf", 0, 3],
  ])("%s", (file, triesLeft, triesDone) => {
    const parsed = parseEntryFileName(file);
    expect(parsed).toEqual({
      name: "rastos-3-7",
      snapshot: 3,
      deployment: 7,
      triesLeft,
      triesDone,
    });
    if (parsed !== undefined) expect(entryFileName(parsed)).toBe(file);
  });

  test.each(["arch.conf", "rastos-3.conf", "rastos-3-7+.conf", "rastos-3-7", "rastos-3-7.conf~"])(
    "%s is not ours",
    (file) => expect(parseEntryFileName(file)).toBeUndefined(),
  );

  test("numbers come back from rastos-N-K", () => {
    expect(identityOf("rastos-12-345")).toEqual({ snapshot: 12, deployment: 345 });
    expect(identityOf("rastos-12-345+1")).toBeUndefined();
  });
});

describe("the order", () => {
  const with_ = (name: string, version: string, triesLeft?: number): BootEntry => ({
    ...sample,
    name,
    version,
    triesLeft,
  });

  test("is a total one", () => {
    fc.assert(
      fc.property(entries, entries, entries, (a, b, c) => {
        expect(Math.sign(compareEntries(a, b))).toBe(-Math.sign(compareEntries(b, a)) + 0);
        if (compareEntries(a, b) <= 0 && compareEntries(b, c) <= 0) {
          expect(compareEntries(a, c)).toBeLessThanOrEqual(0);
        }
      }),
    );
  });

  test("has the highest version first, and what is spent last", () => {
    const list = [with_("rastos-0-1", "1"), with_("rastos-2-3", "3", 0), with_("rastos-1-2", "2")];
    expect(list.sort(compareEntries).map((entry) => entry.name)).toEqual([
      "rastos-1-2",
      "rastos-0-1",
      "rastos-2-3",
    ]);
    expect(nextEntry(list)?.name).toBe("rastos-1-2");
  });

  test("10 comes after 9", () => {
    expect(nextEntry([with_("rastos-1-9", "9"), with_("rastos-1-8", "10")])?.name).toBe(
      "rastos-1-8",
    );
  });

  test("a new version is above all, and becomes the default", () => {
    fc.assert(
      fc.property(fc.array(entries, { maxLength: 8 }), entries, (others, entry) => {
        const version = nextVersion(others);
        const next = nextEntry([...others, { ...entry, version, triesLeft: 3 }]);
        expect(next?.version).toBe(version);
      }),
    );
  });

  test("nothing is next when all are spent", () => {
    expect(nextEntry([with_("rastos-1-1", "1", 0)])).toBeUndefined();
    expect(nextEntry([])).toBeUndefined();
  });
});
