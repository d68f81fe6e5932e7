import { expect, test } from "bun:test";
import fc from "fast-check";
import { runBlit } from "../../support/binary.ts";
import { createFreshWorkspace } from "../../support/loop-filesystem.ts";
import { type RandomPlan, randomPlans, TreeModel } from "../../support/random-tree.ts";
import { describeUnless, firstReason, needsRoot } from "../../support/skip.ts";
import {
  aclHex,
  describeTree,
  differences,
  hex,
  makeTree,
  sumTree,
  type TreeOperation,
  treeToolsMissing,
} from "../../support/tree.ts";
import { removeTree, type Workspace } from "../../support/workspace.ts";

/** TRIAD_ORACLE_RUNS and TRIAD_ORACLE_SEED look further than every day. */
const RUNS = Number(process.env["TRIAD_ORACLE_RUNS"] ?? 60);
const SEED = Number(process.env["TRIAD_ORACLE_SEED"] ?? 20_261_121);

/** Runs blit in the workspace; it must succeed and complain about nothing. */
async function blit(work: Workspace, ...args: string[]): Promise<string> {
  const run = await runBlit(args, { cwd: work.path });
  if (run.code !== 0 || /warning|error/.test(run.stderr)) {
    throw new Error(`blit ${args.join(" ")}: exit ${run.code}\n${run.stderr}`);
  }
  return run.stderr;
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
  await blit(work, "copy", "--specials", "a/", "b");
  expectEqual(work);
  const sides = { source, target: source.copy() };
  for (const step of plan.changes) {
    // What the quick comparison cannot see for certain (docs/decisions/0006-comparison.md).
    const operations = sides[step.side].apply(step, { hidden: checksum });
    makeTree(work.at(step.side === "source" ? "a" : "b"), operations);
  }
  const flags = ["--yes", "--specials", "--allow-empty-source", ...(checksum ? ["-c"] : [])];
  await blit(work, "mirror", ...flags, "a/", "b");
  expectEqual(work);
  const settled = describeTree(work.at("b"), "ctime", "inode");
  await blit(work, "mirror", "--specials", "--allow-empty-source", "a/", "b");
  expect(describeTree(work.at("b"), "ctime", "inode")).toEqual(settled);
}

describeUnless(firstReason(treeToolsMissing(), needsRoot()))(
  "after any changes a mirror is equal by rsync's judgement, and a second finds nothing to do",
  () => {
    for (const checksum of [false, true]) {
      const name = checksum ? "mirror --checksum" : "mirror";
      test(
        `${name}: ${RUNS} random trees, seed ${SEED}`,
        async () => {
          using work = createFreshWorkspace();
          const property = fc.asyncProperty(randomPlans(), (plan) => follow(work, plan, checksum));
          await fc.assert(property, { numRuns: RUNS / 2, seed: SEED + Number(checksum) });
        },
        20_000 + RUNS * 2000,
      );
    }
  },
);

const ACL = aclHex([
  { tag: "owner", permissions: 7 },
  { tag: "group", permissions: 7 },
  { tag: "members", permissions: 7, id: 88 },
  { tag: "mask", permissions: 7 },
  { tag: "others", permissions: 0 },
]);

/** 5,000 files in folders of all sizes, so that threads share the work. */
function middling(): TreeOperation[] {
  const operations: TreeOperation[] = [];
  for (let i = 0; i < 5000; i++) {
    const folder = i < 2600 ? "flat" : `d${i % 50}/e${i % 7}`;
    const attributes = {
      mode: [0o644, 0o600, 0o755][i % 3] as number,
      mtimeNs: `${10n ** 18n + BigInt(i)}`,
    };
    const size = i % 500 === 0 ? 300_000 : (i * 37) % 3000;
    const xattrs = i % 40 === 0 ? { xattrs: { "user.n": hex(`${i}`) } } : {};
    const owner = i % 30 === 0 ? { uid: 1000 + (i % 7), gid: 50 } : {};
    const data = i % 90 === 0 ? { size: 200_000, data: [[100_000, 3000]] as const } : { size };
    const more = { ...attributes, ...xattrs, ...owner, ...data };
    operations.push({ op: "file", path: `${folder}/f${i}`, seed: i, ...more });
    if (i % 25 === 0) operations.push({ op: "link", path: `${folder}/l${i}`, to: `f${i}` });
    if (i % 50 === 0)
      operations.push({ op: "hard", path: `h${i % 3}/h${i}`, to: `${folder}/f${i}` });
  }
  for (let i = 0; i < 50; i++)
    operations.push({ op: "folder", path: `empty/${i}`, mtimeNs: `${i}` });
  operations.push({ op: "file", path: "large", size: 20 << 20, seed: 1 });
  operations.push({ op: "file", path: "huge", size: 70 << 20, seed: 2 });
  return operations;
}

/** 1 % of everything: changed, removed, added, replaced by another type; on both sides. */
function disturbed(side: "a" | "b"): TreeOperation[] {
  const operations: TreeOperation[] = [];
  for (let i = side === "a" ? 0 : 25; i < 2600; i += 100) {
    const path = `flat/f${i}`;
    operations.push({ op: "file", path, text: `changed in ${side}` });
    operations.push({ op: "remove", path: `flat/f${i + 1}` });
    operations.push({ op: "remove", path: `flat/f${i + 2}` });
    operations.push({ op: "file", path: `flat/f${i + 2}/in/folder`, text: side });
    operations.push({ op: "set", path: `flat/f${i + 3}`, mode: 0o640, uid: 12 });
    operations.push({ op: "file", path: `new-${side}/n${i}`, text: side });
  }
  for (let i = 0; i < 5; i++) {
    const path = `d${i + (side === "a" ? 0 : 10)}`;
    operations.push({ op: "remove", path });
    operations.push(
      i % 2 === 0 ? { op: "link", path, to: "flat" } : { op: "file", path, text: "now a file" },
    );
  }
  return operations;
}

describeUnless(firstReason(treeToolsMissing(), needsRoot()))("a tree of 5,000 files", () => {
  test("copy, mirror, mirror --checksum and move, by several threads", async () => {
    using work = createFreshWorkspace();
    // A target whose own rules must not reach what is copied into it.
    const xattrs = { "system.posix_acl_default": ACL };
    makeTree(work.path, [{ op: "folder", path: "t", gid: 77, mode: 0o2775, xattrs }]);
    makeTree(work.folder("a"), middling());
    const inner = { ...work, at: (name: string) => work.at(name === "b" ? "t/b" : name) };
    const first = await runBlit(["copy", "--json", "a/", "t/b"], { cwd: work.path });
    const said = JSON.parse(first.stdout) as Record<string, number>;
    expect([first.code, said["failed"], said["files"]]).toEqual([0, 0, 5002]);
    expect(said["workers"]).toBeGreaterThan(0);
    expectEqual(inner);
    makeTree(inner.at("a"), disturbed("a"));
    makeTree(inner.at("b"), disturbed("b"));
    await blit(inner, "mirror", "--yes", "a/", "t/b");
    expectEqual(inner);
    for (let i = 4; i < 2600; i += 200) {
      makeTree(inner.at("b"), [{ op: "patch", path: `flat/f${i}`, text: "?" }]);
    }
    await blit(inner, "mirror", "--yes", "-c", "a/", "t/b");
    expectEqual(inner);
    const before = sumTree(inner.at("b"));
    await blit(inner, "mirror", "-c", "a/", "t/b");
    expect(sumTree(inner.at("b"))).toEqual(before);
    await blit(inner, "move", "t/b", "c");
    expect(sumTree(inner.at("c"))).toEqual(before);
  }, 180_000);
});
