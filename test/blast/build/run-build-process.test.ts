import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { runBuildProcess } from "../../../src/blast/build/run-build-process.ts";
import { createWorkspace } from "../../support/workspace.ts";

const SOURCE = resolve(import.meta.dir, "../../../src/blast/build/run-build-process.ts");

async function run(script: string, environment: Record<string, string> = {}) {
  const output: Uint8Array[] = [];
  const exit = await runBuildProcess({
    command: ["/bin/sh", "-c", script],
    folder: "/",
    environment: { PATH: "/usr/bin:/bin", ...environment },
    onOutput: (bytes) => output.push(bytes.slice()),
  });
  return { exit, text: Buffer.concat(output).toString() };
}

function isRunning(pid: number): boolean {
  // A process that has ended and that nobody has asked about is none any more.
  return existsSync(`/proc/${pid}`) && !/^State:\s*Z/m.test(statusOf(pid));
}

function statusOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/status`, "utf8");
  } catch {
    return "State: Z";
  }
}

async function until(isSo: () => boolean): Promise<void> {
  for (let tries = 0; tries < 3000 && !isSo(); tries += 1) await Bun.sleep(10);
}

test("output of both streams, exit code, and nothing inherited", async () => {
  expect(await run('echo "a $MINE $HOME"; echo b >&2; exit 3', { MINE: "1" })).toEqual({
    exit: { exitCode: 3, signal: undefined },
    text: expect.stringMatching(/^(a 1 \nb\n|b\na 1 \n)$/),
  });
  expect((await run("kill -9 $$")).exit).toEqual({ exitCode: undefined, signal: "SIGKILL" });
  expect((await run("read x; echo got $?")).text).toBe("got 1\n");
});

test("what a build leaves running is ended, and not waited for", async () => {
  const { exit, text } = await run("sleep 1000 & echo $!");
  expect(exit.exitCode).toBe(0);
  const pid = Number(text);
  expect(pid).toBeGreaterThan(1);
  await until(() => !isRunning(pid));
  expect(isRunning(pid)).toBe(false);
});

test("what nobody waits for ends with us", async () => {
  using work = createWorkspace();
  const script = work.write(
    "run.ts",
    `import { existsSync } from "node:fs";
     import { runBuildProcess } from ${JSON.stringify(SOURCE)};
     void runBuildProcess({
       command: ["/bin/sh", "-c", "echo $$ > pid.tmp; mv pid.tmp pid; sleep 1000"],
       folder: ${JSON.stringify(work.path)},
       environment: { PATH: "/usr/bin:/bin" },
       onOutput: () => undefined,
     });
     while (!existsSync(${JSON.stringify(work.at("pid"))})) await Bun.sleep(5);
     process.exit(7);`,
  );
  const child = Bun.spawn([process.execPath, script], { stdout: "inherit", stderr: "inherit" });
  expect(await child.exited).toBe(7);
  const pid = Number(readFileSync(work.at("pid"), "utf8"));
  await until(() => !isRunning(pid));
  expect(isRunning(pid)).toBe(false);
});

for (const [signal, code] of [
  ["SIGINT", 130],
  ["SIGTERM", 143],
  ["SIGHUP", 129],
] as const) {
  test(`${signal} ends the build with all that it has started, then us`, async () => {
    using work = createWorkspace();
    const script = work.write(
      "run.ts",
      `import { writeFileSync } from "node:fs";
       import { onBuildInterrupt, runBuildProcess } from ${JSON.stringify(SOURCE)};
       onBuildInterrupt(() => writeFileSync(${JSON.stringify(work.at("cleaned"))}, ""));
       await runBuildProcess({
         command: ["/bin/sh", "-c", "trap '' INT TERM HUP; sleep 1000 & echo $$ $! > pids; wait"],
         folder: ${JSON.stringify(work.path)},
         environment: { PATH: "/usr/bin:/bin" },
         onOutput: () => undefined,
       });`,
    );
    const child = Bun.spawn([process.execPath, script], { stdout: "inherit", stderr: "inherit" });
    await until(() => existsSync(work.at("pids")) && readFileSync(work.at("pids")).length > 3);
    const pids = readFileSync(work.at("pids"), "utf8").trim().split(" ").map(Number);
    child.kill(signal);
    await child.exited;
    expect(child.exitCode ?? 128 + { SIGINT: 2, SIGTERM: 15, SIGHUP: 1 }[signal]).toBe(code);
    expect(child.signalCode as string | null).toBe(signal);
    await until(() => !pids.some(isRunning));
    expect(pids.filter(isRunning)).toEqual([]);
    expect(existsSync(work.at("cleaned"))).toBe(true);
  });
}
