import { expect, test } from "bun:test";
import fc from "fast-check";
import { runBlit } from "../../support/binary.ts";
import {
  cannotMount,
  createFreshWorkspace,
  mountFilesystem,
} from "../../support/loop-filesystem.ts";
import { type RandomPlan, randomPlans, TreeModel } from "../../support/random-tree.ts";
import { describeUnless, firstReason, needsRoot } from "../../support/skip.ts";
import { describeTree, makeTree, type TreeEntry, treeToolsMissing } from "../../support/tree.ts";
import { removeTree } from "../../support/workspace.ts";

const RUNS = Number(process.env["TRIAD_ORACLE_RUNS"] ?? 60);
const SEED = Number(process.env["TRIAD_ORACLE_SEED"] ?? 20_261_121);

type Tree = Readonly<Record<string, TreeEntry>>;

/** What makes an entry what it is, wherever it lies; of a folder only that it is one. */
function essence(entry: TreeEntry | undefined): unknown {
  if (entry === undefined || entry.type === "folder") return entry?.type;
  const { links: _links, same: _same, data: _data, ...rest } = entry;
  return rest;
}

/** After a move everything of the source is in the target or still in the source. */
function checkMoved(before: { a: Tree; b: Tree }, after: { a: Tree; b: Tree }): void {
  for (const [path, entry] of Object.entries(before.a)) {
    const places = [essence(after.b[path]), essence(after.a[path])];
    expect({ path, places }).toEqual({ path, places: expect.arrayContaining([essence(entry)]) });
  }
  for (const [path, entry] of Object.entries(before.b)) {
    const now = essence(after.b[path]);
    // Attributes of another name of the same file are its own, too.
    const isLinked = entry.links !== undefined && after.b[path]?.sha1 === entry.sha1;
    const isKept = isLinked || JSON.stringify(now) === JSON.stringify(essence(entry));
    const isReplaced =
      entry.type !== "folder" &&
      before.a[path] !== undefined &&
      JSON.stringify(now) === JSON.stringify(essence(before.a[path]));
    expect({ path, isKept: isKept || isReplaced }).toEqual({ path, isKept: true });
  }
  // Nothing is in both places, unless it stayed because it could not be moved.
  for (const [path, entry] of Object.entries(after.a)) {
    if (entry.type === "folder") continue;
    expect({ path, essence: essence(entry) }).toEqual({ path, essence: essence(before.a[path]) });
  }
}

function treesOf(a: string, b: string): { a: Tree; b: Tree } {
  return { a: describeTree(a), b: describeTree(b) };
}

async function follow(a: string, b: string, plan: RandomPlan): Promise<void> {
  for (const path of [a, b]) {
    removeTree(path);
    const parent = path.slice(0, path.lastIndexOf("/"));
    makeTree(parent, [{ op: "folder", path: path.slice(parent.length + 1) }]);
  }
  const all = { hidden: true };
  const source = new TreeModel();
  const operations = plan.tree.flatMap((step) => source.apply(step, all));
  makeTree(a, operations);
  // The target begins with the first half of the same tree, and goes its own way from there.
  const target = new TreeModel();
  const half = plan.tree.slice(0, plan.tree.length >> 1);
  makeTree(
    b,
    half.flatMap((step) => target.apply(step, all)),
  );
  for (const step of plan.changes) {
    const model = step.side === "source" ? source : target;
    makeTree(step.side === "source" ? a : b, model.apply(step, all));
  }
  const before = treesOf(a, b);
  const run = await runBlit(["move", "--specials", `${a}/`, b]);
  expect([0, 4]).toContain(run.code);
  makeTree(a.slice(0, a.lastIndexOf("/")), [{ op: "folder", path: a.split("/").at(-1) ?? "" }]);
  checkMoved(before, treesOf(a, b));
  const isAllMoved = Object.keys(describeTree(a)).length === 1;
  if (run.code === 0) expect({ isAllMoved, said: run.stderr }).toMatchObject({ isAllMoved: true });
  else expect(run.stderr).toContain("failed: ");
}

const unavailable = firstReason(
  treeToolsMissing(),
  needsRoot(),
  cannotMount("tmpfs"),
  cannotMount("ext4"),
);
describeUnless(unavailable)("random moves into random trees lose nothing", () => {
  const numRuns = RUNS / 2;

  test(
    `within a file system: ${numRuns} trees, seed ${SEED}`,
    async () => {
      using work = createFreshWorkspace();
      const property = fc.asyncProperty(randomPlans(), (plan) =>
        follow(work.at("a"), work.at("b"), plan),
      );
      await fc.assert(property, { numRuns, seed: SEED });
    },
    20_000 + RUNS * 2000,
  );

  test(
    `across file systems: ${numRuns} trees, seed ${SEED}`,
    async () => {
      using work = createFreshWorkspace();
      using memory = mountFilesystem({ kind: "tmpfs", sizeBytes: 512 << 20 });
      const property = fc.asyncProperty(randomPlans(), (plan) =>
        follow(work.at("a"), `${memory.path}/b`, plan),
      );
      await fc.assert(property, { numRuns, seed: SEED });
    },
    20_000 + RUNS * 2000,
  );
});
