import { expect, test } from "bun:test";
import { JobTable } from "../../../src/blit/daemon/jobs.ts";

const about = { kind: "push", peer: "127.0.0.1", identities: [], module: "m", path: "a" };

test("a job is told about while it runs and after it, with its last figures", async () => {
  const jobs = new JobTable();
  const { job, watch, end } = jobs.start(about, () => {});
  expect(job.progress()).toEqual({ counts: [], isFinal: false });
  let files = 1;
  watch(() => ({ counts: [files], isFinal: true }));
  expect(jobs.list().map(({ id, state }) => [id, state])).toEqual([[job.id, "running"]]);
  let isIdle = false;
  const idle = jobs.whenIdle().then(() => (isIdle = true));
  await Promise.resolve();
  expect(isIdle).toBe(false);
  files = 2;
  end("done");
  files = 3;
  end("failed");
  await idle;
  expect(jobs.get(job.id).state).toBe("done");
  expect(job.progress().counts).toEqual([2]);
});

test("only what runs can be cancelled, and only what is known", () => {
  const jobs = new JobTable();
  let cancels = 0;
  const { job, end } = jobs.start(about, () => {
    cancels += 1;
  });
  expect(jobs.cancel(job.id)).toBe(true);
  end("cancelled");
  expect(jobs.cancel(job.id)).toBe(false);
  expect(cancels).toBe(1);
  expect(() => jobs.cancel("none")).toThrow("there is none of that id");
});

test("ended jobs are forgotten, running ones never", () => {
  const jobs = new JobTable();
  const first = jobs.start(about, () => {}).job;
  for (let i = 0; i < 250; i++) jobs.start(about, () => {}).end("done");
  expect(jobs.list().length).toBe(101);
  expect(jobs.get(first.id).state).toBe("running");
  expect(jobs.running).toBe(1);
});
