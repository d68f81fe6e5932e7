import { describe, expect, setDefaultTimeout, test } from "bun:test";
import {
  appendFileSync,
  closeSync,
  existsSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { runBlit } from "../../support/binary.ts";
import { hasOpen, startBlit } from "../../support/running-blit.ts";
import { leftovers } from "../../support/safety.ts";
import { secondFilesystem } from "../../support/second-filesystem.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

// Other work on the machine may slow these down; none of them depends on time.
setDefaultTimeout(60_000);

/**
 * Files that change while they are copied. The copy is held up by slow calls, so that each change
 * falls into it: it is then made again; what does not come to rest is reported, and counted apart.
 */

const MIB = 1024 * 1024;
const memory = secondFilesystem() ?? tmpdir();

/** Sizes of the three ways: read at once, block by block, in parts by several threads. */
const classes = [
  { name: "small", size: 20_000, slow: "read:delay:300ms@1+,pread:delay:150ms@1+" },
  { name: "large", size: 10 * MIB, slow: "pwrite:delay:20ms@1+,write:delay:20ms@1+" },
  { name: "huge", size: 66 * MIB, slow: "pwrite:delay:5ms@1+,copy_file_range:delay:5ms@1+" },
] as const;

/** A run of `blit --json` with a file that somebody changes while it is open. */
async function copyWhile(
  work: Workspace,
  slow: string,
  change: (file: string, round: number) => void,
  rounds: number,
) {
  const file = work.at("source/file");
  const command = ["copy", "--json", work.at("source/"), work.at("target")];
  const run = await startBlit(command, { TRIAD_FAULTS: slow });
  let round = 0;
  try {
    while (round < rounds) {
      await run.until(() => hasOpen(run.process.pid, /source\/file( \(deleted\))?$/));
      change(file, round++);
      await Bun.sleep(15);
    }
  } catch (error) {
    // A writer that never rests goes on until the run has given up.
    if (rounds !== Number.POSITIVE_INFINITY) throw error;
  }
  const ended = await run.ended();
  return { ...ended, told: JSON.parse(ended.stdout) as Told, rounds: round };
}

type Told = {
  readonly files: number;
  readonly failed: number;
  readonly vanished: number;
  readonly issues: readonly { kind: string; path: string; code: string; message: string }[];
};

function makeSource(work: Workspace, size: number): void {
  work.write("source/file", Buffer.alloc(size, "a"));
  work.write("source/quiet", "stays as it is");
}

for (const { name, size, slow } of classes) {
  describe(`a ${name} file`, () => {
    const changes: [string, (file: string) => void][] = [
      ["that grows", (file) => appendFileSync(file, "and more")],
      ["that shrinks", (file) => truncateSync(file, Math.floor(statSync(file).size / 2) + 1)],
      ["that is rewritten in place", (file) => rewrite(file, size, "b")],
      ["that another one replaces", (file) => replace(file, "short and new")],
    ];
    // The huge one goes the way of the large one when it is tried again.
    for (const [what, change] of name === "huge" ? changes.slice(0, 1) : changes) {
      test(`${what} is copied as it is in the end`, async () => {
        using work = createWorkspace(memory);
        makeSource(work, size);
        const run = await copyWhile(work, slow, change, 1);
        expect([run.code, run.told.issues]).toEqual([0, []]);
        const [source, target] = [work.at("source/file"), work.at("target/file")];
        expect(readFileSync(target).equals(readFileSync(source))).toBe(true);
        expect(statSync(target).mtimeMs).toBe(statSync(source).mtimeMs);
        expect(leftovers(work.path)).toEqual([]);
      });
    }

    test("that never rests is reported, and the others are copied", async () => {
      using work = createWorkspace(memory);
      makeSource(work, size);
      const change = (file: string): void => appendFileSync(file, "x");
      const run = await copyWhile(work, slow, change, Number.POSITIVE_INFINITY);
      expect([run.code, run.told.failed, run.told.vanished]).toEqual([4, 1, 0]);
      expect(run.told.issues).toEqual([
        expect.objectContaining({
          kind: "failed",
          path: work.at("source/file"),
          code: "E_CHANGED",
          message: "it changed while it was copied, 3 times",
        }),
      ]);
      expect(existsSync(work.at("target/file"))).toBe(false);
      expect(readFileSync(work.at("target/quiet"), "utf8")).toBe("stays as it is");
      expect(leftovers(work.path)).toEqual([]);
    });

    test("that vanishes is counted apart", async () => {
      using work = createWorkspace(memory);
      makeSource(work, size);
      const run = await copyWhile(work, slow, (file) => rmSync(file), 1);
      expect([run.code, run.told.failed, run.told.vanished]).toEqual([4, 0, 1]);
      expect(run.told.issues).toEqual([
        expect.objectContaining({
          kind: "vanished",
          path: work.at("source/file"),
          message: "it vanished while the copy ran",
        }),
      ]);
      expect(existsSync(work.at("target/file"))).toBe(false);
      expect(readFileSync(work.at("target/quiet"), "utf8")).toBe("stays as it is");
      expect(leftovers(work.path)).toEqual([]);
    });
  });
}

function rewrite(file: string, size: number, letter: string): void {
  const fd = openSync(file, "r+");
  writeSync(fd, Buffer.alloc(size, letter), 0, size, 0);
  closeSync(fd);
}

function replace(file: string, text: string): void {
  writeFileSync(`${file}.new`, text);
  renameSync(`${file}.new`, file);
}

test("an older copy stays when the new one cannot be made", async () => {
  using work = createWorkspace(memory);
  makeSource(work, 10 * MIB);
  work.write("target/file", "older");
  const change = (file: string): void => appendFileSync(file, "x");
  const run = await copyWhile(work, classes[1].slow, change, Number.POSITIVE_INFINITY);
  expect([run.code, run.told.issues[0]?.code]).toEqual([4, "E_CHANGED"]);
  expect(readFileSync(work.at("target/file"), "utf8")).toBe("older");
});

test("a move keeps a source that changed after it was copied", async () => {
  if (secondFilesystem() === undefined) return;
  using work = createWorkspace(memory);
  using far = createWorkspace(tmpdir());
  makeSource(work, 20_000);
  // The sync before the removal is what takes long here.
  const run = await startBlit(["move", "--json", work.at("source/"), far.at("target")], {
    TRIAD_FAULTS: "syncfs:delay:3000ms@1",
  });
  await run.until(() => existsSync(far.at("target/file")) && existsSync(far.at("target/quiet")));
  await Bun.sleep(500);
  appendFileSync(work.at("source/file"), "added late");
  const ended = await run.ended();
  const told = JSON.parse(ended.stdout) as Told;
  expect(ended.code).toBe(4);
  expect(told.issues).toEqual([
    expect.objectContaining({ kind: "failed", code: "E_NOT_MOVED", path: work.at("source/file") }),
  ]);
  expect(readFileSync(work.at("source/file"), "utf8")).toEndWith("added late");
  expect(existsSync(work.at("source/quiet"))).toBe(false);
  const again = await runBlit(["move", work.at("source/"), far.at("target")]);
  expect(again.code).toBe(0);
  expect(readFileSync(far.at("target/file"), "utf8")).toEndWith("added late");
});
