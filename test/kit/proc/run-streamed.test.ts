import { expect, test } from "bun:test";
import { runStreamed } from "../../../src/kit/proc/run-streamed.ts";

async function shell(script: string, input?: string) {
  let output = "";
  const exit = await runStreamed({
    command: ["/bin/sh", "-c", script],
    folder: "/",
    environment: { PATH: process.env["PATH"] ?? "", ONLY: "this" },
    onOutput: (bytes) => {
      output += new TextDecoder().decode(bytes);
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
  const started = performance.now();
  const { output } = await shell("sleep 60 & echo $!");
  expect(performance.now() - started).toBeLessThan(10_000);
  await Bun.sleep(50);
  const state = Bun.spawnSync(["ps", "-o", "stat=", "-p", output.trim()]).stdout.toString();
  expect(state === "" || state.startsWith("Z")).toBe(true);
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
  const run = shell("trap 'echo cleaned; exit 3' INT; echo ready; sleep 60 & wait");
  let fault: unknown;
  const ended = run.catch((error: unknown) => {
    fault = error;
  });
  await Bun.sleep(300);
  process.kill(process.pid, "SIGINT");
  await ended;
  expect(fault).toMatchObject({ code: "E_INTERRUPTED" });
});
