import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync } from "node:fs";
import { UnpackPool } from "../../../src/blast/wheel/pool.ts";
import type { UnpackJob } from "../../../src/blast/wheel/unpack.ts";
import { Fault } from "../../../src/kit/fault/fault.ts";
import { createUnpackWorker } from "../../../src/workers.ts";
import { makeWheel, writeWheel } from "../../support/wheel-writer.ts";
import { createWorkspace } from "../../support/workspace.ts";

setDefaultTimeout(60_000);

const work = createWorkspace();
afterAll(() => work[Symbol.dispose]());
const MIB = 1024 * 1024;

function job(name: string, sizeBytes = 10): { job: UnpackJob; sha256: string } {
  const wheel = makeWheel({ name, files: { [`${name}.bin`]: Buffer.alloc(sizeBytes, name) } });
  const archivePath = writeWheel(work.path, wheel);
  const expected = { filename: wheel.filename };
  return { job: { archivePath, sha256: undefined, expected }, sha256: wheel.sha256 };
}

/** A factory that counts, and the workers that it made. */
function counting(): { made: Worker[]; factory: () => Worker } {
  const made: Worker[] = [];
  const factory = () => {
    const worker = createUnpackWorker();
    made.push(worker);
    return worker;
  };
  return { made, factory };
}

test("little is unpacked on the calling thread, more in threads as many as asked for", async () => {
  const { made, factory } = counting();
  using pool = new UnpackPool(factory, 2);
  const few = ["a", "b", "c"].map((name) => job(name));
  const hashes = await Promise.all(few.map(({ job }) => pool.unpack(work.at("one"), job, 1000)));
  expect(hashes).toEqual(few.map(({ sha256 }) => sha256));
  expect(made.length).toBe(0);
  const many = ["d", "e", "f", "g", "h"].map((name) => job(name));
  const more = await Promise.all(many.map(({ job }) => pool.unpack(work.at("one"), job, MIB)));
  expect(more).toEqual(many.map(({ sha256 }) => sha256));
  expect(made.length).toBe(2);
  // Once there are threads, they take everything.
  const { job: last, sha256 } = job("i");
  expect(await pool.unpack(work.at("one"), last, 1)).toBe(sha256);
});

test("without a factory everything runs on the calling thread", async () => {
  using pool = new UnpackPool(undefined);
  pool.warm();
  const { job: large, sha256 } = job("large");
  expect(await pool.unpack(work.at("two"), large, 100 * MIB)).toBe(sha256);
});

test("the largest goes first", async () => {
  using pool = new UnpackPool(undefined);
  const order: string[] = [];
  await Promise.all(
    [3, 1, 2].map(async (size) => {
      await pool.unpack(work.at("three"), job(`s${size}`).job, size);
      order.push(`s${size}`);
    }),
  );
  expect(order).toEqual(["s3", "s2", "s1"]);
});

test("faults come back as they were, and the others go on", async () => {
  const { factory } = counting();
  using pool = new UnpackPool(factory, 1);
  const bad = { ...job("bad").job, sha256: "0".repeat(64) };
  const good = job("good");
  const [refused, done] = await Promise.allSettled([
    pool.unpack(work.at("four"), bad, 2 * MIB),
    pool.unpack(work.at("four"), good.job, 1),
  ]);
  const fault = (refused as PromiseRejectedResult).reason as Fault;
  expect(fault).toBeInstanceOf(Fault);
  expect([fault.code, fault.details["archive"]]).toEqual([
    "E_INTEGRITY",
    "bad-1.0-py3-none-any.whl",
  ]);
  expect(done).toEqual({ status: "fulfilled", value: good.sha256 });
});

test("a thread that ends takes its wheel along, not the others", async () => {
  const { made, factory } = counting();
  // The first one ends with its wheel in hand, long before a thread can have begun.
  const ending = (): Worker => {
    const worker = factory();
    if (made.length === 1) queueMicrotask(() => worker.terminate());
    return worker;
  };
  using pool = new UnpackPool(ending, 1);
  const results = [job("x"), job("y")].map(({ job }) => {
    return pool.unpack(work.at("five"), job, 2 * MIB);
  });
  const settled = await Promise.allSettled(results);
  const failed = settled.filter(({ status }) => status === "rejected");
  expect(failed.length).toBe(1);
  expect((failed[0] as PromiseRejectedResult).reason.code).toBe("E_BUG");
  expect(made.length).toBe(2);
});

test("what is not finished when the pool is closed is told as interrupted", async () => {
  const closing = (): Worker => {
    queueMicrotask(() => pool.close());
    return createUnpackWorker();
  };
  const pool = new UnpackPool(closing, 1);
  const results = [job("m"), job("n")].map(({ job }) => pool.unpack(work.at("six"), job, MIB));
  for (const result of await Promise.allSettled(results)) {
    expect((result as PromiseRejectedResult).reason.code).toBe("E_INTERRUPTED");
  }
  await expect(pool.unpack(work.at("six"), job("o").job, 1)).rejects.toThrow("closed");
});

test("idle threads do not keep a process from ending", () => {
  const source = `
    const { openStore } = await import("${import.meta.dir}/../../../src/blast/wheel/store.ts");
    const { createUnpackWorker } = await import("${import.meta.dir}/../../../src/workers.ts");
    const store = openStore("${work.at("seven")}", { createWorker: createUnpackWorker });
    await store.warm();
    const wheel = await store.add("${job("end").job.archivePath}", { expected: { name: "end" } });
    console.log(wheel.name);`;
  const child = Bun.spawnSync([process.execPath, "-e", source], { timeout: 30_000 });
  expect(child.stderr.toString()).toBe("");
  expect(child.stdout.toString()).toBe("end\n");
  expect(child.exitCode).toBe(0);
  expect(existsSync(work.at("seven"))).toBeTrue();
  expect(readdirSync(work.at("seven/wheels-v1/.unpacking"))).toEqual([]);
});
