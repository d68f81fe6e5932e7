import { expect } from "bun:test";
import { OPEN_HOW_LAYOUT, RESOLVE, SYS_OPENAT2 } from "../../../ffi/abi/open-how.ts";
import { valuesInC } from "../../support/c-values.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";

testUnless(needsProgram("cc"))("struct open_how lies as the C compiler lays it", () => {
  const theirs = valuesInC(["linux/openat2.h", "sys/syscall.h"], {
    size: "sizeof(struct open_how)",
    flags: "offsetof(struct open_how, flags)",
    mode: "offsetof(struct open_how, mode)",
    resolve: "offsetof(struct open_how, resolve)",
    NO_XDEV: "RESOLVE_NO_XDEV",
    NO_MAGICLINKS: "RESOLVE_NO_MAGICLINKS",
    NO_SYMLINKS: "RESOLVE_NO_SYMLINKS",
    BENEATH: "RESOLVE_BENEATH",
    IN_ROOT: "RESOLVE_IN_ROOT",
    SYS_OPENAT2: "SYS_openat2",
  });
  expect<Record<string, number>>({ ...OPEN_HOW_LAYOUT, ...RESOLVE, SYS_OPENAT2 }).toEqual(theirs);
});
