import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { deflateRawSync } from "node:zlib";
import fc from "fast-check";
import {
  MemberReader,
  openRemoteZip,
  openZip,
  readRemoteMember,
} from "../../../src/blast/wheel/zip.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { remoteOf, sourceOf } from "../../support/zip-source.ts";
import { writeZip, type ZipEntry } from "../../support/zip-writer.ts";

setDefaultTimeout(60_000);

/** Every member's content by its path. */
function readAll(bytes: Uint8Array): Record<string, Buffer> {
  const source = sourceOf(bytes);
  const reader = new MemberReader(source);
  return Object.fromEntries(
    openZip(source).members.map((member) => [member.path, Buffer.from(reader.bytes(member))]),
  );
}

function refusal(bytes: Uint8Array): string {
  try {
    readAll(bytes);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return error.message.replace(/^Cannot use "a.whl": its member ".*" is refused: /, "");
  }
  return "accepted";
}

const noise = Buffer.from(Array.from({ length: 3_000_000 }, (_, index) => (index * index) >> 9));

describe("content", () => {
  test("is what was written: stored, deflated, empty, of several pieces", () => {
    const contents: Record<string, Uint8Array> = {
      empty: Buffer.alloc(0),
      small: Buffer.from("x = 1\n"),
      // More than one piece of output, and of input.
      zeros: Buffer.alloc(5 * 1024 * 1024 + 1),
      noise,
      "one piece": noise.subarray(0, 1024 * 1024),
    };
    const entries = Object.entries(contents).flatMap(([name, content]): ZipEntry[] => [
      { name: `deflated/${name}`, content },
      { name: `stored/${name}`, content, stored: true },
      { name: `streamed/${name}`, content, descriptor: true },
      { name: `large/${name}`, content, zip64: true },
    ]);
    const found = readAll(writeZip(entries, { zip64: true }));
    for (const [name, content] of Object.entries(contents)) {
      for (const kind of ["deflated", "stored", "streamed", "large"]) {
        expect(found[`${kind}/${name}`]?.equals(content)).toBeTrue();
      }
    }
  });

  test("comes from elsewhere by two ranges: the end, and the member", async () => {
    const entries = [
      { name: "a.py", content: noise },
      { name: "demo.dist-info/METADATA", content: "Name: demo\n" },
    ];
    const source = remoteOf(writeZip(entries));
    const { members } = await openRemoteZip(source);
    expect(source.ranges.length).toBe(1);
    const metadata = await readRemoteMember(source, members[1]!);
    expect(Buffer.from(metadata).toString()).toBe("Name: demo\n");
    expect(source.ranges.length).toBe(2);
    expect(Buffer.from(await readRemoteMember(source, members[0]!)).equals(noise)).toBeTrue();
  });

  test("comes from elsewhere behind a long local header too", async () => {
    const extra = Buffer.alloc(5004);
    extra.writeUInt16LE(0xcafe, 0);
    extra.writeUInt16LE(5000, 2);
    const entries = [{ name: "a", content: "text", local: { extra } }, { name: "b" }];
    const source = remoteOf(writeZip(entries));
    const { members } = await openRemoteZip(source);
    expect(Buffer.from(await readRemoteMember(source, members[0]!)).toString()).toBe("text");
    expect(source.ranges.length).toBe(3);
  });
});

describe("members that are refused when they are read", () => {
  const content = "x = 1\n".repeat(50);
  const packed = deflateRawSync(content);
  const cases: Record<string, [Partial<ZipEntry>, string]> = {
    "another name in its header": [
      { local: { name: Buffer.from("b.py") } },
      "its two headers disagree",
    ],
    "a longer name in its header": [
      { local: { name: Buffer.from("a.pyc") } },
      "its two headers disagree",
    ],
    "another method in its header": [{ local: { method: 0 } }, "its two headers disagree"],
    "encrypted in its header": [{ local: { flags: 1 } }, "its two headers disagree"],
    "UTF-8 in its header": [{ local: { flags: 0x800 } }, "its two headers disagree"],
    "another CRC in its header": [{ local: { crc32: 1 } }, "its two headers disagree"],
    "another size in its header": [{ local: { sizeBytes: 1 } }, "its two headers disagree"],
    "another packed size in its header": [
      { local: { compressedBytes: 1 } },
      "its two headers disagree",
    ],
    "a wrong CRC": [{ fields: { crc32: 1 } }, "its CRC is wrong"],
    "longer than it says": [{ fields: { sizeBytes: 299 } }, "it is longer than it says"],
    "shorter than it says": [{ fields: { sizeBytes: 301 } }, "it is shorter than it says"],
    "longer than its piece": [{ fields: { sizeBytes: 0 } }, "it is longer than it says"],
    "without data": [{ fields: { compressedBytes: 0 } }, "it is cut off"],
  };
  for (const [name, [change, problem]] of Object.entries(cases)) {
    test(name, () => {
      const bytes = writeZip([{ name: "a.py", content, ...change }, { name: "next" }]);
      expect(refusal(bytes)).toBe(problem);
    });
  }

  test("cut-off data, and something behind it", () => {
    const fields = { method: 8, crc32: Bun.hash.crc32(content), sizeBytes: content.length };
    const raw = (data: Uint8Array) =>
      refusal(writeZip([{ name: "a", content: data, stored: true, fields }]));
    expect(raw(packed)).toBe("accepted");
    expect(raw(packed.subarray(0, -2))).toStartWith("its data is damaged");
    expect(raw(Buffer.concat([packed, Buffer.from("!")]))).toBe("something stands behind its data");
    expect(raw(Buffer.alloc(50, 0xff))).toStartWith("its data is damaged");
  });

  test("a member between others that the directory does not name", () => {
    const hidden = writeZip([{ name: "evil.py", content: "bad" }]).subarray(0, 42);
    const next = (before: Uint8Array, first: Partial<ZipEntry> = {}) =>
      refusal(
        writeZip([
          { name: "a", content: "x", ...first },
          { name: "b", before },
        ]),
      );
    const problem = "behind it stands a member that the central directory does not name";
    expect(next(hidden)).toBe(problem);
    expect(next(hidden, { descriptor: true })).toBe(problem);
    expect(next(Buffer.alloc(100))).toBe("accepted");
  });

  test("a header that is not there", () => {
    const bytes = writeZip([{ name: "a", content: "x" }]);
    bytes[0] = 0;
    expect(refusal(bytes)).toBe("its header is not where it says");
  });

  test("a header that overlaps by its extra field", () => {
    const extra = Buffer.alloc(8);
    const bytes = writeZip([{ name: "a", content: "x", stored: true }, { name: "b" }]);
    bytes.writeUInt16LE(extra.length, 28);
    expect(refusal(bytes)).toBe("it overlaps what follows it");
  });
});

describe("any bytes at all give a value or a fault", () => {
  const base = writeZip(
    [
      { name: "a.py", content: "x = 1\n".repeat(30) },
      { name: "dir/b.bin", content: Buffer.alloc(3000, 7), zip64: true },
      { name: "c", content: "stored", stored: true, descriptor: true },
    ],
    { zip64: true, comment: Buffer.from("a comment") },
  );
  const runs = Number(process.env["TRIAD_FUZZ_RUNS"] ?? 3000);

  test("an archive with some bytes changed, cut or doubled", () => {
    const change = fc.record({
      at: fc.nat(base.length - 1),
      kind: fc.constantFrom("set", "add", "cut", "double", "zero", "max"),
      value: fc.nat(255),
    });
    let accepted = 0;
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        let bytes: Buffer = Buffer.from(base);
        for (const { at, kind, value } of changes) bytes = mutate(bytes, at, kind, value);
        if (refusal(bytes) === "accepted") accepted++;
      }),
      { numRuns: runs },
    );
    // Some changes are harmless (a permission bit, the comment): else nothing was tried.
    expect(accepted).toBeGreaterThan(0);
    expect(accepted).toBeLessThan(runs / 2);
  });

  test("bytes of no kind", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        expect(refusal(bytes)).not.toBe("");
      }),
      { numRuns: runs },
    );
  });
});

function mutate(bytes: Buffer, at: number, kind: string, value: number): Buffer {
  const position = at % Math.max(1, bytes.length);
  switch (kind) {
    case "set":
      bytes[position] = value;
      return bytes;
    case "zero":
      return Buffer.from(bytes.fill(0, position, Math.min(bytes.length, position + 4)));
    case "max":
      return Buffer.from(bytes.fill(0xff, position, Math.min(bytes.length, position + 4)));
    case "add":
      return Buffer.concat([
        bytes.subarray(0, position),
        Buffer.of(value),
        bytes.subarray(position),
      ]);
    case "cut":
      return Buffer.concat([
        bytes.subarray(0, position),
        bytes.subarray(position + 1 + (value % 30)),
      ]);
    default: {
      const piece = bytes.subarray(position, position + value);
      return Buffer.concat([bytes.subarray(0, position), piece, bytes.subarray(position)]);
    }
  }
}
