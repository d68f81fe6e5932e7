import { afterEach, beforeEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { counter } from "../../../src/blit/engine/shared-state.ts";
import type { PassReport } from "../../../src/blit/session/types.ts";
import { describeUnless, firstReason, needsRoot } from "../../support/skip.ts";
import { type Transfer, transferOnce } from "../../support/stream-transfer.ts";
import {
  describeTree,
  differences,
  hex,
  makeTree,
  type TreeOperation,
  treeToolsMissing,
} from "../../support/tree.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

setDefaultTimeout(120_000);

const OLD = "1600000000123456789";
const NEW = "1700000000987654321";

let work: Workspace;
beforeEach(() => {
  work = createWorkspace();
});
afterEach(() => work[Symbol.dispose]());

/** Enough for several looks at the clock, and names in front of and behind what changes. */
const files: readonly TreeOperation[] = Array.from({ length: 200 }, (_, i) => ({
  op: "file",
  path: `f${String(i).padStart(3, "0")}`,
  text: `${i}`.padEnd(10),
  mtimeNs: OLD,
}));

function make(tree: readonly TreeOperation[]): void {
  mkdirSync(work.at("a"), { recursive: true });
  makeTree(work.at("a"), tree);
}

function contents(options: Partial<Transfer> = {}): Transfer {
  return { sources: [`${work.at("a")}/`], target: work.at("b"), streams: 1, ...options };
}

function of({ counts }: Pick<PassReport, "counts">): Record<string, number> {
  const { files: copied, upToDate, attributesOnly, failed } = counter;
  const columns = { copied, upToDate, attributesOnly, failed };
  return Object.fromEntries(Object.entries(columns).map(([key, at]) => [key, counts[at] ?? 0]));
}

/** All that makes a file another one, each at a file of its own. */
const changes: Record<string, { tree: TreeOperation; copied?: 1; mended?: 1 }> = {
  size: { tree: { op: "file", path: "f063", text: "longer than before", mtimeNs: OLD }, copied: 1 },
  "modification time, by a nanosecond": {
    tree: { op: "set", path: "f064", mtimeNs: "1600000000123456790" },
    copied: 1,
  },
  "modification time, by years": { tree: { op: "set", path: "f127", mtimeNs: NEW }, copied: 1 },
  mode: { tree: { op: "set", path: "f001", mode: 0o600, mtimeNs: OLD }, mended: 1 },
  owner: { tree: { op: "set", path: "f002", uid: 77, mtimeNs: OLD }, mended: 1 },
  group: { tree: { op: "set", path: "f199", gid: 78, mtimeNs: OLD }, mended: 1 },
  "a new attribute": {
    tree: { op: "set", path: "f065", xattrs: { "user.new": hex("x") }, mtimeNs: OLD },
    mended: 1,
  },
  "another file": { tree: { op: "file", path: "f128x", text: "new", mtimeNs: OLD }, copied: 1 },
};

describeUnless(firstReason(treeToolsMissing(), needsRoot()))("what is plainly unchanged", () => {
  for (const [what, { tree, copied = 0, mended = 0 }] of Object.entries(changes)) {
    test(`hides no change beside it: ${what}`, async () => {
      make(files);
      await transferOnce(contents());
      make([tree]);
      const { source, target } = await transferOnce(contents());
      expect([...source.issues, ...target.issues]).toEqual([]);
      expect(describeTree(work.at("b"))).toEqual(describeTree(work.at("a")));
      expect(differences(work.at("a"), work.at("b"))).toBe("");
      const isNew = what === "another file";
      const upToDate = 200 - (isNew ? 0 : copied);
      expect(of(target)).toEqual({ copied, upToDate, attributesOnly: mended, failed: 0 });
    });
  }

  test("counts, and leaves what is there alone, in a mirror with strays too", async () => {
    make(files);
    await transferOnce(contents());
    makeTree(work.at("b"), [{ op: "file", path: "stray", text: "x" }]);
    const mirror = contents({ options: { command: "mirror" } });
    const { target } = await transferOnce(mirror);
    expect(of(target)).toEqual({ copied: 0, upToDate: 200, attributesOnly: 0, failed: 0 });
    expect(target.deletable).toBe(1);
  });

  test("has its attributes changed and removed as the source has", async () => {
    const of1 = (xattrs: Record<string, string | null>): readonly TreeOperation[] => [
      { op: "set", path: "f010", xattrs, mtimeNs: OLD },
    ];
    make(files);
    make(of1({ "user.one": hex("1"), "user.two": hex("2") }));
    await transferOnce(contents());
    expect(describeTree(work.at("b"))).toEqual(describeTree(work.at("a")));
    make(of1({ "user.one": hex("other"), "user.two": null }));
    const mended = await transferOnce(contents({ options: { comparison: "size" } }));
    expect(of(mended.target)).toMatchObject({ copied: 0, attributesOnly: 1 });
    expect(describeTree(work.at("b"))).toEqual(describeTree(work.at("a")));
    // What only the target has got is found by content alone (docs/decisions/0006).
    makeTree(work.at("b"), [{ op: "set", path: "f010", xattrs: { "user.one": hex("changed") } }]);
    makeTree(work.at("b"), [{ op: "set", path: "f010", mtimeNs: OLD }]);
    await transferOnce(contents({ options: { comparison: "checksum" } }));
    expect(describeTree(work.at("b"))).toEqual(describeTree(work.at("a")));
  });

  test("is not asked about attributes where they are not wanted", async () => {
    make(files);
    await transferOnce(contents());
    make([{ op: "set", path: "f010", xattrs: { "user.one": hex("1") }, mtimeNs: OLD }]);
    const { target } = await transferOnce(contents({ options: { xattrs: false } }));
    expect(of(target)).toEqual({ copied: 0, upToDate: 200, attributesOnly: 0, failed: 0 });
  });
});
