import { expect, test } from "bun:test";
import { join } from "node:path";
import { openEnvironment } from "../../../src/blast/env/environment.ts";
import { lockEnvironment, tryLockEnvironment } from "../../../src/blast/env/lock.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { createBareVenv } from "../../support/blast-env.ts";
import { createWorkspace } from "../../support/workspace.ts";

test("one writer at a time; who waits is told for whom", async () => {
  using work = createWorkspace();
  const environment = openEnvironment(createBareVenv(work));
  const first = await lockEnvironment(environment, { command: "blast install a" });
  const refused = await lockEnvironment(environment, { command: "b", waits: false }).catch(
    (error: unknown) => error,
  );
  expect(refused).toBeInstanceOf(Fault);
  expect(refused).toMatchObject({
    code: "E_LOCKED",
    message:
      `Cannot change "${environment.root}": process ${process.pid} (blast install a) ` +
      "is changing it",
  });
  expect(tryLockEnvironment(environment, "c")).toBeUndefined();
  const told: string[] = [];
  const waiting = lockEnvironment(environment, { command: "d", onWait: (who) => told.push(who) });
  while (told.length === 0) await Bun.sleep(5);
  expect(told).toEqual([`process ${process.pid} (blast install a)`]);
  first[Symbol.dispose]();
  using second = await waiting;
  expect(second.path).toBe(join(environment.root, ".blast/lock"));
});

test("the lock of a process that was killed is free at once", async () => {
  using work = createWorkspace();
  const environment = openEnvironment(createBareVenv(work));
  const source = `
    import { openEnvironment } from ${JSON.stringify(module("environment.ts"))};
    import { lockEnvironment } from ${JSON.stringify(module("lock.ts"))};
    await lockEnvironment(openEnvironment(process.argv.at(-1)), { command: "child" });
    console.log("locked");
    setInterval(() => {}, 1000);`;
  const child = Bun.spawn([process.execPath, "-e", source, "--", environment.root], {
    stdout: "pipe",
  });
  await child.stdout.getReader().read();
  expect(tryLockEnvironment(environment, "here")).toBeUndefined();
  child.kill("SIGKILL");
  await child.exited;
  using lock = tryLockEnvironment(environment, "here");
  expect(lock).toBeDefined();
});

test("an environment that may not be changed is told so", async () => {
  using work = createWorkspace();
  const environment = openEnvironment(createBareVenv(work));
  work.write("venv/.blast", "a file");
  const problem = await lockEnvironment(environment, { command: "x" }).catch((e: unknown) => e);
  expect(problem).toMatchObject({ code: "E_IO" });
});

function module(name: string): string {
  return join(import.meta.dir, "../../../src/blast/env", name);
}
