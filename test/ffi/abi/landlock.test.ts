import { expect } from "bun:test";
import * as abi from "../../../ffi/abi/landlock.ts";
import { valuesInC } from "../../support/c-values.ts";
import { needsProgram, testUnless } from "../../support/skip.ts";

const headers = ["linux/landlock.h", "linux/prctl.h", "sched.h", "sys/syscall.h"];

testUnless(needsProgram("cc"))("confinement has the values and layout of the C headers", () => {
  const groups: [string, Record<string, number>][] = [
    ["LANDLOCK_ACCESS_FS_", abi.LANDLOCK_ACCESS_FS],
    ["LANDLOCK_", abi.LANDLOCK],
    ["PR_", abi.PRCTL],
    ["CLONE_", abi.CLONE],
    ["SYS_", abi.SYS],
  ];
  const ours: Record<string, number> = {};
  for (const [prefix, values] of groups) {
    for (const [name, value] of Object.entries(values)) ours[prefix + name] = value;
  }
  const expressions = Object.fromEntries(Object.keys(ours).map((name) => [name, name]));
  expect(ours).toEqual(valuesInC(headers, expressions));
  const struct = "struct landlock_path_beneath_attr";
  const layout = valuesInC(headers, {
    size: `sizeof(${struct})`,
    access: `offsetof(${struct}, allowed_access)`,
    parent: `offsetof(${struct}, parent_fd)`,
  });
  expect<Record<string, number>>(abi.PATH_BENEATH_LAYOUT).toEqual(layout);
  expect(abi.LANDLOCK_ACCESS_FS_TRUNCATE).toBe(1 << 14);
});
