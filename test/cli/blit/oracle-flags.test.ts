import { expect, test } from "bun:test";
import fc from "fast-check";
import { runBlit } from "../../support/binary.ts";
import { createFreshWorkspace } from "../../support/loop-filesystem.ts";
import { type RandomPlan, randomPlans, TreeModel } from "../../support/random-tree.ts";
import { describeUnless, firstReason, needsRoot } from "../../support/skip.ts";
import { describeTree, makeTree, type TreeEntry, treeToolsMissing } from "../../support/tree.ts";
import { removeTree, type Workspace } from "../../support/workspace.ts";

const RUNS = Number(process.env["TRIAD_ORACLE_RUNS"] ?? 60);
const SEED = Number(process.env["TRIAD_ORACLE_SEED"] ?? 20_261_121);

const FLAGS = [
  "--checksum",
  "--size-only",
  "--ignore-existing",
  "--update",
  "--exclude=*.log",
  "--exclude=a",
  "--exclude=b/",
  "--include=c",
  "--no-xattrs",
  "--no-owner",
  "--specials",
  "--backup-dir=kept",
] as const;
const ONLY_MIRROR = ["--max-delete=3", "--max-delete=0", "--allow-empty-source"] as const;

interface Line {
  readonly command: "copy" | "mirror";
  readonly flags: readonly string[];
  readonly yes: boolean;
}

const lines: fc.Arbitrary<Line> = fc
  .record({
    command: fc.constantFrom("copy" as const, "mirror" as const),
    common: fc.subarray([...FLAGS], { maxLength: 4 }),
    mirror: fc.subarray([...ONLY_MIRROR], { maxLength: 2 }),
    yes: fc.boolean(),
  })
  .map(({ command, common, mirror, yes }) => {
    const flags = command === "mirror" ? [...common, ...mirror] : common;
    // The two contradict each other, which is tested elsewhere.
    const isBoth = flags.includes("--checksum") && flags.includes("--size-only");
    return { command, flags: isBoth ? flags.filter((flag) => flag !== "--size-only") : flags, yes };
  });

type Tree = Readonly<Record<string, TreeEntry>>;

/** Builds a/ and b/ of the plan, without regard to what a comparison can see. */
function build(work: Workspace, plan: RandomPlan): void {
  for (const name of ["a", "b", "kept"]) removeTree(work.at(name));
  makeTree(work.path, [
    { op: "folder", path: "a" },
    { op: "folder", path: "b" },
  ]);
  const all = { hidden: true };
  const source = new TreeModel();
  const target = new TreeModel();
  const operations = plan.tree.flatMap((step) => source.apply(step, all));
  makeTree(work.at("a"), operations);
  const part = plan.tree.slice(0, Math.ceil(plan.tree.length / 2));
  makeTree(
    work.at("b"),
    part.flatMap((step) => target.apply(step, all)),
  );
  for (const step of plan.changes) {
    const [model, side] = step.side === "source" ? [source, "a"] : [target, "b"];
    makeTree(work.at(side), model.apply(step, all));
  }
}

function isLeftover(path: string): boolean {
  return /(^|\/)\.blit-/.test(path);
}

/** What nobody allowed to be deleted is there: all in a copy, what is left out in a mirror. */
function checkKept(line: Line, before: Tree, after: Tree): void {
  const isWithoutDeletion = line.command === "copy" || !line.yes;
  for (const path of Object.keys(before)) {
    const isProtected =
      line.flags.includes("--exclude=*.log") &&
      path.split("/").some((name) => name.endsWith(".log")) &&
      !line.flags.includes("--include=c");
    if (isWithoutDeletion || isProtected) {
      expect({ path, isThere: after[path] !== undefined }).toEqual({ path, isThere: true });
    }
  }
}

async function check(work: Workspace, plan: RandomPlan, line: Line): Promise<void> {
  build(work, plan);
  const args = [line.command, ...line.flags, ...(line.yes ? ["--yes"] : []), "a/", "b"];
  const source = describeTree(work.at("a"), "ctime", "atime", "inode");
  const all = describeTree(work.path, "ctime", "atime", "inode");
  const dry = await runBlit([...args, "-n"], { cwd: work.path });
  expect([0, 1, 4]).toContain(dry.code);
  expect(describeTree(work.path, "ctime", "atime", "inode")).toEqual(all);
  const before = describeTree(work.at("b"));
  const run = await runBlit(args, { cwd: work.path });
  expect([0, 1, 4]).toContain(run.code);
  expect(run.stderr.toLowerCase()).not.toContain("bug");
  expect(describeTree(work.at("a"), "ctime", "atime", "inode")).toEqual(source);
  const after = describeTree(work.at("b"));
  expect(Object.keys(describeTree(work.path)).filter(isLeftover)).toEqual([]);
  if (run.code === 1) expect(after).toEqual(before);
  checkKept(line, before, after);
  if (run.code !== 0) return;
  const flags = args.filter((flag) => flag !== "--yes");
  const settled = describeTree(work.at("b"), "ctime", "inode");
  const again = await runBlit([...flags, "--yes"], { cwd: work.path });
  expect(again.code).toBe(0);
  expect(describeTree(work.at("b"), "ctime", "inode")).toEqual(settled);
}

describeUnless(firstReason(treeToolsMissing(), needsRoot()))("whatever the flags", () => {
  const what = "source untouched, no trace of dry runs, nothing left over, a second run idle";
  test(
    `${what}: ${RUNS / 2} random trees, seed ${SEED}`,
    async () => {
      using work = createFreshWorkspace();
      const property = fc.asyncProperty(randomPlans(), lines, (plan, line) =>
        check(work, plan, line),
      );
      await fc.assert(property, { numRuns: RUNS / 2, seed: SEED });
    },
    20_000 + RUNS * 2000,
  );
});
