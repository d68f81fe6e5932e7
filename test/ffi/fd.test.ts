import { expect, test } from "bun:test";
import { readlinkSync } from "node:fs";
import { AT, O } from "../../ffi/abi/constants.ts";
import { errno } from "../../ffi/errno.ts";
import { Fd } from "../../ffi/fd.ts";
import { Memory, writeCString } from "../../ffi/mem.ts";
import { sys } from "../../ffi/sys.ts";

function open(path: string): Fd {
  const memory = new Memory(4096);
  writeCString(memory.bytes, 0, path);
  return new Fd(sys.openat(AT.FDCWD, memory.pointer, O.RDONLY | O.CLOEXEC, 0));
}

/** Whether it is open, and not another thread's, which the number may go to at any time. */
function isOpenInKernel(number: number): boolean {
  try {
    return readlinkSync(`/proc/self/fd/${number}`) === "/dev/null";
  } catch {
    return false;
  }
}

test("a descriptor is closed where its scope ends, also by a throw", () => {
  let number = -1;
  expect(() => {
    using file = open("/dev/null");
    number = file.number;
    expect(isOpenInKernel(number)).toBe(true);
    throw new Error("on the way");
  }).toThrow("on the way");
  expect(number).toBeGreaterThanOrEqual(0);
  expect(isOpenInKernel(number)).toBe(false);
});

test("one that was given away stays open, and cannot be used or closed here", () => {
  let number = -1;
  {
    using file = open("/dev/null");
    number = file.transfer();
    expect(file.isOpen).toBe(false);
    expect(() => file.number).toThrow("given away");
    expect(file.close()).toBe(0);
  }
  expect(isOpenInKernel(number)).toBe(true);
  expect(sys.close(number)).toBe(0);
});

test("a failed call leaves nothing to close, and its error number", () => {
  using file = open("/nowhere/at/all");
  expect(file.isOpen).toBe(false);
  expect(file.number).toBe(-errno.ENOENT);
  expect(file.transfer()).toBe(-errno.ENOENT);
});

test("a copy lives on by itself and is not inherited", () => {
  const file = open("/dev/null");
  const first = file.number;
  using copy = file.dup();
  expect(file.close()).toBe(0);
  expect(isOpenInKernel(first)).toBe(false);
  expect(isOpenInKernel(copy.number)).toBe(true);
  const inherited = Bun.spawnSync(["test", "-e", `/proc/self/fd/${copy.number}`]);
  expect(inherited.exitCode).toBe(1);
});

test("a second close closes nothing", () => {
  const file = open("/dev/null");
  const number = file.number;
  expect(file.close()).toBe(0);
  using other = open("/dev/null");
  expect(other.number).toBe(number);
  expect(file.close()).toBe(0);
  file[Symbol.dispose]();
  expect(isOpenInKernel(number)).toBe(true);
});

test("close tells the error of the system", () => {
  expect(new Fd(1_000_000).close()).toBe(-errno.EBADF);
});

test("no more descriptors to have is an error with a name", () => {
  using file = open("/dev/null");
  const gone = new Fd(1_000_000);
  expect(() => gone.dup()).toThrow("fcntl: bad file descriptor (EBADF)");
  gone.transfer();
  expect(file.isOpen).toBe(true);
});
