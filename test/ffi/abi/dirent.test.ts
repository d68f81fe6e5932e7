import { expect } from "bun:test";
import { DIRENT_LAYOUT } from "../../../ffi/abi/dirent.ts";
import { valuesInC } from "../../support/c-values.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";

testUnless(needsProgram("cc"))("struct linux_dirent64 lies as the C compiler lays it", () => {
  // glibc and musl declare the kernel's struct under the name dirent64.
  const at = (field: string): string => `offsetof(struct dirent64, ${field})`;
  const theirs = valuesInC(["dirent.h"], {
    ino: at("d_ino"),
    off: at("d_off"),
    reclen: at("d_reclen"),
    type: at("d_type"),
    name: at("d_name"),
  });
  expect({ ...DIRENT_LAYOUT } as Record<string, number>).toEqual(theirs);
});
