import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SnapshotTree } from "../../src/rastos/snapshot/tree.ts";
import { binaryPath, runTool, toolEnvironment } from "../support/binary.ts";
import { cannotMount } from "../support/loop-filesystem.ts";
import { shellPackage } from "../support/package-world.ts";
import { makeRepository, type PackageSpec } from "../support/pacman-repository.ts";
import { describeUnless, firstReason, needsProgram, needsRoot } from "../support/skip.ts";
import { mountTop } from "../support/snapshot-tree.ts";
import { createWorkspace, type Workspace } from "../support/workspace.ts";

setDefaultTimeout(60_000);

const missing = firstReason(needsRoot(), needsProgram("pacman"));

const SPECS: readonly PackageSpec[] = [
  { name: "app", version: "1-1", depends: ["lib"], files: { "usr/bin/app": "app" } },
  { name: "lib", version: "1-1", files: { "usr/lib/lib": "lib" }, description: "A library" },
  { name: "rival", version: "1-1", conflicts: ["lib"] },
];

describeUnless(missing)("packages of a folder", () => {
  test("are looked for, installed, listed and removed", async () => {
    using work = createWorkspace();
    const root = folderWith(work, SPECS);
    const at = ["--root", root];
    const early = await runTool("rastos", ["packages", "search", ...at, "lib"]);
    expect([early.code, early.stderr]).toEqual([1, expect.stringContaining("is not here yet")]);
    const dry = await runTool("rastos", ["install", ...at, "--dry-run", "app"]);
    expect(dry.stdout.split("\n").slice(1, 3)).toEqual([
      expect.stringMatching(/^install +app +1-1 +\d+ B$/),
      expect.stringMatching(/^install +lib +1-1 +\d+ B$/),
    ]);
    expect(readdirSync(root)).toEqual(["etc"]);
    const done = await runTool("rastos", ["packages", "install", ...at, "--json", "app"]);
    expect(JSON.parse(done.stdout)).toMatchObject({
      schema: "rastos.transaction/1",
      isDryRun: false,
      changes: [
        { kind: "install", name: "app" },
        { kind: "install", name: "lib" },
      ],
    });
    const list = await runTool("rastos", ["packages", "list", ...at, "--json"]);
    expect(list.stdout.trim().split("\n").map(nameOf)).toEqual(["app", "lib"]);
    const info = await runTool("rastos", ["packages", "info", ...at, "lib"]);
    expect(info.stdout).toContain("description: A library\nfrom:        installed");
    const refused = await runTool("rastos", ["remove", ...at, "app"]);
    expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("no terminal")]);
    const gone = await runTool("rastos", ["remove", ...at, "--recursive", "--yes", "app"]);
    expect([gone.code, gone.stderr]).toEqual([0, expect.stringMatching(/^2 packages removed in/)]);
    expect(existsSync(join(root, "usr"))).toBe(false);
    const clean = await runTool("rastos", ["packages", "clean", ...at, "--yes"]);
    expect(clean.stderr).toMatch(/^2 files, .* removed\n$/);
  });

  test("what cannot be is said in words", async () => {
    using work = createWorkspace();
    const root = folderWith(work, SPECS);
    const at = ["--root", root];
    expect((await runTool("rastos", ["install", ...at, "app"])).code).toBe(0);
    const rival = await runTool("rastos", ["install", ...at, "rival"]);
    expect([rival.code, rival.stderr.split("\n")[0]]).toEqual([
      1,
      'error: Cannot change packages: "rival" and "lib" exclude each other',
    ]);
    const live = await runTool("rastos", ["install", ...at, "--live", "lib"]);
    expect(live.stderr).toContain("a folder is changed as it is: leave --live out");
    writeFileSync(join(root, "etc/pacman.conf"), "[options]\n");
    const none = await runTool("rastos", ["install", ...at, "app"]);
    expect([none.code, none.stderr]).toEqual([
      2,
      expect.stringContaining("no repository is named"),
    ]);
    const other = await runTool("rastos", ["packages", "info", "--root", "/no/such", "x"]);
    expect([other.code, other.stderr]).toEqual([1, expect.stringContaining("/no/such")]);
  });

  test("scripts see /proc and /dev, and nobody else sees them there", async () => {
    using work = createWorkspace();
    const script = "post_install() { [ -e /proc/self/exe ] && [ -c /dev/null ] && touch /seen; }\n";
    const root = folderWith(work, [shellPackage(), { name: "app", version: "1-1", script }]);
    for (const name of ["proc", "dev"]) mkdirSync(join(root, name));
    const done = await runTool("rastos", ["install", "--root", root, "busybox"]);
    expect([done.code, done.stderr]).toEqual([0, expect.not.stringContaining("failed")]);
    expect((await runTool("rastos", ["install", "--root", root, "app"])).code).toBe(0);
    expect(existsSync(join(root, "seen"))).toBe(true);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(root);
    expect([...readdirSync(join(root, "proc")), ...readdirSync(join(root, "dev"))]).toEqual([]);
  });

  test("Ctrl-C ends after the package at hand, and leaves no lock", async () => {
    using work = createWorkspace();
    const goOn = "while [ ! -e /go ]; do sleep 0.1; done";
    const root = folderWith(work, [
      shellPackage(),
      { name: "slow", version: "1-1", script: `post_install() { touch /begun; ${goOn}; }\n` },
      { name: "late", version: "1-1", depends: ["slow"] },
    ]);
    expect((await runTool("rastos", ["install", "--root", root, "busybox"])).code).toBe(0);
    const child = Bun.spawn([await binaryPath("rastos"), "install", "--root", root, "late"], {
      env: toolEnvironment(),
      stdout: "ignore",
      stderr: "pipe",
    });
    while (child.exitCode === null && !existsSync(join(root, "begun"))) await Bun.sleep(20);
    child.kill("SIGINT");
    writeFileSync(join(root, "go"), "");
    expect(await child.exited).toBe(130);
    expect(await new Response(child.stderr).text()).toContain("it was interrupted");
    expect(existsSync(join(root, "var/lib/pacman/db.lck"))).toBe(false);
    const list = await runTool("rastos", ["packages", "list", "--root", root, "--json"]);
    expect(list.stdout.trim().split("\n").map(nameOf)).toEqual(["busybox", "slow"]);
  });
});

describeUnless(firstReason(missing, cannotMount("btrfs")))("packages of snapshots", () => {
  test("a change is a new snapshot, or nothing", async () => {
    using work = createWorkspace();
    using disk = mountTop();
    const base = folderWith(work, SPECS);
    makeTree(disk.path, base)[Symbol.dispose]();
    const at = ["--root", disk.path];
    const done = await runTool("rastos", ["install", ...at, "app"]);
    expect([done.code, done.stderr]).toEqual([
      0,
      expect.stringMatching(/^2 packages installed in snapshot 1 in .*\nrastos deploy 1 boots it/),
    ]);
    const first = join(disk.path, ".snapshots/rootfs/snapshot-1");
    expect(readFileSync(join(first, "usr/bin/app"), "utf8")).toBe("app");
    expect(existsSync(join(disk.path, ".snapshots/rootfs/snapshot-0/usr"))).toBe(false);
    const list = await runTool("rastos", ["packages", "list", ...at, "--snapshot", "1", "--json"]);
    expect(list.stdout.trim().split("\n").map(nameOf)).toEqual(["app", "lib"]);
    const found = await runTool("rastos", ["search", ...at, "rival"]);
    expect(found.stdout).toContain("test/rival");
    const plan = await runTool("rastos", ["packages", "plan", ...at, "rival", "--replace"]);
    expect([plan.code, plan.stderr]).toEqual([1, expect.stringContaining('"app" needs "lib"')]);
    const failed = await runTool("rastos", ["install", ...at, "rival"]);
    expect(failed.code).toBe(1);
    const nothing = await runTool("rastos", ["packages", "upgrade", ...at]);
    expect(nothing.stderr).toContain("Nothing to do");
    expect(readdirSync(join(disk.path, ".snapshots/rootfs")).sort()).toEqual([
      "snapshot-0",
      "snapshot-1",
    ]);
    expect(readdirSync(join(disk.path, ".snapshots/tmp"))).toEqual([]);
    const removed = await runTool("rastos", ["remove", ...at, "--recursive", "app"]);
    expect(removed.stderr).toContain("2 packages removed in snapshot 2");
    // What `rastos apply` fetches lies beside the snapshots.
    const cache = join(disk.path, ".snapshots/state/packages");
    mkdirSync(cache);
    writeFileSync(join(cache, "gone-1-1-any.pkg.tar.zst"), "x");
    const cleaned = await runTool("rastos", ["packages", "clean", ...at, "--snapshot", "0"]);
    expect([cleaned.code, cleaned.stderr]).toEqual([0, "1 file, 1 B removed\n"]);
    expect(readdirSync(cache)).toEqual([]);
  });

  test("--live adds to what boots, and refuses everything else", async () => {
    using work = createWorkspace();
    using disk = mountTop();
    const base = folderWith(work, SPECS);
    const deployed = ".snapshots/deploy/deploy-0-1";
    {
      using tree = makeTree(disk.path, base);
      tree.update((state) => ({
        ...state,
        defaultDeployment: 1,
        nextDeployment: 2,
        deployments: [
          {
            id: 1,
            snapshot: 0,
            subvolume: deployed,
            entry: "rastos-0-1",
            state: "good",
            createdMs: 0,
            kernelVersion: undefined,
          },
        ],
      }));
      mkdirSync(join(disk.path, ".snapshots/deploy"), { recursive: true });
      Bun.spawnSync(["cp", "-a", base, join(disk.path, deployed)]);
    }
    const at = ["--root", disk.path];
    const done = await runTool("rastos", ["install", ...at, "--live", "lib"]);
    expect([done.code, done.stderr]).toEqual([
      0,
      expect.stringMatching(/1 package installed in snapshot 1 and live in/),
    ]);
    expect(readFileSync(join(disk.path, deployed, "usr/lib/lib"), "utf8")).toBe("lib");
    const refused = await runTool("rastos", ["install", ...at, "--live", "--replace", "rival"]);
    expect([refused.code, refused.stderr.split("\n")[0]]).toEqual([
      1,
      'error: Cannot change the running system: it would also remove "lib"',
    ]);
    expect(readdirSync(join(disk.path, ".snapshots/rootfs")).length).toBe(2);
  });
});

describe("habits from pacman", () => {
  const habits: Record<string, string> = {
    "-S vim": "rastos install",
    "-Syu": "rastos upgrade",
    "-Ss vim": "rastos search",
    "-R vim": "rastos remove",
    "packages -Q": "rastos packages list",
    "packages -Sy": "rastos packages sync",
  };
  for (const [typed, meant] of Object.entries(habits)) {
    test(`rastos ${typed}`, async () => {
      const { code, stderr } = await runTool("rastos", typed.split(" "));
      expect([code, stderr]).toEqual([2, expect.stringContaining(`did you mean "${meant}"?`)]);
    });
  }
});

function nameOf(line: string): string {
  return (JSON.parse(line) as { name: string }).name;
}

/** A root with a pacman.conf that names a repository of these packages. */
function folderWith(work: Workspace, specs: readonly PackageSpec[]): string {
  const { servers } = makeRepository(work.at("repository"), specs);
  const lines = ["[options]", "Architecture = auto", "SigLevel = Never", "[test]"];
  work.write("root/etc/pacman.conf", `${lines.join("\n")}\nInclude = /etc/pacman.d/servers\n`);
  work.write("root/etc/pacman.d/servers", `Server = ${servers[0]}\n`);
  return work.at("root");
}

/** A tree whose snapshot 0 is a copy of the folder. */
function makeTree(top: string, from: string): SnapshotTree {
  const tree = SnapshotTree.open(top, { command: "test", isNew: true });
  tree.create({ from, description: "base" });
  return tree;
}
