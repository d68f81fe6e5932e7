import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { AT, O } from "../../ffi/abi/constants.ts";
import { errno } from "../../ffi/errno.ts";
import { Memory, writeCString } from "../../ffi/mem.ts";
import { check, SystemError, sys } from "../../ffi/sys.ts";
import { needsProgram, testUnless } from "../support/skip.ts";
import { createWorkspace } from "../support/workspace.ts";

// Other work on the machine may slow these down; none of them depends on time.
setDefaultTimeout(60_000);

const SYS = join(import.meta.dir, "../../ffi/sys.ts");
const MEM = join(import.meta.dir, "../../ffi/mem.ts");

function open(path: string, flags: number, mode = 0o644): number {
  const memory = new Memory(4096);
  writeCString(memory.bytes, 0, path);
  return sys.openat(AT.FDCWD, memory.pointer, flags | O.CLOEXEC, mode);
}

test("a call that fails answers minus the error number", () => {
  using work = createWorkspace();
  expect(open(work.at("missing"), O.RDONLY)).toBe(-errno.ENOENT);
  expect(open(work.write("file"), O.RDONLY | O.DIRECTORY)).toBe(-errno.ENOTDIR);
  expect(open(work.at("file"), O.RDWR | O.CREAT | O.EXCL)).toBe(-errno.EEXIST);
  expect(sys.close(1_000_000)).toBe(-errno.EBADF);
  expect(sys.fsync(1_000_000)).toBe(-errno.EBADF);
});

test("what is written at an offset is read there", () => {
  using work = createWorkspace();
  const fd = open(work.at("file"), O.RDWR | O.CREAT);
  const memory = new Memory(4096);
  // Above 4 GiB, so that offsets are seen to keep all of their 64 bits.
  const offset = 5 * 1024 ** 3 + 3;
  writeCString(memory.bytes, 0, "hello");
  expect(sys.pwrite(fd, memory.pointer, 5, offset)).toBe(5);
  expect(sys.pread(fd, memory.pointer + 100, 50, offset)).toBe(5);
  expect(memory.text.latin1Slice(100, 105)).toBe("hello");
  expect(sys.lseek(fd, 0, 2)).toBe(offset + 5);
  expect(sys.pread(fd, memory.pointer, 50, offset + 5)).toBe(0);
  expect(sys.close(fd)).toBe(0);
});

test("check passes a result through, and throws for an error with call and path", () => {
  expect(check(7, "read")).toBe(7);
  expect(() => check(-errno.ENOENT, "openat", "a/b")).toThrow(
    'openat "a/b": no such file or folder (ENOENT)',
  );
  try {
    check(-errno.EIO, "fsync");
    expect.unreachable();
  } catch (error) {
    expect(error).toBeInstanceOf(SystemError);
    const { name, errno: number, code, call, path, message } = error as SystemError;
    expect({ name, number, code, call, path, message }).toEqual({
      name: "SystemError",
      number: errno.EIO,
      code: "EIO",
      call: "fsync",
      path: undefined,
      message: "fsync: input/output error (EIO)",
    });
  }
});

/** Runs a program that uses the table, in a process of its own. */
function program(body: string): Bun.Subprocess<"pipe", "pipe", "pipe"> {
  const source = `
    const { sys } = await import(${JSON.stringify(SYS)});
    const { Memory } = await import(${JSON.stringify(MEM)});
    const memory = new Memory(4096);
    ${body}`;
  return Bun.spawn([process.execPath, "-e", source], {
    stdin: "pipe",
    stdout: "pipe",
    stderr: "pipe",
  });
}

testUnless(needsProgram("cc"))(
  "a blocking read goes on after signals whose handlers do not restart it",
  async () => {
    using work = createWorkspace();
    // SIGUSR1 with a handler and without SA_RESTART: the read of pipe(7) ends with EINTR then.
    const source = work.write(
      "handler.c",
      `#include <signal.h>
       #include <unistd.h>
       volatile int seen;
       static void handle(int n) { seen++; }
       void install(void) {
         struct sigaction action = {0};
         action.sa_handler = handle;
         sigaction(SIGUSR1, &action, 0);
       }
       int count(void) { return seen; }
       long plain(int fd, void *to) { return read(fd, to, 1); }`,
    );
    const library = work.at("handler.so");
    const built = Bun.spawnSync(["cc", "-shared", "-fPIC", "-o", library, source]);
    expect(built.stderr.toString()).toBe("");
    const child = program(`
      const { dlopen } = require("bun:ffi");
      const { symbols: c } = dlopen(${JSON.stringify(library)}, {
        install: { args: [], returns: "void" }, count: { args: [], returns: "i32" },
        plain: { args: ["i32", "ptr"], returns: "i64_fast" },
      });
      c.install();
      console.log("ready");
      const plain = c.plain(0, memory.pointer);
      console.log("interrupted " + plain + " after " + c.count());
      const got = sys.read(0, memory.pointer, 100);
      console.log(got + " " + memory.text.latin1Slice(0, got) + " " + (c.count() > 1));`);
    const reader = child.stdout.getReader();
    let text = "";
    const until = async (wanted: string): Promise<void> => {
      while (!text.includes(wanted)) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`ended before "${wanted}": ${text}`);
        text += new TextDecoder().decode(value);
      }
    };
    await until("ready\n");
    // The proof that such a signal interrupts a read here: one that nobody restarts.
    const signals = setInterval(() => child.kill("SIGUSR1"), 5);
    await until("interrupted -1 after ");
    await Bun.sleep(100);
    clearInterval(signals);
    child.stdin.write("hello");
    child.stdin.flush();
    await until("5 hello true\n");
    await child.stdin.end();
    expect(await child.exited).toBe(0);
  },
);
