import { describe, expect, test } from "bun:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import {
  optionsFromMessage,
  optionsToMessage,
  passFromMessage,
  passToMessage,
  progressFromMessage,
  progressToMessage,
  rootsFromMessages,
  rootsToMessages,
} from "../../../src/blit/control/messages.ts";
import {
  PassStartSchema,
  ProgressSchema,
  Purpose,
  SourceRootSchema,
  TransferOptionsSchema,
} from "../../../src/blit/control/proto/blit_pb.js";
import type { SessionOptions, SourceRoot } from "../../../src/blit/session/types.ts";

/** Names as they are inside: one character per byte, no NUL. */
const latin1 = fc
  .uint8Array({ minLength: 1, maxLength: 60 })
  .map((bytes) => Buffer.from(bytes).toString("latin1").replaceAll("\0", "x"));

const options: fc.Arbitrary<SessionOptions> = fc.record({
  command: fc.constantFrom("copy", "mirror", "move"),
  comparison: fc.constantFrom("time", "size", "checksum"),
  ignoreExisting: fc.boolean(),
  update: fc.boolean(),
  xattrs: fc.boolean(),
  owner: fc.boolean(),
  specials: fc.boolean(),
  filter: fc.option(
    fc.record({
      version: fc.constant(1 as const),
      rules: fc.array(
        fc.record({ negative: fc.boolean(), pattern: fc.string({ minLength: 1, unit: "binary" }) }),
      ),
    }),
    { nil: undefined },
  ),
  backupDir: fc.option(latin1, { nil: undefined }),
  allowEmptySource: fc.boolean(),
  bytesPerSecond: fc.maxSafeNat(),
  compress: fc.boolean(),
});

const root: fc.Arbitrary<Omit<SourceRoot, "index">> = fc.record({
  kind: fc.constantFrom("folder", "entry"),
  name: latin1.map((name) => `n${name.replaceAll("/", "_")}`),
  isContents: fc.boolean(),
  typed: latin1,
});

describe("what is sent arrives as it was", () => {
  test("options", () => {
    fc.assert(
      fc.property(options, (sent) => {
        const bytes = toBinary(
          TransferOptionsSchema,
          create(TransferOptionsSchema, optionsToMessage(sent)),
        );
        expect(optionsFromMessage(fromBinary(TransferOptionsSchema, bytes))).toEqual(sent);
      }),
    );
  });

  test("sources", () => {
    fc.assert(
      fc.property(fc.array(root, { maxLength: 5 }), (list) => {
        const sent = list.map((entry, index) => ({ ...entry, index }));
        const messages = rootsToMessages(sent).map((message) => create(SourceRootSchema, message));
        expect(rootsFromMessages(messages)).toEqual(sent);
      }),
    );
  });

  test("the order for a pass, and progress", () => {
    for (const purpose of ["transfer", "plan", "count", "settle"] as const) {
      for (const agreedDeletions of [undefined, 0, 12]) {
        const order = { purpose, agreedDeletions };
        expect(passFromMessage(create(PassStartSchema, passToMessage(order)))).toEqual(order);
      }
    }
    const progress = { counts: [0, 1, 2 ** 53 - 1], isFinal: true };
    const message = create(ProgressSchema, progressToMessage(progress));
    expect(progressFromMessage(message)).toEqual(progress);
  });
});

describe("what cannot be is refused", () => {
  const good = optionsToMessage({
    command: "copy",
    comparison: "time",
    ignoreExisting: false,
    update: false,
    xattrs: false,
    owner: false,
    specials: false,
    filter: undefined,
    backupDir: undefined,
    allowEmptySource: false,
    bytesPerSecond: 0,
    compress: false,
  });
  const bad: Record<string, Partial<typeof good>> = {
    "no command": { command: 0 },
    "a command of the future": { command: 99 as never },
    "no comparison": { comparison: 0 },
    "a speed above 2^53": { bytesPerSecond: 2n ** 53n },
    "a NUL in a path": { backupDir: Uint8Array.of(65, 0) },
    "a path of 2 MiB": { backupDir: new Uint8Array(2 ** 21).fill(65) },
    "a filter that is no JSON": { filterJson: "{" },
    "a filter of another version": { filterJson: '{"version":2,"rules":[]}' },
    "a rule without pattern": { filterJson: '{"version":1,"rules":[{"negative":false}]}' },
    "a rule that is null": { filterJson: '{"version":1,"rules":[null]}' },
    "too many rules": {
      filterJson: JSON.stringify({
        version: 1,
        rules: Array.from({ length: 10_001 }, () => ({ negative: false, pattern: "x" })),
      }),
    },
  };
  for (const [name, change] of Object.entries(bad)) {
    test(name, () => {
      const message = create(TransferOptionsSchema, { ...good, ...change } as typeof good);
      expect(() => optionsFromMessage(message)).toThrow("protocol does not allow");
    });
  }

  test("no options at all", () => {
    expect(() => optionsFromMessage(undefined)).toThrow("no options");
  });

  test("names that lead elsewhere", () => {
    for (const name of ["..", ".", "", "a/b", "a\0", "x".repeat(256)]) {
      const message = create(SourceRootSchema, { name: Buffer.from(name), isFolder: true });
      expect(() => rootsFromMessages([message])).toThrow("protocol does not allow");
    }
  });

  test("sources out of order, or too many", () => {
    const at = (index: number) => create(SourceRootSchema, { index, name: Buffer.from("a") });
    expect(() => rootsFromMessages([at(1)])).toThrow("source 1 as 0");
    expect(() => rootsFromMessages(Array.from({ length: 5000 }, (_, i) => at(i)))).toThrow("5000");
  });

  test("purposes and counts", () => {
    const start = (purpose: number) => create(PassStartSchema, { purpose: purpose as Purpose });
    expect(() => passFromMessage(start(0))).toThrow("purpose");
    expect(() => passFromMessage(start(9))).toThrow("purpose");
    const many = create(PassStartSchema, { purpose: Purpose.PLAN, agreedDeletions: 2n ** 60n });
    expect(() => passFromMessage(many)).toThrow("protocol does not allow");
    for (const count of [-1, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 60]) {
      const message = create(ProgressSchema, { counts: [count] });
      expect(() => progressFromMessage(message)).toThrow("protocol does not allow");
    }
  });
});
