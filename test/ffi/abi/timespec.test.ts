import { expect } from "bun:test";
import { TIMESPEC_LAYOUT } from "../../../ffi/abi/timespec.ts";
import { valuesInC } from "../../support/c-values.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";

testUnless(needsProgram("cc"))("struct timespec lies as the C compiler lays it", () => {
  const theirs = valuesInC(["time.h"], {
    size: "sizeof(struct timespec)",
    sec: "offsetof(struct timespec, tv_sec)",
    nsec: "offsetof(struct timespec, tv_nsec)",
  });
  expect({ ...TIMESPEC_LAYOUT } as Record<string, number>).toEqual(theirs);
});
