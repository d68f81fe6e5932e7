import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { errno } from "../../ffi/errno.ts";
import type { FaultCount } from "../../ffi/fault-count.ts";
import { parseFaultRules } from "../../ffi/fault-injection.ts";
import { createWorkspace } from "../support/workspace.ts";

const CALLS = new Set(["openat", "read", "write", "close", "getdents64", "mmap"]);

describe("rules", () => {
  const rules: [string, unknown][] = [
    [
      "write:ENOSPC@3",
      { call: "write", effect: { kind: "errno", errno: errno.ENOSPC }, from: 3, isLasting: false },
    ],
    [
      "write:ENOSPC@3+",
      { call: "write", effect: { kind: "errno", errno: errno.ENOSPC }, from: 3, isLasting: true },
    ],
    ["read:short@2", { call: "read", effect: { kind: "short" }, from: 2, isLasting: false }],
    ["read:zero@2", { call: "read", effect: { kind: "zero" }, from: 2, isLasting: false }],
    ["*:KILL@57", { call: undefined, effect: { kind: "kill" }, from: 57, isLasting: false }],
    [
      "openat:delay:200ms@1",
      { call: "openat", effect: { kind: "delay", delayMs: 200 }, from: 1, isLasting: false },
    ],
  ];
  for (const [text, rule] of rules) {
    test(text, () => expect(parseFaultRules(text, CALLS)).toEqual([rule as never]));
  }
  test("several are separated by commas", () => {
    const parsed = parseFaultRules("read:short@1, *:EIO@9+", CALLS);
    expect(parsed.map(({ call, from }) => [call, from])).toEqual([
      ["read", 1],
      [undefined, 9],
    ]);
  });
});

describe("a malformed rule is an error that says what is wrong", () => {
  const broken: [string, string][] = [
    ["", "expected CALL:EFFECT@N"],
    ["read", "expected CALL:EFFECT@N"],
    ["read:EIO", "expected CALL:EFFECT@N"],
    ["read:EIO@x", "expected CALL:EFFECT@N"],
    ["read:EIO@0", "calls are counted from 1"],
    ["read:EIO@1,", "expected CALL:EFFECT@N"],
    ["raed:EIO@1", '"raed" is no call that can be made to fail'],
    ["mmap:EIO@1", '"mmap" is no call that can be made to fail'],
    ["openat:zero@1", '"openat" asks for no number of bytes'],
    ["read:EWHATEVER@1", '"EWHATEVER" is no effect and no error name'],
    ["read:kill@1", '"kill" is no effect and no error name'],
    ["openat:short@1", '"openat" asks for no number of bytes'],
    ["read:delay@1", '"delay" is no effect and no error name'],
    ["read:delay:90000ms@1", "a delay is at most 60000 ms"],
  ];
  for (const [text, message] of broken) {
    test(JSON.stringify(text), () => {
      expect(() => parseFaultRules(text, CALLS)).toThrow(message);
    });
  }
});

const program = `
  const { sys } = await import(${JSON.stringify(join(import.meta.dir, "../../ffi/sys.ts"))});
  const { Memory, writeCString } =
    await import(${JSON.stringify(join(import.meta.dir, "../../ffi/mem.ts"))});
  const memory = new Memory(4096);
  writeCString(memory.bytes, 0, process.env.FILE ?? "/dev/zero");
  const log = (...words) => console.log(...words);
  const open = () => sys.openat(-100, memory.pointer, 0o2000000, 0);
  const read = (fd) => sys.read(fd, memory.pointer + 1000, 100);`;

/** Runs a small program over the table, with faults. */
function run(body: string, env: Record<string, string>) {
  const source = `${program}\n${body}`;
  const child = Bun.spawnSync([process.execPath, "-e", source], {
    env: { ...process.env, ...env },
  });
  const text = child.stdout.toString().trim();
  const words = text === "" ? [] : text.split(/\s+/).map(Number);
  return { words, stderr: child.stderr.toString(), signal: child.signalCode, code: child.exitCode };
}

describe("disturbed calls", () => {
  const reads = "const fd = open(); log(read(fd), read(fd), read(fd), read(fd));";

  test("nothing happens without the variable", () => {
    expect(run(reads, { TRIAD_FAULTS: "" }).words).toEqual([100, 100, 100, 100]);
  });
  test("the named call fails once", () => {
    expect(run(reads, { TRIAD_FAULTS: "read:EIO@2" }).words).toEqual([100, -errno.EIO, 100, 100]);
  });
  test("or from then on", () => {
    const failed = -errno.EIO;
    expect(run(reads, { TRIAD_FAULTS: "read:EIO@3+" }).words).toEqual([100, 100, failed, failed]);
  });
  test("calls of any name count for a star", () => {
    expect(run(reads, { TRIAD_FAULTS: "*:EIO@3" }).words).toEqual([100, -errno.EIO, 100, 100]);
  });
  test("a short call asks for half", () => {
    expect(run(reads, { TRIAD_FAULTS: "read:short@1" }).words).toEqual([50, 100, 100, 100]);
  });
  test("a call that answers zero is not made", () => {
    expect(run(reads, { TRIAD_FAULTS: "read:zero@2" }).words).toEqual([100, 0, 100, 100]);
    // Calls that have no length are left alone by a star.
    expect(run(reads, { TRIAD_FAULTS: "*:zero@1" }).words).toEqual([100, 100, 100, 100]);
  });
  test("an interrupted call is made again by the table itself", () => {
    const interrupted = run(reads, { TRIAD_FAULTS: "read:EINTR@2" });
    expect(interrupted.words).toEqual([100, 100, 100, 100]);
    // The retry is a call, too: what was to be the third is the fourth now.
    const both = run(reads, { TRIAD_FAULTS: "read:EINTR@2,read:EIO@4" });
    expect(both.words).toEqual([100, 100, -errno.EIO, 100]);
  });
  test("close lets go of the descriptor all the same, and is not repeated after EINTR", () => {
    const body = "const fd = open(); log(sys.close(fd), open() === fd ? 1 : 0);";
    expect(run(body, { TRIAD_FAULTS: "close:EIO@1" }).words).toEqual([-errno.EIO, 1]);
    expect(run(body, { TRIAD_FAULTS: "close:EINTR@1" }).words).toEqual([0, 1]);
  });
  test("a call that answers with the error number itself does so", () => {
    const body = "log(sys.posix_fadvise(open(), 0, 0, 2));";
    expect(run(body, { TRIAD_FAULTS: "posix_fadvise:EIO@1" }).words).toEqual([errno.EIO]);
  });
  test("a delayed call is made", () => {
    const body = `const start = performance.now(); const fd = open();
      log(fd >= 0 ? 1 : 0, performance.now() - start >= 100 ? 1 : 0);`;
    expect(run(body, { TRIAD_FAULTS: "openat:delay:100ms@1" }).words).toEqual([1, 1]);
  });
  test("a kill comes before the call is made", () => {
    using work = createWorkspace();
    const body = `${"log(1);"} sys.mkdirat(-100, memory.pointer, 0o755); log(2);`;
    const killed = run(body, { TRIAD_FAULTS: "mkdirat:KILL@1", FILE: work.at("made") });
    expect([killed.words, killed.signal]).toEqual([[1], "SIGKILL"]);
    expect([...new Bun.Glob("*").scanSync({ cwd: work.path, onlyFiles: false })]).toEqual([]);
    const lived = run(body, { TRIAD_FAULTS: "mkdirat:KILL@2", FILE: work.at("made") });
    expect(lived.words).toEqual([1, 2]);
  });
  test("a malformed variable stops the program", () => {
    const broken = run(reads, { TRIAD_FAULTS: "read:EIO" });
    expect(broken.code).toBe(1);
    expect(broken.stderr).toContain('Cannot read "read:EIO" of TRIAD_FAULTS');
  });
});

describe("counts", () => {
  function count(body: string): { count: FaultCount; words: number[] } {
    using work = createWorkspace();
    const { words, stderr } = run(body, { TRIAD_FAULTS_COUNT: work.at("count") });
    expect(stderr).toBe("");
    return { words, count: JSON.parse(readFileSync(work.at("count"), "utf8")) as FaultCount };
  }

  test("calls by name, and descriptors that were left open", () => {
    const { count: found } = count("const fd = open(); open(); read(fd); read(fd); sys.close(fd);");
    expect(found.threads).toEqual([{ total: 5, calls: { openat: 2, read: 2, close: 1 } }]);
    expect(found.open.filter((path) => path === "/dev/zero")).toHaveLength(1);
  });
  test("every thread has its own, and its own faults", () => {
    const worker = `${program} const fd = open(); read(fd); read(fd);
      postMessage([read(fd), read(fd)]);`;
    const body = `
      const fd = open(); read(fd);
      const code = new Blob([${JSON.stringify(worker)}], { type: "text/javascript" });
      const url = URL.createObjectURL(code);
      const worker = new Worker(url);
      const answer = await new Promise((resolve) => { worker.onmessage = (e) => resolve(e.data); });
      worker.terminate();
      log(...answer, read(fd));`;
    const { count: found, words } = count(body);
    expect(words).toEqual([100, 100, 100]);
    expect(found.threads).toEqual([
      { total: 3, calls: { openat: 1, read: 2 } },
      { total: 5, calls: { openat: 1, read: 4 } },
    ]);
    const faulty = run(body, { TRIAD_FAULTS: "read:EIO@3" });
    expect(faulty.words).toEqual([-errno.EIO, 100, 100]);
  });
});
