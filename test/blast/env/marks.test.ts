import { expect, test } from "bun:test";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openEnvironment } from "../../../src/blast/env/environment.ts";
import { lastJournal } from "../../../src/blast/env/state-folder.ts";
import { applyChanges } from "../../../src/blast/env/transaction.ts";
import { undo } from "../../../src/blast/env/undo.ts";
import { createBareVenv, createWheel, snapshotTree } from "../../support/blast-env.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

const command = "blast install";
const store = { get: () => undefined };

async function scene(work: Workspace, requested: boolean) {
  const environment = openEnvironment(createBareVenv(work));
  const wheel = createWheel(work.at("store/a"), {
    name: "a",
    files: { "a.py": "", "a-1.0.dist-info/licenses/LICENSE": "free" },
  });
  await applyChanges(environment, { remove: [], install: [{ wheel, requested }] }, { command });
  const mark = async (asked: boolean) => {
    const mark = environment
      .installed()
      .map((distribution) => ({ distribution, requested: asked }));
    await applyChanges(environment, { remove: [], install: [], mark }, { command });
  };
  return { environment, mark, info: join(environment.paths.purelib, "a-1.0.dist-info") };
}

test("REQUESTED comes and goes, with its line in RECORD", async () => {
  using work = createWorkspace();
  const { environment, mark, info } = await scene(work, false);
  const before = snapshotTree(environment.root);
  await mark(true);
  const [a] = environment.installed();
  expect(a?.requested).toBe(true);
  expect(a?.record()?.map(({ path }) => path)).toContain("a-1.0.dist-info/REQUESTED");
  expect(a?.record()?.at(-1)?.path).toBe("a-1.0.dist-info/RECORD");
  expect(existsSync(join(info, "licenses/LICENSE"))).toBe(true);
  expect(lastJournal(environment)?.packages).toMatchObject([{ name: "a", requested: true }]);
  await mark(true);
  await mark(false);
  expect(snapshotTree(environment.root)).toEqual(before);
  expect(lastJournal(environment)?.packages).toMatchObject([{ name: "a", requested: false }]);
});

for (const kept of [true, false]) {
  test(`an undo takes marks back, ${kept ? "from kept files" : "without them"}`, async () => {
    for (const requested of [true, false]) {
      using work = createWorkspace();
      const { environment, mark } = await scene(work, requested);
      const before = snapshotTree(environment.root);
      await mark(!requested);
      expect(snapshotTree(environment.root)).not.toEqual(before);
      if (!kept) rmSync(join(environment.root, ".blast/done-2/old"), { recursive: true });
      await undo(environment, store, { command: "blast undo" });
      const [a] = environment.installed();
      expect(a?.requested).toBe(requested);
      if (kept) expect(snapshotTree(environment.root)).toEqual(before);
      expect(Object.keys(snapshotTree(environment.root))).toEqual(Object.keys(before));
    }
  });
}

test("what was removed since cannot get its mark back", async () => {
  using work = createWorkspace();
  const { environment, mark, info } = await scene(work, false);
  await mark(true);
  rmSync(info, { recursive: true });
  await expect(undo(environment, store, { command })).rejects.toThrow('"a" has been changed since');
});
