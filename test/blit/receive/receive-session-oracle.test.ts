import { expect, test } from "bun:test";
import fc from "fast-check";
import type { SessionOptions } from "../../../src/blit/session/types.ts";
import { createFreshWorkspace } from "../../support/loop-filesystem.ts";
import { type RandomPlan, randomPlans, TreeModel } from "../../support/random-tree.ts";
import { describeUnless, firstReason, needsRoot } from "../../support/skip.ts";
import { StreamTransfer } from "../../support/stream-transfer.ts";
import { describeTree, differences, makeTree, treeToolsMissing } from "../../support/tree.ts";
import { removeTree, type Workspace } from "../../support/workspace.ts";

/** TRIAD_ORACLE_RUNS and TRIAD_ORACLE_SEED look further than every day. */
const RUNS = Number(process.env["TRIAD_ORACLE_RUNS"] ?? 6);
const SEED = Number(process.env["TRIAD_ORACLE_SEED"] ?? 20_261_121);

/** Transfers as often as the target asks for; nothing may be reported. */
async function run(work: Workspace, options: Partial<SessionOptions>): Promise<void> {
  const sources = [`${work.at("a")}/`];
  const target = work.at("b");
  const all = { specials: true, allowEmptySource: true, ...options };
  await using transfer = await StreamTransfer.open({ sources, target, options: all, streams: 2 });
  for (let pass = 1; ; pass++) {
    const result = await transfer.pass();
    expect({ ...result.source, counts: [] }).toEqual({
      counts: [],
      issues: [],
      listingErrors: 0,
      cancelled: 0,
    });
    expect(result.target.issues).toEqual([]);
    expect(result.target.deletionsSkipped).toBeUndefined();
    if (!result.target.needsAnotherPass) return;
    expect(pass).toBeLessThan(3);
  }
}

function expectEqual(work: Workspace): void {
  expect(describeTree(work.at("b"))).toEqual(describeTree(work.at("a")));
  expect(differences(work.at("a"), work.at("b"))).toBe("");
}

async function follow(work: Workspace, plan: RandomPlan, checksum: boolean): Promise<void> {
  removeTree(work.at("a"));
  removeTree(work.at("b"));
  makeTree(work.path, [{ op: "folder", path: "a" }]);
  const source = new TreeModel();
  const all = { hidden: true };
  makeTree(
    work.at("a"),
    plan.tree.flatMap((step) => source.apply(step, all)),
  );
  await run(work, { command: "copy" });
  expectEqual(work);
  const sides = { source, target: source.copy() };
  for (const step of plan.changes) {
    const operations = sides[step.side].apply(step, { hidden: checksum });
    makeTree(work.at(step.side === "source" ? "a" : "b"), operations);
  }
  const comparison = checksum ? "checksum" : "time";
  await run(work, { command: "mirror", comparison });
  expectEqual(work);
  const settled = describeTree(work.at("b"), "ctime", "inode");
  await run(work, { command: "mirror" });
  expect(describeTree(work.at("b"), "ctime", "inode")).toEqual(settled);
}

describeUnless(firstReason(treeToolsMissing(), needsRoot()))(
  "over streams, after any changes, a mirror is equal by rsync's judgement",
  () => {
    for (const checksum of [false, true]) {
      test(
        `${checksum ? "checksum" : "time"}: ${RUNS} random trees, seed ${SEED}`,
        async () => {
          using work = createFreshWorkspace();
          const property = fc.asyncProperty(randomPlans(), (plan) => follow(work, plan, checksum));
          await fc.assert(property, { numRuns: RUNS / 2, seed: SEED + Number(checksum) });
        },
        120_000 + RUNS * 20_000,
      );
    }
  },
);
