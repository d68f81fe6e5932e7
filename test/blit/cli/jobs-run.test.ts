import { expect, test } from "bun:test";
import { jobsCommand } from "../../../src/blit/cli/jobs.ts";
import { createJobHandlers } from "../../../src/blit/daemon/job-handlers.ts";
import { JobTable } from "../../../src/blit/daemon/jobs.ts";
import { counter } from "../../../src/blit/engine/shared-state.ts";
import type { CommandSpec } from "../../../src/kit/cli/command.ts";
import { capture } from "../../support/capture.ts";
import { serveControl } from "../../support/control.ts";

const run = (...argv: string[]) => capture(jobsCommand as CommandSpec, argv, { name: "jobs" });

/** A daemon with one running push, and a way to end it. */
async function daemonWithJob() {
  const jobs = new JobTable();
  const modules = { isVisible: async () => true };
  const server = await serveControl(createJobHandlers({ jobs, modules }));
  let cancelled = 0;
  const about = { kind: "push", peer: "127.0.0.1", identities: [], module: "m", path: "a\u001bb" };
  const job = jobs.start(about, () => {
    cancelled += 1;
    job.end("cancelled");
  });
  const counts: number[] = [];
  counts[counter.itemsDone] = 1234;
  counts[counter.bytesDone] = 5 * 1024 * 1024;
  job.watch(() => ({ counts: Array.from(counts, (count) => count ?? 0), isFinal: false }));
  return {
    job,
    name: `127.0.0.1:${server.port}`,
    cancelled: () => cancelled,
    [Symbol.asyncDispose]: () => server.close(),
  };
}

test("list shows what runs, harmless for the terminal", async () => {
  await using daemon = await daemonWithJob();
  const { code, out, err } = await run("list", daemon.name);
  expect([code, err]).toEqual([0, ""]);
  const [titles, row] = out.split("\n").map((line) => line.split(/ {2,}/));
  expect(titles).toEqual(["Job", "Kind", "Client", "Place", "State", "Files", "Size", "For"]);
  expect(row?.slice(0, 7)).toEqual([
    daemon.job.job.id,
    "push",
    "127.0.0.1",
    "/m/a\\eb",
    "running",
    "1,234",
    "5.0 MiB",
  ]);
  const json = JSON.parse((await run("list", "--json", daemon.name)).out);
  expect(json).toMatchObject({ schema: "blit.job/1", items: 1234, state: "running" });
});

test("cancel ends a job once, watch tells of its end", async () => {
  await using daemon = await daemonWithJob();
  const { id } = daemon.job.job;
  const watching = run("watch", "--json", daemon.name, id);
  const cancelled = await run("cancel", daemon.name, id);
  expect([cancelled.code, cancelled.err]).toEqual([0, `Told the job ${id} to end\n`]);
  const watched = await watching;
  expect(watched.code).toBe(1);
  expect(JSON.parse(watched.out.trimEnd().split("\n").at(-1) ?? "")).toMatchObject({
    id,
    state: "cancelled",
  });
  const again = await run("cancel", "--json", daemon.name, id);
  expect(JSON.parse(again.out)).toEqual({ schema: "blit.cancel/1", id, wasRunning: false });
  expect(daemon.cancelled()).toBe(1);
  const none = await run("list", daemon.name);
  expect([none.out, none.err]).toEqual([
    "",
    "Nothing is going on there; --all shows 1 that have ended\n",
  ]);
  expect((await run("list", "--all", daemon.name)).out).toContain("cancelled");
});

test("a job that is not there is an error", async () => {
  await using daemon = await daemonWithJob();
  for (const command of ["watch", "cancel"]) {
    const { code, err } = await run(command, daemon.name, "nothing");
    expect([code, err]).toEqual([1, expect.stringContaining('Cannot find the job "nothing"')]);
  }
});
