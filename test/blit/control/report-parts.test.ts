import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { MESSAGE_BYTES_MAX } from "../../../src/blit/control/limits.ts";
import { PassReportSchema, SourceReportSchema } from "../../../src/blit/control/proto/blit_pb.js";
import {
  PassReportReader,
  passReportParts,
  SourceReportReader,
  sourceReportParts,
} from "../../../src/blit/control/report-parts.ts";
import type { Action, Issue } from "../../../src/blit/engine/options.ts";
import type { PassReport } from "../../../src/blit/session/types.ts";

// Machines may be busy.
setDefaultTimeout(30_000);

const path = fc
  .uint8Array({ maxLength: 40 })
  .map((bytes) => Buffer.from(bytes).toString("latin1").replaceAll("\0", "x"));

const issue: fc.Arbitrary<Issue> = fc.record({
  kind: fc.constantFrom("failed", "vanished", "skipped", "attributes", "warning"),
  root: fc.nat(9),
  path,
  code: fc.constantFrom("EACCES", "E_STALL"),
  call: fc.option(fc.constant("openat"), { nil: undefined }),
  message: fc.string({ unit: "grapheme" }),
});

const action: fc.Arbitrary<Action> = fc.record({
  action: fc.constantFrom("copy", "replace", "delete", "folder", "link", "special", "move"),
  root: fc.nat(9),
  path,
  bytes: fc.maxSafeNat(),
});

/** Over the wire and back. */
function carried(report: PassReport): { back: PassReport | undefined; sizes: number[] } {
  const reader = new PassReportReader();
  const sizes: number[] = [];
  let back: PassReport | undefined;
  for (const part of passReportParts(report)) {
    expect(back).toBeUndefined();
    const bytes = toBinary(PassReportSchema, create(PassReportSchema, part));
    sizes.push(bytes.length);
    back = reader.add(fromBinary(PassReportSchema, bytes));
  }
  return { back, sizes };
}

const REST = {
  counts: [1, 2, 3],
  deletable: 4,
  deletionsSkipped: undefined,
  needsAnotherPass: false,
  cancelled: 0,
};

describe("reports arrive as they were", () => {
  test("of a target", () => {
    const report = fc.record({
      counts: fc.array(fc.maxSafeNat(), { maxLength: 32 }),
      issues: fc.array(issue),
      actions: fc.array(action),
      deletable: fc.nat(),
      deletionsSkipped: fc.option(fc.string({ minLength: 1 }), { nil: undefined }),
      needsAnotherPass: fc.boolean(),
      cancelled: fc.nat(3),
    });
    fc.assert(fc.property(report, (sent) => expect(carried(sent).back).toEqual(sent)));
  });

  test("of a source", () => {
    const report = fc.record({
      counts: fc.array(fc.maxSafeNat(), { maxLength: 32 }),
      issues: fc.array(issue),
      listingErrors: fc.nat(),
      cancelled: fc.nat(3),
    });
    fc.assert(
      fc.property(report, (sent) => {
        const reader = new SourceReportReader();
        const backs = [...sourceReportParts(sent)].map((part) =>
          reader.add(create(SourceReportSchema, part)),
        );
        expect(backs.at(-1)).toEqual(sent);
      }),
    );
  });

  test("a plan of 100,000 entries comes in parts, each below the limit", () => {
    const actions: Action[] = Array.from({ length: 100_000 }, (_, index) => ({
      action: "copy",
      root: 0,
      path: `folder/${index}/${"\xe9".repeat(100)}`,
      bytes: index,
    }));
    const { back, sizes } = carried({ ...REST, issues: [], actions });
    expect(back?.actions).toEqual(actions);
    expect(sizes.length).toBeGreaterThan(5);
    expect(Math.max(...sizes)).toBeLessThan(MESSAGE_BYTES_MAX / 2);
  });

  test("two reports one after the other do not mix", () => {
    const one: Issue = {
      kind: "failed",
      root: 0,
      path: "a",
      code: "EIO",
      call: undefined,
      message: "x",
    };
    const reader = new PassReportReader();
    const both = [one, { ...one, path: "b" }].map((entry) => {
      const parts = [...passReportParts({ ...REST, actions: [], issues: [entry] })];
      return parts.map((part) => reader.add(create(PassReportSchema, part))).at(-1);
    });
    expect(both.map((report) => report?.issues.map(({ path }) => path))).toEqual([["a"], ["b"]]);
  });
});

test("what cannot be is refused", () => {
  const reader = new PassReportReader();
  const add = (part: Parameters<typeof create<typeof PassReportSchema>>[1]) => () =>
    reader.add(create(PassReportSchema, part));
  expect(add({ issues: [{ kind: "odd" }] })).toThrow("protocol does not allow");
  expect(add({ actions: [{ action: "odd" }] })).toThrow("protocol does not allow");
  expect(add({ actions: [{ action: "copy", bytes: 2n ** 60n }] })).toThrow("a size");
  expect(add({ deletable: 2n ** 60n })).toThrow("protocol does not allow");
  expect(add({ issues: [{ kind: "failed", path: Uint8Array.of(0) }] })).toThrow("NUL");
});
