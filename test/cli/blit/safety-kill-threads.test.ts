import { expect, setDefaultTimeout } from "bun:test";
import { existsSync } from "node:fs";
import { tmpdir } from "node:os";
import { binaryPath, runBlit, toolEnvironment } from "../../support/binary.ts";
import { leftovers, lost, partial, readHolding, readStatuses } from "../../support/safety.ts";
import { secondFilesystem } from "../../support/second-filesystem.ts";
import { testUnless } from "../../support/skip.ts";
import { differences, makeTree, type TreeOperation, treeToolsMissing } from "../../support/tree.ts";
import { createWorkspace, removeTree } from "../../support/workspace.ts";

// Other work on the machine may slow these down; none of them depends on time.
setDefaultTimeout(60_000);

/**
 * kill -9 at random moments of runs that are large enough for several threads: many folders, some
 * large files, and one that is copied in parts.
 */

const MIB = 1024 * 1024;
const isSoak = process.env["TRIAD_TEST_SOAK"] === "1";
const killsWanted = isSoak ? 1000 : 20;
/** A run that ends before its kill is repeated; not for ever. */
const runsMax = killsWanted * 4;

function manyFiles(seed: number, mtimeNs: string): TreeOperation[] {
  const tree: TreeOperation[] = [];
  for (let folder = 0; folder < 20; folder++) {
    for (let file = 0; file < 32; file++) {
      const size = (file * 997 * (folder + 1)) % 40_000;
      const path = `folder-${folder}/below/file-${file}`;
      tree.push({ op: "file", path, size, seed: seed + file, mtimeNs });
    }
    tree.push({ op: "folder", path: `folder-${folder}`, mode: 0o750, mtimeNs });
  }
  tree.push({ op: "file", path: "large", size: 10 * MIB, seed, mtimeNs });
  return tree;
}

const files = manyFiles(1, "1700000000123456789");
const huge: TreeOperation = {
  op: "file",
  path: "huge",
  size: 66 * MIB + 777,
  seed: 5,
  mtimeNs: "1700000000123456789",
};
const older = manyFiles(1000, "1600000000123456789").filter((_, index) => index % 3 === 0);

const scenarios: readonly {
  name: string;
  tree: readonly TreeOperation[];
  hasOlder: boolean;
  words: readonly string[];
}[] = [
  { name: "copy with a huge file", tree: [...files, huge], hasOlder: false, words: ["copy"] },
  { name: "mirror over an older state", tree: files, hasOlder: true, words: ["mirror", "--yes"] },
  { name: "move to another file system", tree: files, hasOlder: false, words: ["move"] },
];

/** Numbers between 0 and 1, the same for one seed (Park and Miller). */
function randomNumbers(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
}

const seed = Number(process.env["TRIAD_TEST_SEED"] ?? (Date.now() % 2_147_483_646) + 1);

/** Runs to the end, or to a SIGKILL after a while; returns whether that came in time. */
async function runAndKill(args: readonly string[], afterMs: number): Promise<boolean> {
  const child = Bun.spawn([await binaryPath("blit"), ...args], {
    env: toolEnvironment(),
    stdin: "ignore",
    stdout: "ignore",
    stderr: "ignore",
  });
  await Promise.race([Bun.sleep(afterMs), child.exited]);
  child.kill("SIGKILL");
  await child.exited;
  return child.signalCode === "SIGKILL";
}

for (const { name, tree, hasOlder, words } of scenarios) {
  testUnless(treeToolsMissing())(
    `kill -9 at ${killsWanted} random moments: ${name} (seed ${seed})`,
    async () => {
      const isMove = words[0] === "move";
      const near = secondFilesystem() ?? tmpdir();
      // Memory is the target of a move: to sync a busy disk would take seconds.
      using work = createWorkspace(isMove ? tmpdir() : near);
      using far = createWorkspace(near);
      makeTree(work.folder("pristine"), tree);
      makeTree(work.folder("older"), hasOlder ? older : []);
      const [source, target] = [work.at("near/source"), far.at("far/target")];
      far.folder("far");
      work.folder("near");
      const reset = (): void => {
        removeTree(target);
        if (isMove || !existsSync(source)) {
          removeTree(source);
          Bun.spawnSync(["cp", "-a", work.at("pristine"), source]);
        }
        if (hasOlder) Bun.spawnSync(["cp", "-a", work.at("older"), target]);
      };
      const wanted = readHolding(work.at("pristine"));
      const before = readHolding(work.at("older"));
      const command = [...words, `${source}/`, `${target}/`];
      reset();
      const untouched = readStatuses(source);
      const started = performance.now();
      expect((await runBlit(command)).code).toBe(0);
      let runMs = performance.now() - started;
      const random = randomNumbers(seed);
      let kills = 0;
      for (let run = 0; run < runsMax && kills < killsWanted; run++) {
        reset();
        const begun = performance.now();
        if (await runAndKill(command, random() * runMs)) kills++;
        // The first run was slow, as files that nobody has read yet are: kills would come too late.
        else runMs = Math.min(runMs, performance.now() - begun);
        const now = readHolding(target);
        expect(partial(now, before, wanted)).toEqual([]);
        if (isMove) expect(lost(wanted, [readHolding(source), now])).toEqual([]);
        else expect(readStatuses(source)).toEqual(untouched);
        if (existsSync(source)) {
          const again = await runBlit(command);
          expect([again.code, again.stderr]).toEqual([0, again.stderr]);
        }
        const flags = isMove ? ["--omit-dir-times"] : [];
        expect(differences(work.at("pristine"), target, ...flags)).toBe("");
        expect(leftovers(work.at("near"), far.at("far"))).toEqual([]);
      }
      expect(kills).toBe(killsWanted);
    },
    isSoak ? 3_600_000 : 600_000,
  );
}
