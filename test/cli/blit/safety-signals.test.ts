import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { binaryPath, runBlit, toolEnvironment } from "../../support/binary.ts";
import { hasTemporary, startBlit } from "../../support/running-blit.ts";
import { leftovers, lost, partial, readHolding, readStatuses } from "../../support/safety.ts";
import { secondFilesystem } from "../../support/second-filesystem.ts";
import { testUnless } from "../../support/skip.ts";
import { differences, makeTree, type TreeOperation, treeToolsMissing } from "../../support/tree.ts";
import { createWorkspace, removeTree } from "../../support/workspace.ts";

// Other work on the machine may slow these down; none of them depends on time.
setDefaultTimeout(60_000);

/** Ctrl-C and SIGTERM: the first stops and cleans up, the second ends at once. */

const MIB = 1024 * 1024;
const mtimeNs = "1700000000123456789";

/** Enough for several threads. */
const tree: readonly TreeOperation[] = [
  ...Array.from({ length: 400 }, (_, index): TreeOperation => {
    const path = `folder-${index % 16}/below/file-${index}`;
    return { op: "file", path, size: 3000 + index, seed: index, mtimeNs };
  }),
  { op: "file", path: "large", size: 12 * MIB, seed: 7, mtimeNs },
];

/** One more, which is copied in parts by several threads. */
const huge: TreeOperation = { op: "file", path: "huge", size: 66 * MIB, seed: 8, mtimeNs };

const interruptions = process.env["TRIAD_TEST_SOAK"] === "1" ? 300 : 8;

/** Makes every run long enough for a signal, on any machine. */
const slow = { TRIAD_FAULTS: "pwrite:delay:15ms@1+,write:delay:5ms@1+" };

/** Whether a process has a handler for a signal: proc(5), SigCgt. */
function catches(pid: number, signal: number): boolean {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const mask = BigInt(`0x${/SigCgt:\s*(\w+)/.exec(status)?.[1] ?? "0"}`);
  return ((mask >> BigInt(signal - 1)) & 1n) === 1n;
}

const signals = [
  { signal: "SIGINT", code: 130 },
  { signal: "SIGTERM", code: 143 },
] as const;

for (const { signal, code } of signals) {
  testUnless(treeToolsMissing())(`${signal} stops a copy and cleans up: exit ${code}`, async () => {
    using work = createWorkspace(secondFilesystem() ?? tmpdir());
    makeTree(work.folder("source"), [...tree, huge]);
    const before = readStatuses(work.at("source"));
    const command = ["copy", work.at("source/"), work.at("target")];
    const run = await startBlit(command, slow);
    await run.until(() => hasTemporary(work.at("target")));
    run.process.kill(signal);
    const ended = await run.ended();
    expect([ended.code, ended.signal]).toEqual([code, ""]);
    expect(ended.stderr).toContain("Interrupted; unfinished files were removed\n");
    expect(leftovers(work.path)).toEqual([]);
    const wanted = readHolding(work.at("source"));
    expect(partial(readHolding(work.at("target")), new Map(), wanted)).toEqual([]);
    expect(readStatuses(work.at("source"))).toEqual(before);
    expect((await runBlit(command)).code).toBe(0);
    expect(differences(work.at("source"), work.at("target"))).toBe("");
  });
}

testUnless(treeToolsMissing())("Ctrl-C in a mirror: nothing is deleted", async () => {
  using work = createWorkspace(secondFilesystem() ?? tmpdir());
  makeTree(work.folder("source"), tree);
  makeTree(work.folder("target"), [{ op: "file", path: "stray/file", text: "stays", mtimeNs }]);
  const command = ["mirror", "--yes", work.at("source/"), work.at("target")];
  const run = await startBlit(command, slow);
  await run.until(() => hasTemporary(work.at("target")));
  run.process.kill("SIGINT");
  const ended = await run.ended();
  expect(ended.code).toBe(130);
  expect(existsSync(work.at("target/stray/file"))).toBe(true);
  expect(leftovers(work.path)).toEqual([]);
});

testUnless(treeToolsMissing() ?? (secondFilesystem() === undefined ? "needs /dev/shm" : undefined))(
  "Ctrl-C in a move to another file system: nothing is removed, nothing lost",
  async () => {
    using work = createWorkspace();
    using far = createWorkspace(secondFilesystem());
    makeTree(work.folder("source"), tree);
    const wanted = readHolding(work.at("source"));
    const run = await startBlit(["move", work.at("source/"), far.at("target")], slow);
    await run.until(() => hasTemporary(far.at("target")));
    run.process.kill("SIGINT");
    expect((await run.ended()).code).toBe(130);
    expect(lost(wanted, [readHolding(work.at("source"))])).toEqual([]);
    expect(leftovers(work.path, far.path)).toEqual([]);
  },
);

testUnless(treeToolsMissing())(
  "SIGINT at random moments of copies and mirrors: cleaned up each time",
  async () => {
    using work = createWorkspace(secondFilesystem() ?? tmpdir());
    makeTree(work.folder("source"), tree);
    makeTree(work.folder("older"), [
      ...tree.filter((_, index) => index % 4 === 0).map((each) => ({ ...each, seed: 99 })),
      { op: "file", path: "stray/file", text: "to be deleted", mtimeNs },
    ]);
    const [wanted, before] = [readHolding(work.at("source")), readHolding(work.at("older"))];
    let interrupted = 0;
    // How long a run takes, as far as is known: on a machine under load that changes.
    let wholeMs = 250;
    for (let run = 0; interrupted < interruptions && run < 20 * interruptions; run++) {
      removeTree(work.at("target"));
      const isMirror = run % 2 === 0;
      if (isMirror) Bun.spawnSync(["cp", "-a", work.at("older"), work.at("target")]);
      const words = isMirror ? ["mirror", "--yes"] : ["copy"];
      const command = [...words, work.at("source/"), work.at("target")];
      const running = await startBlit(command, { TRIAD_FAULTS: "renameat2:delay:3ms@1+" });
      const begunMs = performance.now();
      await Promise.race([Bun.sleep(wholeMs * Math.random()), running.process.exited]);
      running.process.kill("SIGINT");
      const ended = await running.ended();
      if (ended.code === 0) wholeMs = performance.now() - begunMs;
      else if (ended.signal === "SIGINT") wholeMs *= 1.3;
      // Before it listens for signals, and after, one ends it at once: nothing is under way then.
      if (ended.signal !== "SIGINT") expect([0, 130]).toContain(ended.code as number);
      if (ended.code === 130) interrupted++;
      expect(leftovers(work.path)).toEqual([]);
      const now = readHolding(work.at("target"));
      expect(partial(now, isMirror ? before : new Map(), wanted)).toEqual([]);
    }
    expect(interrupted).toBe(interruptions);
  },
  interruptions * 60_000,
);

describe("while storage does not answer", () => {
  /** The first write of each thread waits for a minute: far longer than this test may take. */
  const stuck = { TRIAD_FAULTS: "write:delay:60000ms@1,pwrite:delay:60000ms@1" };

  for (const { signal, code } of signals) {
    const number = code - 128;
    testUnless(treeToolsMissing())(
      `the second ${signal} ends the run at once`,
      async () => {
        using work = createWorkspace();
        makeTree(work.folder("source"), tree);
        const run = await startBlit(["copy", work.at("source/"), work.at("target")], stuck);
        await run.until(() => hasTemporary(work.path));
        run.process.kill(signal);
        // Two that come at once count as one: the first has to have been taken.
        await run.until(() => !catches(run.process.pid, number));
        expect(run.process.exitCode).toBeNull();
        run.process.kill(signal);
        const ended = await run.ended();
        expect([ended.code, ended.signal]).toEqual([null, signal]);
        // What is left has a temporary name, and the next run sweeps it.
        const wanted = readHolding(work.at("source"));
        expect(partial(readHolding(work.at("target")), new Map(), wanted)).toEqual([]);
        expect((await runBlit(["copy", work.at("source/"), work.at("target")])).code).toBe(0);
        expect(differences(work.at("source"), work.at("target"))).toBe("");
        expect(leftovers(work.path)).toEqual([]);
      },
      30_000,
    );
  }
});

test("Ctrl-C at the question means no, at once: exit 130, nothing changed", async () => {
  using work = createWorkspace();
  work.write("source/file", "new");
  work.write("target/stray", "stays");
  const before = readStatuses(work.at("target"));
  let shown = "";
  const terminal = new Bun.Terminal({
    data: (_, bytes) => {
      shown += new TextDecoder().decode(bytes);
    },
  });
  const child = Bun.spawn(
    [await binaryPath("blit"), "mirror", work.at("source/"), work.at("target")],
    { env: { ...toolEnvironment(), TERM: "dumb" }, terminal },
  );
  while (!shown.includes("[y/N]")) await Bun.sleep(5);
  child.kill("SIGINT");
  await child.exited;
  terminal.close();
  expect([child.exitCode, shown]).toEqual([130, shown]);
  expect(readStatuses(work.at("target"))).toEqual(before);
  expect(existsSync(join(work.at("target"), "file"))).toBe(false);
});
