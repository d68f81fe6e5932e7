import { describe, expect, setDefaultTimeout } from "bun:test";
import { existsSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type RunResult, runBlit } from "../../support/binary.ts";
import { contentOf, readHolding, readStatuses } from "../../support/safety.ts";
import { secondFilesystem } from "../../support/second-filesystem.ts";
import { testUnless } from "../../support/skip.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

// Other work on the machine may slow these down; none of them depends on time.
setDefaultTimeout(60_000);

/**
 * Somebody swaps entries of a tree for symbolic links to a decoy, thousands of times a second,
 * while copies, mirrors and moves run: the decoy is never written, changed, removed or read.
 */

const isSoak = process.env["TRIAD_TEST_SOAK"] === "1";
const runs = isSoak ? 1000 : 25;
const FLIPPER = join(import.meta.dir, "../../support/flip.ts");
const SECRET = "the decoy's content";
const notLinux = process.platform === "linux" ? undefined : "needs Linux";
const memory = secondFilesystem() ?? tmpdir();
const timeoutMs = isSoak ? 1_800_000 : 120_000;

/** Swaps pairs of names until its scope ends. */
function flip(work: Workspace, pairs: readonly (readonly [string, string])[]): AsyncDisposable {
  rmSync(work.at("log"), { force: true });
  const child = Bun.spawn([process.execPath, FLIPPER, work.at("log"), ...pairs.flat()], {
    stdout: "ignore",
    stderr: "inherit",
  });
  return {
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.exited;
    },
  };
}

function flips(work: Workspace): number {
  return existsSync(work.at("log")) ? Number(readFileSync(work.at("log"), "utf8")) : 0;
}

async function untilFlipping(work: Workspace): Promise<void> {
  while (flips(work) === 0) await Bun.sleep(2);
}

function makeDecoy(work: Workspace): string {
  for (const name of ["file-0", "file-1", "stray", "sub/file-0", "sub/extra", "sub/deeper/x"]) {
    work.write(`decoy/${name}`, SECRET, { mode: 0o640 });
  }
  return work.at("decoy");
}

function fill(work: Workspace, folder: string, text: string): void {
  for (let file = 0; file < 40; file++) {
    work.write(`${folder}/sub/file-${file}`, `${text} ${file}`);
    work.write(`${folder}/other/deep/file-${file}`, `${text} ${file}`);
    work.write(`${folder}/file-${file}`, `${text} ${file}`);
  }
  work.write(`${folder}/other/deep/deeper/x`, text);
}

/** Three pairs: a folder, a file, and a folder in a folder, each with a link into the decoy. */
function pairsIn(work: Workspace, tree: string, decoy: string): [string, string][] {
  const pairs: [string, string][] = [];
  for (const name of ["sub", "file-0", "other/deep"]) {
    const link = work.at(`link-${name.replaceAll("/", "-")}`);
    symlinkSync(name === "other/deep" ? join(decoy, "sub") : join(decoy, name), link);
    pairs.push([work.at(tree, name), link]);
  }
  return pairs;
}

/** Files below a folder that hold what is only in the decoy. Links to it may be there. */
function leaks(root: string): string[] {
  const secret = contentOf(Buffer.from(SECRET));
  const held = [...readHolding(root)];
  return held.filter(([, { content }]) => content === secret).map(([path]) => path);
}

/** A race may make entries fail; it never makes a bug of that. */
function expectOrderly(run: RunResult): void {
  if (run.code !== 0 && run.code !== 4) expect([run.code, run.stderr]).toEqual([1, run.stderr]);
}

describe("links planted in the target", () => {
  for (const command of [["copy"], ["mirror", "--yes"], ["mirror", "--yes", "-c"], ["move"]]) {
    testUnless(notLinux)(
      command.join(" "),
      async () => {
        using work = createWorkspace(memory);
        const decoy = makeDecoy(work);
        fill(work, "source", "new");
        fill(work, "target", "old");
        const before = readStatuses(decoy);
        await using _flipper = flip(work, pairsIn(work, "target", decoy));
        await untilFlipping(work);
        for (let run = 0; run < runs; run++) {
          // Every run has something to write, something to set, and (in turn) something to delete.
          fill(work, "source", `new ${run}`);
          if (run % 2 === 0) work.write("source/sub/extra", "there in turn", { mode: 0o600 });
          else rmSync(work.at("source/sub/extra"), { force: true });
          expectOrderly(await runBlit([...command, work.at("source/"), work.at("target")]));
          expect(readStatuses(decoy)).toEqual(before);
        }
        expect(flips(work)).toBeGreaterThan(1000);
      },
      timeoutMs,
    );
  }
});

describe("links planted in the source", () => {
  testUnless(notLinux)(
    "copy and mirror do not read through them",
    async () => {
      using work = createWorkspace(memory);
      const decoy = makeDecoy(work);
      fill(work, "source", "new");
      const before = readStatuses(decoy);
      await using _flipper = flip(work, pairsIn(work, "source", decoy));
      await untilFlipping(work);
      for (let run = 0; run < runs; run++) {
        if (run % 4 === 0) rmSync(work.at("target"), { recursive: true, force: true });
        const command = run % 2 === 0 ? ["copy"] : ["mirror", "--yes", "-c"];
        expectOrderly(await runBlit([...command, work.at("source/"), work.at("target")]));
        expect(leaks(work.at("target"))).toEqual([]);
        expect(readStatuses(decoy)).toEqual(before);
      }
      expect(flips(work)).toBeGreaterThan(1000);
    },
    timeoutMs,
  );

  for (const [where, far] of [
    ["within a file system", memory],
    ["across file systems", tmpdir()],
  ] as const) {
    testUnless(notLinux)(
      `move ${where} removes nothing through them`,
      async () => {
        for (let run = 0; run < runs / 2; run++) {
          using work = createWorkspace(memory);
          using elsewhere = createWorkspace(far);
          const decoy = makeDecoy(work);
          fill(work, "source", "new");
          const before = readStatuses(decoy);
          elsewhere.folder("target/other/deep");
          await using _flipper = flip(work, pairsIn(work, "source", decoy));
          await untilFlipping(work);
          expectOrderly(await runBlit(["move", work.at("source/"), elsewhere.at("target")]));
          expect(readStatuses(decoy)).toEqual(before);
          expect(leaks(elsewhere.at("target"))).toEqual([]);
        }
      },
      timeoutMs,
    );
  }
});
