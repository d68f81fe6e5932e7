import { expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { runStreamed } from "../../../src/kit/proc/run-streamed.ts";
import { createWorkspace } from "../../support/workspace.ts";

setDefaultTimeout(60_000);

async function shell(script: string, input?: string, onText: (text: string) => void = () => {}) {
  let output = "";
  const exit = await runStreamed({
    command: ["/bin/sh", "-c", script],
    folder: "/",
    environment: { PATH: process.env["PATH"] ?? "", ONLY: "this" },
    onOutput: (bytes) => {
      output += new TextDecoder().decode(bytes);
      onText(output);
    },
    ...(input === undefined ? {} : { input }),
  });
  return { ...exit, output };
}

test("both streams, exit code, own environment, input", async () => {
  const got = await shell('echo out; echo err >&2; echo "$ONLY:$HOME"; cat; exit 7', "in\n");
  expect(got.exitCode).toBe(7);
  expect(got.output.split("\n").sort()).toEqual(["", "err", "in", "out", "this:"]);
});

test("a signal that ends it is told; children that stay are ended", async () => {
  expect(await shell("kill -SEGV $$")).toMatchObject({ exitCode: undefined, signal: "SIGSEGV" });
  const { output } = await shell("sleep 600 & echo $!");
  const isGone = (): boolean => {
    const state = Bun.spawnSync(["ps", "-o", "stat=", "-p", output.trim()]).stdout.toString();
    return state === "" || state.startsWith("Z");
  };
  while (!isGone()) await Bun.sleep(10);
});

test("who has left the group may hold the output open", async () => {
  const { output, exitCode } = await shell("setsid sleep 600 & echo $!");
  try {
    expect(exitCode).toBe(0);
  } finally {
    process.kill(Number(output.trim()), "SIGKILL");
  }
});

test("where nobody can take the output, the program cleans up and the reason is told", async () => {
  using work = createWorkspace();
  const half = work.write("half", "");
  let calls = 0;
  // What has left the group prints on.
  const daemon = "setsid sh -c 'sleep 0.1; echo late >&2' &";
  const script = `trap 'rm ${half}; exit 3' TERM; ${daemon} echo one; sleep 600 & wait`;
  const run = shell(script, undefined, () => {
    calls++;
    throw new Error("no room");
  });
  await expect(run).rejects.toThrow("no room");
  expect(existsSync(half)).toBe(false);
  await Bun.sleep(300);
  expect(calls).toBe(1);
});

test("what cannot be started is a fault", async () => {
  const run = runStreamed({
    command: ["/nowhere/tool"],
    folder: "/",
    environment: {},
    onOutput: () => undefined,
  });
  await expect(run).rejects.toMatchObject({ code: "E_IO" });
});

test("an interrupt goes to the group, which may clean up; then it is a fault", async () => {
  const ready = Promise.withResolvers<void>();
  const script = "trap 'echo cleaned; exit 3' INT; echo ready; sleep 600 & wait";
  const run = shell(script, undefined, () => ready.resolve());
  let fault: unknown;
  const ended = run.catch((error: unknown) => {
    fault = error;
  });
  await ready.promise;
  process.kill(process.pid, "SIGINT");
  await ended;
  expect(fault).toMatchObject({ code: "E_INTERRUPTED" });
});
