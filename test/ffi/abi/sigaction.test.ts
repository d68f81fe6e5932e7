import { expect } from "bun:test";
import { SA, SIG, SIGACTION_LAYOUT } from "../../../ffi/abi/sigaction.ts";
import { valuesInC } from "../../support/c-values.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";

testUnless(needsProgram("cc"))("struct sigaction lies as the C compiler lays it", () => {
  const theirs = valuesInC(["signal.h"], {
    size: "sizeof(struct sigaction)",
    handler: "offsetof(struct sigaction, sa_handler)",
    flags: "offsetof(struct sigaction, sa_flags)",
    RESETHAND: "(unsigned)SA_RESETHAND",
    INT: "SIGINT",
    PIPE: "SIGPIPE",
    TERM: "SIGTERM",
  });
  expect({ ...SIGACTION_LAYOUT, ...SA, ...SIG } as Record<string, number>).toEqual(theirs);
});
