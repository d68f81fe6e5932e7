import { expect } from "bun:test";
import { join } from "node:path";
import { makeSet } from "../../../bench/data.ts";
import { NR } from "../../../bench/uring/abi.ts";
import type { CopyWay, Job, Measured } from "../../../bench/uring/job.ts";
import { syscall } from "../../../bench/uring/ring.ts";
import { errno } from "../../../ffi/errno.ts";
import { needsIoUring } from "../../support/io-uring.ts";
import { firstReason, needsProgram, testUnless } from "../../support/skip.ts";
import { createWorkspace } from "../../support/workspace.ts";

const script = join(import.meta.dir, "../../../bench/uring.ts");
const ring = { mode: "plain", workersMax: 0, depth: 7 } as const;

/** The job is done in a process of its own: it changes the umask. */
function run(job: Job): { measured: Measured | undefined; error: string } {
  const argv = [process.execPath, script, "--job", JSON.stringify(job)];
  const child = Bun.spawnSync(argv, { stderr: "pipe" });
  const error = child.stderr.toString();
  return {
    measured: child.exitCode === 0 ? JSON.parse(child.stdout.toString()) : undefined,
    error,
  };
}

function differences(source: string, target: string): string {
  const flags = ["-naiHAXc", "--delete", "--modify-window=-1", "--omit-dir-times"];
  return Bun.spawnSync(["rsync", ...flags, `${source}/`, `${target}/`]).stdout.toString();
}

function needsListxattrat(): string | undefined {
  const isMissing = syscall(NR.listxattrat, -1, 0, 0, 0, 0, 0) === -errno.ENOSYS;
  return isMissing ? "needs listxattrat (Linux 6.13)" : undefined;
}

const reason = firstReason(needsIoUring(), needsProgram("rsync"));
const ways: readonly CopyWay[] = ["calls", "batched", "inline", "chained", "read-chain"];

for (const way of ways) {
  const needs = way.includes("chain") ? needsListxattrat() : undefined;
  testUnless(firstReason(reason, needs))(
    `${way} makes an equal tree, and tells a file in the way`,
    () => {
      using work = createWorkspace();
      const [source, target] = [work.at("source"), work.at("target")];
      const made = makeSet(source, "small", 0.003);
      const job: Job = { kind: "small", threads: 2, source, target, way, ring };
      const { measured, error } = run(job);
      expect(error).toBe("");
      expect(measured).toMatchObject({ items: made.files, bytes: made.bytes });
      expect(differences(source, target)).toBe("");
      // A second time every folder is there already.
      expect(run(job).error).toContain("mkdirat failed: EEXIST");
    },
  );
}

testUnless(reason)("a file that is not small, or not plain, is no figure", () => {
  using work = createWorkspace();
  work.write("source/group/folder/large", new Uint8Array(9000));
  const base = { kind: "small", threads: 1, source: work.at("source"), ring } as const;
  for (const way of ["calls", "batched", "inline"] as const) {
    const { error } = run({ ...base, way, target: work.at(way) });
    expect(error).toContain("a file is not small and plain");
  }
});

testUnless(needsIoUring())(
  "both ways copy a big file of odd length, and see the same statuses",
  () => {
    using work = createWorkspace();
    const bytes = 5 * 256 * 1024 + 12_345;
    const content = new Uint8Array(bytes).map((_, index) => (index * 31 + (index >> 8)) % 251);
    const source = work.write("source", content);
    for (const way of ["calls", "ring"] as const) {
      const target = work.at(way);
      const { measured } = run({ kind: "big", cold: false, threads: 2, source, target, way, ring });
      expect(measured?.bytes).toBe(bytes);
      expect(Bun.spawnSync(["cmp", source, target]).exitCode).toBe(0);
    }
    makeSet(work.at("small"), "small", 0.002);
    const sums = (["calls", "ring"] as const).map((way) => {
      const job: Job = { kind: "stat", threads: 1, source: work.at("small"), way, passes: 2, ring };
      return run(job).measured;
    });
    expect(sums[0]?.items).toBe(400);
    expect(sums[0]?.checksum).toBeGreaterThan(0);
    expect(sums[1]?.checksum).toBe(sums[0]?.checksum as number);
  },
);
