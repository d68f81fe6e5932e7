import { expect } from "bun:test";
import { NR } from "../../../ffi/abi/system-call.ts";
import { valuesInC } from "../../support/c-values.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";

testUnless(needsProgram("cc"))("numbers of system calls are those of the headers", () => {
  const names = Object.keys(NR);
  const expressions = Object.fromEntries(names.map((name) => [name, `SYS_${name}`]));
  expect(valuesInC(["sys/syscall.h"], expressions)).toEqual({ ...NR });
});
