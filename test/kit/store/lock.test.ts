import { expect, test } from "bun:test";
import { SystemError } from "../../../ffi/sys.ts";
import { isLock, tryLock } from "../../../src/kit/store/lock.ts";
import { createWorkspace } from "../../support/workspace.ts";

test("a second holder is told who the first is, and gets the lock afterwards", () => {
  using work = createWorkspace();
  const path = work.at("lock");
  const first = tryLock(path, "first command");
  if (!isLock(first)) throw new Error("not locked");
  expect(tryLock(path, "second")).toEqual({ pid: process.pid, command: "first command" });
  first[Symbol.dispose]();
  const second = tryLock(path, "second");
  expect(isLock(second)).toBe(true);
  if (isLock(second)) second[Symbol.dispose]();
});

test("a place where no lock can be made is an error of the system", () => {
  using work = createWorkspace();
  expect(() => tryLock(work.at("no/such/lock"), "x")).toThrow(SystemError);
});
