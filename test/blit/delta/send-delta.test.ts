import { afterAll, describe, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { errno } from "../../../ffi/errno.ts";
import { Memory } from "../../../ffi/mem.ts";
import { BaseHasher } from "../../../src/blit/delta/base-hashes.ts";
import { parseRequest, requestFlag } from "../../../src/blit/delta/delta-request.ts";
import { KeyedHash } from "../../../src/blit/delta/keyed-hash.ts";
import { DeltaWriter, deltaWriterMemory } from "../../../src/blit/delta/receive-delta.ts";
import { DeltaBuffer, DeltaScan, deltaStep } from "../../../src/blit/delta/send-delta.ts";

const dir = mkdtempSync(join(tmpdir(), "triad-delta-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const hash = new KeyedHash(new Uint8Array(32).fill(9));
const buffer = new DeltaBuffer();
const writerMemory = deltaWriterMemory();
const dataMemory = new Memory(1024 * 1024);
const bothFlags = requestFlag.anchors | requestFlag.reuse;

/** Bytes without a pattern, the same for the same seed. */
function noise(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length);
  const words = new Uint32Array(bytes.buffer, 0, length >>> 2);
  let state = seed | 1;
  for (let i = 0; i < words.length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    words[i] = state;
  }
  for (let i = words.length * 4; i < length; i++) bytes[i] = seed + i;
  return bytes;
}

type Round = { target: Uint8Array; reused: number; sent: number; steps: number; whole: boolean };

/** Both sides over files: the base is described, the source compared, the target put together. */
function transfer(base: Uint8Array, source: Uint8Array, flags = bothFlags): Round {
  const paths = ["base", "source", "target"].map((name) => join(dir, name));
  writeFileSync(paths[0] as string, base);
  writeFileSync(paths[1] as string, source);
  const [baseFd, fd, targetFd] = paths.map((path, i) => openSync(path, i === 2 ? "w+" : "r"));
  try {
    const hasher = new BaseHasher(hash);
    const options = { flags, between: () => 0 };
    const made = hasher.request(baseFd as number, base.length, options);
    if (typeof made === "number") throw new Error(`request: ${made}`);
    const request = parseRequest(made);
    if (request === undefined) throw new Error("the request does not keep its own format");
    const sizeBytes = source.length;
    const scan = new DeltaScan({ hash, request, buffer, fd: fd as number, sizeBytes });
    const writer = new DeltaWriter(
      {
        hash,
        blockBytesLog2: Math.log2(request.blockBytes),
        baseFd: baseFd as number,
        coveredBytes: request.coveredBytes,
        targetFd: targetFd as number,
        // One time and the other: both must give the same.
        request: base.length % 2 === 0 ? made : undefined,
        sizeBytes,
        between: () => 0,
      },
      writerMemory,
    );
    const steps = play(scan, writer);
    const whole = writer.isWhole(scan.contentHash());
    const target = new Uint8Array(readFileSync(paths[2] as string));
    return { target, reused: scan.reusedBytes, sent: scan.dataBytes, steps, whole };
  } finally {
    for (const open of [baseFd, fd, targetFd]) closeSync(open as number);
  }
}

function play(scan: DeltaScan, writer: DeltaWriter): number {
  for (let steps = 0; ; steps++) {
    const step = scan.next();
    if (step === deltaStep.end) return steps;
    if (step === deltaStep.reuse) {
      expect(writer.reuse(scan.offset, scan.baseOffset, scan.length)).toBe(0);
    } else {
      expect(step).toBe(deltaStep.data);
      expect(scan.length).toBeLessThanOrEqual(1024 * 1024);
      dataMemory.bytes.set(scan.data);
      const bytes = dataMemory.bytes.subarray(0, scan.length);
      expect(writer.data(scan.offset, bytes, dataMemory.pointer)).toBe(0);
    }
  }
}

describe("a file that is put together again", () => {
  test("equal content is all reused", () => {
    const base = noise(3_000_000, 1);
    const round = transfer(base, base);
    expect(round.whole).toBe(true);
    expect(round.sent).toBe(0);
    expect(Buffer.compare(round.target, base)).toBe(0);
  });

  test("bytes put in at the beginning cost about one block", () => {
    const base = noise(4_000_000, 2);
    const source = Buffer.concat([Buffer.from("some bytes more"), base]);
    const round = transfer(base, source);
    expect(round.whole).toBe(true);
    expect(round.sent).toBeLessThan(20_000);
    expect(Buffer.compare(round.target, source)).toBe(0);
  });

  test("parts that changed places are found", () => {
    const base = noise(4_000_000, 3);
    const source = Buffer.concat([base.subarray(2_000_123), base.subarray(0, 2_000_123)]);
    const round = transfer(base, source);
    expect(round.whole).toBe(true);
    expect(round.sent).toBeLessThan(40_000);
    expect(Buffer.compare(round.target, source)).toBe(0);
  });

  test("without anchors only what is at the same place is found", () => {
    const base = noise(1_000_000, 4);
    const source = Buffer.concat([Buffer.from("x"), base]);
    expect(transfer(base, source, requestFlag.reuse).reused).toBe(0);
    expect(transfer(base, source.subarray(1), requestFlag.reuse).sent).toBe(0);
  });

  test("all bytes alike are no trap: nothing is searched for ever", () => {
    const base = new Uint8Array(8_000_000);
    const source = new Uint8Array(8_000_001).fill(0);
    source[0] = 1;
    const round = transfer(base, source);
    expect(round.whole).toBe(true);
    expect(Buffer.compare(round.target, source)).toBe(0);
  });

  test("any base and any edits of it", () => {
    const edit = fc.record({
      at: fc.nat(1_200_000),
      remove: fc.nat(100_000),
      insert: fc.nat(50_000),
      seed: fc.nat(1000),
    });
    const base = fc.record({
      length: fc.oneof(fc.nat(1_200_000), fc.constantFrom(0, 1, 262_144, 262_145, 524_288)),
      seed: fc.nat(5),
      isPattern: fc.boolean(),
    });
    fc.assert(
      fc.property(base, fc.array(edit, { maxLength: 5 }), (shape, edits) => {
        const from = shape.isPattern
          ? new Uint8Array(shape.length).map((_, i) => (i >>> 5) * shape.seed)
          : noise(shape.length, shape.seed + 7);
        let source = Buffer.from(from);
        for (const { at, remove, insert, seed } of edits) {
          const start = Math.min(at, source.length);
          const rest = source.subarray(Math.min(start + remove, source.length));
          source = Buffer.concat([source.subarray(0, start), noise(insert, seed), rest]);
        }
        const round = transfer(from, source);
        expect(round.whole).toBe(true);
        expect(round.reused + round.sent).toBe(source.length);
        expect(Buffer.compare(round.target, source)).toBe(0);
      }),
      { numRuns: 60 },
    );
  });
});

describe("comparing without sending", () => {
  function compare(base: Uint8Array, source: Uint8Array): { equal: number; rest: number } {
    const path = join(dir, "compared");
    const basePath = join(dir, "compared-base");
    writeFileSync(path, source);
    writeFileSync(basePath, base);
    const fds = [openSync(path, "r"), openSync(basePath, "r")] as const;
    try {
      const options = { flags: requestFlag.reuse, between: () => 0 };
      const made = new BaseHasher(hash).request(fds[1], base.length, options);
      const request = parseRequest(made as Uint8Array);
      if (request === undefined) throw new Error("no request");
      const scan = new DeltaScan({ hash, request, buffer, fd: fds[0], sizeBytes: source.length });
      const equal = scan.compare(() => 0);
      if (equal === 0) {
        while (scan.next() !== deltaStep.end) {
          // Only the sums count.
        }
      }
      return { equal, rest: scan.dataBytes };
    } finally {
      for (const fd of fds) closeSync(fd);
    }
  }

  test("equal and different", () => {
    const base = noise(20_000_000, 5);
    const source = base.slice();
    expect(compare(base, source)).toEqual({ equal: 1, rest: 0 });
    source[19_999_999] = (source[19_999_999] as number) ^ 1;
    const changed = compare(base, source);
    expect(changed.equal).toBe(0);
    expect(changed.rest).toBeLessThanOrEqual(16_384);
    expect(compare(base, base.subarray(1)).equal).toBe(0);
    expect(compare(new Uint8Array(0), new Uint8Array(0)).equal).toBe(1);
    expect(compare(noise(100, 1), noise(100, 1)).equal).toBe(1);
    expect(compare(noise(100, 1), noise(100, 3)).equal).toBe(0);
  });

  test("a small content in memory says the same as a file", () => {
    const content = noise(1000, 6);
    const path = join(dir, "small");
    writeFileSync(path, content);
    const fd = openSync(path, "r");
    const hasher = new BaseHasher(hash);
    const made = hasher.request(fd, 1000, { flags: 0, between: () => 0 });
    expect(Buffer.from(made as Uint8Array)).toEqual(Buffer.from(hasher.smallRequest(content)));
    closeSync(fd);
  });
});

describe("a target that is its own base", () => {
  test("goes on where it had stopped", () => {
    const source = noise(2_000_000, 8);
    const path = join(dir, "partial");
    const sourcePath = join(dir, "whole");
    writeFileSync(path, source.subarray(0, 1_300_001));
    writeFileSync(sourcePath, source);
    const targetFd = openSync(path, "r+");
    const fd = openSync(sourcePath, "r");
    const options = { flags: requestFlag.reuse, between: () => 0 };
    const made = new BaseHasher(hash).request(targetFd, 1_300_001, options);
    const request = parseRequest(made as Uint8Array);
    if (request === undefined) throw new Error("no request");
    const sizeBytes = source.length;
    const scan = new DeltaScan({ hash, request, buffer, fd, sizeBytes });
    const { coveredBytes } = request;
    const writer = new DeltaWriter(
      {
        hash,
        blockBytesLog2: Math.log2(request.blockBytes),
        baseFd: targetFd,
        coveredBytes,
        targetFd,
        sizeBytes,
        between: () => 0,
      },
      writerMemory,
    );
    play(scan, writer);
    expect(writer.isWhole(scan.contentHash())).toBe(true);
    expect(scan.reusedBytes).toBe(1_300_001);
    expect(Buffer.compare(readFileSync(path), source)).toBe(0);
    expect(writer.reuse(0, 0, 10)).toBe(-errno.EBADMSG);
    closeSync(targetFd);
    closeSync(fd);
  });
});

describe("what the other side may say", () => {
  const made = (): Uint8Array => {
    const path = join(dir, "fuzzed");
    writeFileSync(path, noise(300_000, 3));
    const fd = openSync(path, "r");
    const request = new BaseHasher(hash).request(fd, 300_000, {
      flags: bothFlags,
      between: () => 0,
    });
    closeSync(fd);
    return request as Uint8Array;
  };

  test("a request keeps the format or is refused", () => {
    const good = made();
    fc.assert(
      fc.property(
        fc.array(fc.record({ at: fc.nat(15), value: fc.nat(255) }), { maxLength: 4 }),
        fc.nat(good.length + 40),
        (flips, length) => {
          const bytes = new Uint8Array(length);
          bytes.set(good.subarray(0, length));
          for (const { at, value } of flips) if (at < length) bytes[at] = value;
          const request = parseRequest(bytes);
          if (request === undefined) return;
          expect(request.blocks).toBe(Math.ceil(request.coveredBytes / request.blockBytes));
          expect(request.bytes.length).toBeGreaterThanOrEqual(16 + 16 * request.blocks);
        },
      ),
    );
  });

  test("hashes that are lies make a file that is never whole, and no error", () => {
    const good = made();
    const source = noise(300_000, 3);
    const path = join(dir, "lied");
    writeFileSync(path, source);
    fc.assert(
      fc.property(fc.array(fc.nat(good.length - 17), { minLength: 1, maxLength: 30 }), (flips) => {
        const bytes = good.slice();
        for (const flip of flips) bytes[16 + flip] = (bytes[16 + flip] as number) ^ 0x55;
        const request = parseRequest(bytes);
        if (request === undefined) throw new Error("only hashes were changed");
        const fd = openSync(path, "r");
        const scan = new DeltaScan({ hash, request, buffer, fd, sizeBytes: source.length });
        let at = 0;
        for (let step = scan.next(); step !== deltaStep.end; step = scan.next()) {
          expect(step).toBeGreaterThan(0);
          expect(scan.offset).toBe(at);
          at += scan.length;
        }
        expect(at).toBe(source.length);
        closeSync(fd);
      }),
      { numRuns: 30 },
    );
  });

  test("steps out of order or bounds are refused", () => {
    const path = join(dir, "order");
    writeFileSync(path, noise(1000, 3));
    const baseFd = openSync(path, "r");
    const targetFd = openSync(join(dir, "order-target"), "w+");
    const whole = { hash, blockBytesLog2: 13, baseFd, coveredBytes: 1000, targetFd };
    const options = { ...whole, sizeBytes: 2000, between: () => 0 };
    const bad = -errno.EBADMSG;
    const writer = (): DeltaWriter => new DeltaWriter(options, writerMemory);
    expect(writer().reuse(1, 0, 10)).toBe(bad);
    expect(writer().reuse(0, 991, 10)).toBe(bad);
    expect(writer().reuse(0, -1, 10)).toBe(bad);
    expect(writer().reuse(0, Number.NaN, 10)).toBe(bad);
    expect(writer().reuse(0, 0, 0)).toBe(bad);
    expect(writer().reuse(0, 0, 2001)).toBe(bad);
    expect(writer().data(5, dataMemory.bytes.subarray(0, 5), dataMemory.pointer)).toBe(bad);
    expect(writer().data(0, dataMemory.bytes.subarray(0, 2001), dataMemory.pointer)).toBe(bad);
    const short = writer();
    expect(short.reuse(0, 0, 1000)).toBe(0);
    expect(short.isWhole(new Uint8Array(16))).toBe(false);
    closeSync(baseFd);
    closeSync(targetFd);
  });

  test("a source that became shorter says so", () => {
    const path = join(dir, "shorter");
    writeFileSync(path, noise(1000, 3));
    const fd = openSync(path, "r");
    const request = parseRequest(made());
    if (request === undefined) throw new Error("no request");
    const scan = new DeltaScan({ hash, request, buffer, fd, sizeBytes: 400_000 });
    expect(scan.next()).toBe(-errno.ENODATA);
    closeSync(fd);
  });
});
