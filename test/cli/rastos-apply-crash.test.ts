import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { readTree } from "../../src/rastos/snapshot/find-tree.ts";
import { problemsOf } from "../lab/system-check.ts";
import { type ApplyWorld, makeApplyWorld } from "../support/apply-world.ts";
import { binaryPath, toolEnvironment } from "../support/binary.ts";
import { cannotMount } from "../support/loop-filesystem.ts";
import { type CutMoment, countChangingCalls, runUntilCut } from "../support/power-cut.ts";
import { describeUnless, firstReason, needsProgram } from "../support/skip.ts";
import { createWorkspace, type Workspace } from "../support/workspace.ts";

setDefaultTimeout(600_000);

/** How many moments it is killed at. */
const CUTS_WANTED = 40;

let work: Workspace;
let world: ApplyWorld;
let binary: string;

/** Two declarations that take turns: each takes back what the other has brought. */
const TEXTS = ["editor", "viewer"].map(
  (name, index) => `
[system]
hostname = "host-${index}"
[packages]
official = ["${name}", "hello"]
${index === 0 ? 'groups = ["web"]' : ""}
[services]
enable = ["hello"]
[[users]]
name = "${index === 0 ? "ada" : "bob"}"
[boot]
tries = 0
[hooks]
post_install = ["touch /etc/hook-${index}"]
`,
);

/** What a snapshot says that it is, once all its parts agree: 0, 1, or undefined for the base. */
function declarationOf(snapshot: number): number | undefined {
  const read = (path: string): string => readFileSync(world.at(snapshot, path), "utf8");
  const host = /^host-(\d)\n$/.exec(read("etc/hostname"))?.[1];
  const packages = readdirSync(world.at(snapshot, "var"), { recursive: true }).map(String);
  const has = (name: string): boolean => packages.some((path) => path.includes(`local/${name}-`));
  const is = host === undefined ? undefined : Number(host);
  expect({ snapshot, has: has("editor") }).toEqual({ snapshot, has: is === 0 });
  expect({ snapshot, has: has("viewer") }).toEqual({ snapshot, has: is === 1 });
  for (const [path, owner] of Object.entries({
    "usr/bin/editor": 0,
    "usr/bin/viewer": 1,
    "usr/share/web-b": 0,
    "home/ada": 0,
    "home/bob": 1,
    "etc/hook-0": 0,
    "etc/hook-1": 1,
  })) {
    const isThere = existsSync(world.at(snapshot, path));
    // Homes and what hooks have made stay when they are declared no more.
    const mayStay = path.startsWith("home/") || path.startsWith("etc/hook");
    if (is === owner)
      expect({ snapshot, path, isThere }).toEqual({ snapshot, path, isThere: true });
    else if (!mayStay) expect({ snapshot, path, isThere }).toMatchObject({ isThere: false });
  }
  const accounts = read("etc/passwd");
  expect({ snapshot, has: accounts.includes("ada:") }).toEqual({ snapshot, has: is === 0 });
  expect(existsSync(world.at(snapshot, "etc/passwd.lock"))).toBe(false);
  if (is !== undefined) expect(read("etc/rastos/system.toml")).toContain(TEXTS[is] ?? "nothing");
  return is;
}

/** Runs a declaration to its end; the one that boots next is it, and nothing is left over. */
async function applied(file: string, which: number): Promise<void> {
  const { code, stderr } = await world.rastos("apply", file, "--yes");
  expect({ code, stderr }).toMatchObject({ code: 0 });
  const { deployments, defaultDeployment } = world.state();
  const next = deployments.find(({ id }) => id === defaultDeployment)?.snapshot;
  expect(declarationOf(next ?? -1)).toBe(which);
  expect(readdirSync(`${world.top}/.snapshots/tmp`)).toEqual([]);
  expect(problemsOf({ top: world.top, esp: world.esp })).toEqual([]);
}

async function prune(): Promise<void> {
  const { snapshots, deployments } = world.state();
  const kept = new Set(deployments.map(({ snapshot }) => snapshot));
  const doomed = snapshots
    .filter(({ id }) => !kept.has(id) && id !== 0)
    .map(({ id }) => String(id));
  if (doomed.length > 0) await world.rastos("del", ...doomed, "--yes", "--force");
}

const missing = firstReason(
  cannotMount("btrfs"),
  needsProgram("busybox", "unshare", "pacman", "strace"),
);

describeUnless(missing)("rastos apply, killed at any moment", () => {
  beforeAll(async () => {
    work = createWorkspace();
    world = makeApplyWorld(work.path);
    binary = await binaryPath("rastos");
  });
  afterAll(() => {
    world[Symbol.dispose]();
    work[Symbol.dispose]();
  });

  test("leaves the old system or the new one, and the next apply succeeds", async () => {
    const files = TEXTS.map((text) => world.declare(text));
    const [first = "", second = ""] = files;
    await applied(first, 0);
    const words = (file: string): string[] => {
      const place = ["--root", world.top, "--esp", world.esp];
      return [binary, "apply", file, "--yes", ...place];
    };
    const environment = toolEnvironment();
    const calls = countChangingCalls(words(second), environment);
    expect(calls).toBeGreaterThan(100);
    const startedMs = performance.now();
    await applied(first, 0);
    // Taken again from each whole run: a machine under load is not always as slow.
    let wholeMs = performance.now() - startedMs;
    let cuts = 0;
    let kept = 0;
    let side = 0;
    for (let point = 0; cuts < CUTS_WANTED || kept === 0; point++) {
      expect(point).toBeLessThan(4 * CUTS_WANTED);
      const file = files[1 - side] ?? "";
      const before = readTree(world.top).snapshots.map(({ id }) => id);
      // By calls (which strace makes slow) for the main thread, by time for libalpm and hooks.
      const moment: CutMoment =
        point % 4 === 0
          ? { kind: "call", number: 1 + Math.floor(Math.random() * (calls / 3)) }
          : { kind: "time", afterMs: Math.random() * 1.2 * wholeMs };
      const begunMs = performance.now();
      const run = await runUntilCut(words(file), moment, environment);
      if (!run.isCut && moment.kind === "time") wholeMs = performance.now() - begunMs;
      const { snapshots } = readTree(world.top);
      const made = snapshots.filter(({ id }) => !before.includes(id));
      for (const { id } of made) {
        expect({ moment, id, is: declarationOf(id) }).toEqual({ moment, id, is: 1 - side });
      }
      expect(before.every((id) => snapshots.some((one) => one.id === id))).toBe(true);
      const found = problemsOf({ top: world.top, esp: world.esp });
      expect({ moment, found }).toEqual({ moment, found: [] });
      cuts += Number(run.isCut);
      kept += Number(run.isCut) * made.length;
      // What is left behind is for the next run to tidy up, which often is cut as well.
      if (run.isCut && made.length === 0 && point % 7 !== 0) continue;
      const nextMs = performance.now();
      await applied(file, 1 - side);
      // Where a snapshot has been made, little or nothing was left to do.
      if (made.length === 0) wholeMs = performance.now() - nextMs;
      side = 1 - side;
      if (point % 10 === 9) await prune();
    }
    expect(kept).toBeGreaterThan(0);
  });
});
