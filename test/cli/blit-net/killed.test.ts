import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { existsSync, readdirSync, rmSync, statSync } from "node:fs";
import { runBlit } from "../../support/binary.ts";
import { type NetDaemon, startNetDaemon } from "../../support/net-daemon.ts";
import { type RunningBlit, startBlit, untilLetGo } from "../../support/running-blit.ts";
import { leftovers, partial, readHolding } from "../../support/safety.ts";
import { describeUnless } from "../../support/skip.ts";
import { differences, treeToolsMissing } from "../../support/tree.ts";
import { createWorkspace, type Workspace } from "../../support/workspace.ts";

/**
 * Either side is killed in the middle of a transfer: no final name ever holds a part of a file, the
 * other side says what happened, and the next run brings the rest, from where the first one was.
 */

const MIB = 2 ** 20;
const BIG_BYTES = 96 * MIB;
/** Slow enough to be killed in the middle of the large file. */
const SLOW = ["--bwlimit", "24M"];

setDefaultTimeout(120_000);

describeUnless(treeToolsMissing())("kill -9", () => {
  let work: Workspace;
  let root: string;
  beforeAll(() => {
    work = createWorkspace();
    root = work.folder("root");
    const source = work.folder("s");
    work.write("s/big", randomBytes(BIG_BYTES));
    for (let n = 0; n < 200; n++) work.write(`s/many/${n}`, randomBytes(1000 + n));
    expect(existsSync(source)).toBe(true);
  });
  afterAll(() => work[Symbol.dispose]());

  const start = (port = 0): Promise<NetDaemon> => {
    return startNetDaemon({ folder: work.at("daemon"), root, port });
  };

  /** Waits until the target has some MiB of the large file, under a hidden name. */
  async function untilInside(run: RunningBlit, target: string): Promise<void> {
    await run.until(() => hiddenBytes(target) > 16 * MIB);
  }

  describe("of the client, and the next push goes on", () => {
    test("push", async () => {
      await using daemon = await start();
      const target = work.at("root/push");
      const to = `${daemon.at}/m/push/`;
      const run = await startBlit(["copy", "--yes", ...SLOW, work.at("s/"), to]);
      await untilInside(run, target);
      run.process.kill("SIGKILL");
      await run.ended();
      await untilLetGo(daemon.pid, target);
      expect(partial(readHolding(target), new Map(), readHolding(work.at("s")))).toEqual([]);
      await again(["copy", "--yes", work.at("s/"), to], target);
    });

    test("pull", async () => {
      await using daemon = await start();
      if (!existsSync(work.at("root/s"))) Bun.spawnSync(["cp", "-a", work.at("s"), root]);
      const target = work.at("pulled");
      const from = `${daemon.at}/m/s/`;
      const run = await startBlit(["copy", "--yes", ...SLOW, from, `${target}/`]);
      await untilInside(run, target);
      run.process.kill("SIGKILL");
      await run.ended();
      expect(partial(readHolding(target), new Map(), readHolding(work.at("s")))).toEqual([]);
      await again(["copy", "--yes", from, `${target}/`], target);
    });
  });

  describe("of the daemon: the client says so at once, and the next run goes on", () => {
    for (const direction of ["push", "pull"] as const) {
      test(direction, async () => {
        const daemon = await start();
        const isPush = direction === "push";
        const target = isPush ? work.at("root/push2") : work.at("pulled2");
        const args = (at: string): string[] =>
          isPush ? [work.at("s/"), `${at}/m/push2/`] : [`${at}/m/s/`, `${target}/`];
        const run = await startBlit(["copy", "--yes", ...SLOW, ...args(daemon.at)]);
        await untilInside(run, target);
        daemon.kill("SIGKILL");
        const { code, stderr } = await run.ended();
        expect(code, stderr).toBe(1);
        expect(stderr).toMatch(/^error: /m);
        await daemon.ended();
        expect(partial(readHolding(target), new Map(), readHolding(work.at("s")))).toEqual([]);
        await using next = await start();
        await again(["copy", "--yes", ...args(next.at)], target);
      });
    }
  });

  /** The same once more: everything arrives, and most of the large file need not be sent again. */
  async function again(args: readonly string[], target: string): Promise<void> {
    const run = await runBlit([...args, "--json"], { timeoutMs: 100_000 });
    expect(run.code, run.stderr).toBe(0);
    expect(differences(work.at("s"), target)).toBe("");
    expect(leftovers(target)).toEqual([]);
    rmSync(target, { recursive: true });
  }
});

/** Bytes of the largest file with a hidden name of blit below a folder. */
function hiddenBytes(folder: string): number {
  if (!existsSync(folder)) return 0;
  const names = readdirSync(folder).filter((name) => name.startsWith(".blit-"));
  return Math.max(0, ...names.map((name) => statOf(`${folder}/${name}`)));
}

function statOf(path: string): number {
  const status = statSync(path, { throwIfNoEntry: false });
  // Blocks, not the size: room may be set aside before anything is there.
  return status?.isFile() === true ? Math.min(status.size, status.blocks * 512) : 0;
}
