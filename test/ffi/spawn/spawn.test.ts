import { ptr } from "bun:ffi";
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { O } from "../../../ffi/abi/constants.ts";
import { NR } from "../../../ffi/abi/system-call.ts";
import { errno } from "../../../ffi/errno.ts";
import { processCalls } from "../../../ffi/process.ts";
import { type SpawnStep, spawnProgram } from "../../../ffi/spawn/spawn.ts";
import { createWorkspace } from "../../support/workspace.ts";

const AT_FDCWD = -100;

function program(...argv: string[]): SpawnStep {
  const path = argv[0] ?? "";
  return {
    label: `run "${path}"`,
    call: NR.execve,
    arguments: [path, argv, ["PATH=/usr/bin:/bin", "GREETING=grüß"]],
  };
}

/** Opens a file as standard output of the child. */
function outputTo(path: string): SpawnStep[] {
  const flags = O.WRONLY | O.CREAT | O.TRUNC | O.CLOEXEC;
  return [
    { label: "open", call: NR.openat, arguments: [AT_FDCWD, path, flags, 0o600], feedsNext: true },
    { label: "dup", call: NR.dup3, arguments: [0, 1, 0] },
  ];
}

/** The wait status; the child is ours alone, since Bun knows nothing of it. */
function wait(pid: number): number {
  const status = new Int32Array(1);
  expect(processCalls().waitpid(pid, ptr(status), 0)).toBe(pid);
  return status[0] ?? -1;
}

test("runs a program with arguments, environment and an opened file", () => {
  using work = createWorkspace();
  const path = work.at("out");
  const result = spawnProgram([
    ...outputTo(path),
    program("/bin/sh", "-c", 'echo "$1 $GREETING"; exit 7', "sh", "zwei Wörter"),
  ]);
  if (result.kind !== "running") throw new Error(JSON.stringify(result));
  expect(wait(result.pid)).toBe(7 << 8);
  expect(readFileSync(path, "utf8")).toBe("zwei Wörter grüß\n");
});

test("names the step that failed, and the child can be waited for", () => {
  const steps = [
    { label: "first", call: NR.chdir, arguments: ["/nowhere/at/all"], mayFail: true },
    { label: 'change to "/nowhere"', call: NR.chdir, arguments: ["/nowhere"] },
    program("/bin/true"),
  ];
  const result = spawnProgram(steps);
  expect(result).toMatchObject({
    kind: "failed",
    label: 'change to "/nowhere"',
    errno: errno.ENOENT,
  });
  if (result.kind === "failed") expect(wait(result.pid ?? -1)).toBe(127 << 8);
});

test("a program that does not exist is the failure of the last step", () => {
  const result = spawnProgram([program("/nowhere")]);
  expect(result).toMatchObject({ label: 'run "/nowhere"', errno: errno.ENOENT });
  if (result.kind === "failed") wait(result.pid ?? -1);
});

test("no signal is blocked or ignored in the child, also none that Bun ignores", () => {
  using work = createWorkspace();
  const path = work.at("status");
  const result = spawnProgram([...outputTo(path), program("/bin/cat", "/proc/self/status")]);
  if (result.kind !== "running") throw new Error(JSON.stringify(result));
  expect(wait(result.pid)).toBe(0);
  const status = readFileSync(path, "utf8");
  for (const name of ["SigBlk", "SigIgn", "SigCgt"]) {
    expect(new RegExp(`${name}:\\s*(\\w+)`).exec(status)?.[1]).toBe("0000000000000000");
  }
});

test("signals of ours are as before, and handled", async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  process.once("SIGUSR2", () => resolve());
  const result = spawnProgram([program("/bin/true")]);
  if (result.kind === "running") wait(result.pid);
  process.kill(process.pid, "SIGUSR2");
  await promise;
});

test("texts that are too long are a failure without a child", () => {
  const result = spawnProgram([program("/bin/true", "x".repeat(1 << 20))]);
  expect(result).toMatchObject({ kind: "failed", errno: errno.E2BIG, pid: undefined });
});

test("hundreds of children, each waited for", () => {
  for (let index = 0; index < 300; index += 1) {
    const result = spawnProgram([program("/bin/true")]);
    if (result.kind !== "running") throw new Error(JSON.stringify(result));
    expect(wait(result.pid)).toBe(0);
  }
});
