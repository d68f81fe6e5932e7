import { expect } from "bun:test";
import { ST_RDONLY, STATFS_LAYOUT } from "../../../ffi/abi/statfs.ts";
import { valuesInC } from "../../support/c-values.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";

testUnless(needsProgram("cc"))("struct statfs lies as the C compiler lays it", () => {
  const offset = (field: string): string => `offsetof(struct statfs, ${field})`;
  const theirs = valuesInC(["sys/statfs.h", "sys/statvfs.h"], {
    size: "sizeof(struct statfs)",
    type: offset("f_type"),
    blockBytes: offset("f_bsize"),
    blocks: offset("f_blocks"),
    blocksFree: offset("f_bfree"),
    blocksAvailable: offset("f_bavail"),
    files: offset("f_files"),
    filesFree: offset("f_ffree"),
    fragmentBytes: offset("f_frsize"),
    flags: offset("f_flags"),
    readOnly: "ST_RDONLY",
  });
  expect({ ...STATFS_LAYOUT, readOnly: ST_RDONLY } as Record<string, number>).toEqual(theirs);
});
