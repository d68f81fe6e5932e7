import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { BootMenu } from "../../src/rastos/boot/menu.ts";
import { openBootFiles } from "../../src/rastos/boot/target.ts";
import { recoverDeployments } from "../../src/rastos/deploy/recover.ts";
import { SnapshotTree } from "../../src/rastos/snapshot/tree.ts";
import { copyEsp, loaderEntries, problemsOf } from "../lab/system-check.ts";
import { binaryPath, runTool, toolEnvironment } from "../support/binary.ts";
import { makeFatImage } from "../support/boot-image.ts";
import { type DeployWorld, deployedNames, makeDeployWorld } from "../support/deploy-world.ts";
import { cannotMount } from "../support/loop-filesystem.ts";
import { type CutMoment, runUntilCut } from "../support/power-cut.ts";
import { describeUnless, firstReason, needsProgram } from "../support/skip.ts";
import { createWorkspace, type Workspace } from "../support/workspace.ts";

setDefaultTimeout(600_000);

/** strace counts each kind of call by itself, so more than this many of one kind are rare. */
const CALLS = 16;
/** Moments by the clock, spread over the time that a whole run takes. */
const TIMES = 32;
/** Runs that have to be cut; some end before their moment has come. */
const CUTS_WANTED = 32;

let work: Workspace;
let world: DeployWorld;
let binary: string;

const command = (...words: string[]): string[] => [binary, ...words, "--root", world.top];

/** The entry that a loader takes: the highest version with a try left. */
function nextOf(esp: string): string {
  const usable = loaderEntries(esp).filter(({ triesLeft }) => triesLeft !== 0);
  usable.sort((a, b) => Number(b.values["version"]) - Number(a.values["version"]));
  return usable[0]?.name ?? "nothing";
}

/** The etc of what an entry boots. */
function etcOf(entry: string): string {
  return join(world.top, ".snapshots/deploy", entry.replace("rastos", "deploy"), "etc");
}

/** Somebody changes, adds and removes files in what boots next. */
function changeByHand(): void {
  const etc = etcOf(nextOf(world.esp));
  appendFileSync(join(etc, "hostname"), "by hand\n");
  mkdirSync(join(etc, "wifi"));
  for (let n = 0; n < 20; n++) writeFileSync(join(etc, "wifi", String(n)), "psk\n");
  rmSync(join(etc, "kernel/cmdline"));
}

/** What of that is in the system that an entry boots. */
function byHand(entry: string): readonly unknown[] {
  const etc = etcOf(entry);
  const files = readdirSync(join(etc, "wifi"));
  const texts = new Set(files.map((name) => readFileSync(join(etc, "wifi", name), "utf8")));
  const hostname = readFileSync(join(etc, "hostname"), "utf8");
  return [hostname, files.length, [...texts], existsSync(join(etc, "kernel/cmdline"))];
}

function numberOf(name: string): number {
  return Number(name.split("-")[2]);
}

/** The moments one after the other: first those by calls, then those by time, again and again. */
function momentOf(at: number, wholeMs: number): CutMoment {
  if (at < CALLS) return { kind: "call", number: at + 1 };
  return { kind: "time", afterMs: (wholeMs * (((at - CALLS) % TIMES) + 1)) / (TIMES + 4) };
}

/** Undoes or finishes what is left, and asks whether there is anything that nobody knows of. */
async function settled(esp: string): Promise<void> {
  const { code, stderr } = await runTool("rastos", [
    ...["deploy", "0", "--tries", "0", "--keep", "1"],
    ...["--root", world.top, "--esp", esp],
  ]);
  expect({ code, stderr }).toMatchObject({ code: 0 });
}

describeUnless(firstReason(cannotMount("btrfs"), needsProgram("strace", "mcopy")))(
  "killed at any moment",
  () => {
    beforeAll(async () => {
      work = createWorkspace();
      world = makeDeployWorld(work.path);
      binary = await binaryPath("rastos");
      await settled(world.esp);
      changeByHand();
      await settled(world.esp);
      await settled(world.esp);
    });
    afterAll(() => {
      world[Symbol.dispose]();
      work[Symbol.dispose]();
    });

    test("deploy leaves the old system or the new one, and the next run tidies up", async () => {
      const words = command("deploy", "0", "--tries", "0", "--keep", "1", "--esp", world.esp);
      const startedMs = performance.now();
      await settled(world.esp);
      let wholeMs = performance.now() - startedMs;
      let cuts = 0;
      const all = CALLS + TIMES;
      for (let at = 0; at < all || (cuts < CUTS_WANTED && at < 4 * all); at++) {
        const moment = momentOf(at, wholeMs);
        const before = nextOf(world.esp);
        const begunMs = performance.now();
        const run = await runUntilCut(words, moment, toolEnvironment());
        cuts += Number(run.isCut);
        // A machine under load is not always as slow as it was when the time was taken.
        if (!run.isCut && moment.kind === "time") wholeMs = performance.now() - begunMs;
        const after = nextOf(world.esp);
        const isOldOrNew = after === before || numberOf(after) > numberOf(before);
        const found = problemsOf({ top: world.top, esp: world.esp });
        expect({ moment, isOldOrNew, found }).toEqual({ moment, isOldOrNew: true, found: [] });
        expect(byHand(after)).toEqual(["lab\nby hand\n", 20, ["psk\n"], false]);
      }
      expect(cuts).toBeGreaterThanOrEqual(CUTS_WANTED);
      await settled(world.esp);
      const entries = loaderEntries(world.esp).map(({ name }) => name.replace("rastos", "deploy"));
      expect(deployedNames(world.top)).toEqual(entries.sort());
      const kernels = readdirSync(join(world.esp, "EFI/rastos")).map((name) => `deploy-${name}`);
      expect(kernels.sort()).toEqual(entries);
      expect(existsSync(join(world.top, ".snapshots/state/deploy.json"))).toBe(false);
    });

    test("rollback has the old one boot next, or the other one", async () => {
      for (let number = 1; number <= 12; number++) {
        const before = nextOf(world.esp);
        const other = loaderEntries(world.esp).find(({ name }) => name !== before);
        const to = other?.name ?? "none";
        const words = command("rollback", to, "--yes", "--esp", world.esp);
        await runUntilCut(words, { kind: "call", number }, toolEnvironment());
        const next = nextOf(world.esp);
        expect([before, to]).toContain(next);
        expect(problemsOf({ top: world.top, esp: world.esp })).toEqual([]);
        // The next command finishes it or undoes it: who was rolled back is marked, or nobody.
        using tree = SnapshotTree.open(world.top, { command: "check" });
        const menu = new BootMenu(openBootFiles({ kind: "folder", path: world.esp }));
        recoverDeployments({ tree, menu });
        expect(nextOf(world.esp)).toBe(next);
        expect({ number, isBad: menu.entry(before).triesLeft === 0 }).toEqual({
          number,
          isBad: next === to,
        });
        expect(tree.state.defaultDeployment).toBe(numberOf(next));
      }
      await settled(world.esp);
    });

    test("on a boot partition in an image too", async () => {
      const image = makeFatImage(work.at("esp.img"), 48);
      await settled(image);
      const words = command("deploy", "0", "--tries", "0", "--keep", "1", "--esp", image);
      for (let number = 2; number <= 12; number += 2) {
        await runUntilCut(words, { kind: "call", number }, toolEnvironment());
        const copy = copyEsp(image, 0, work.at("copy"));
        const found = problemsOf({ top: world.top, esp: copy });
        expect({ number, found }).toEqual({ number, found: [] });
        rmSync(copy, { recursive: true });
      }
      await settled(image);
    });
  },
);
