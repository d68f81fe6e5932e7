import { expect } from "bun:test";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { binaryPath, type RunOptions, runTool, toolEnvironment } from "../support/binary.ts";
import { cannotMount } from "../support/loop-filesystem.ts";
import { nobody, runAsNobody } from "../support/nobody.ts";
import { firstReason, needsProgram, testUnless } from "../support/skip.ts";
import { mountTop, openTree, partsOf, subvolumesOf } from "../support/snapshot-tree.ts";
import { createWorkspace } from "../support/workspace.ts";

const testOnBtrfs = patiently(firstReason(cannotMount("btrfs"), needsProgram("btrfs")));
const testInClone = patiently(
  firstReason(cannotMount("btrfs"), needsProgram("unshare", "chroot", "busybox")),
);

/** Many processes, one after another, on a machine that may be busy. */
function patiently(reason: string | undefined) {
  return (name: string, body: () => Promise<void>) => testUnless(reason)(name, body, 60_000);
}

testOnBtrfs("create, clone, branch, desc, pin, tree and del, as texts and as JSON", async () => {
  using disk = mountTop();
  using work = createWorkspace();
  const from = work.folder("system");
  mkdirSync(join(from, "etc"));
  writeFileSync(join(from, "etc/hostname"), "one\n");
  const rastos = on(disk.path);
  expect(await rastos("snapshot", "tree")).toEqual({
    code: 1,
    stdout: "",
    stderr:
      `error: Cannot find a snapshot tree in "${disk.path}"\n` +
      "hint: `rastos snapshot create` makes the first snapshot, number 0\n",
  });
  const dry = await rastos("snapshot", "create", "--from", from, "--dry-run");
  expect(dry.stdout).toBe(`Would make a snapshot of "${from}" in "${disk.path}"\n`);
  expect(existsSync(join(disk.path, ".snapshots"))).toBe(false);
  const created = await rastos("snapshot", "create", "--from", from, "-d", "base");
  expect(created).toEqual({ code: 0, stdout: "", stderr: "Made snapshot 0\n" });
  const cloned = await rastos("clone", "0", "-d", "first", "--json");
  expect(JSON.parse(cloned.stdout)).toMatchObject({
    schema: "rastos.snapshot/1",
    id: 1,
    parent: 0,
    branch: null,
    description: "first",
    isPinned: false,
  });
  expect((await rastos("branch", "0", "testing")).stderr).toBe(
    "Made snapshot 2 of 0, branch testing\n",
  );
  expect((await rastos("branch", "0", "7up")).code).toBe(2);
  expect((await rastos("desc", "testing", "in", "two words\u001b[31m")).code).toBe(0);
  await rastos("snapshot", "pin", "1");
  expect((await rastos("tree")).stdout).toBe(
    "0 base\n├── 1 first (pinned)\n└── 2 [testing] in two words\\e[31m\n",
  );
  expect(await rastos("del", "1", "--yes")).toEqual({
    code: 1,
    stdout: "",
    stderr:
      "error: Cannot remove: snapshot 1 is pinned\n" +
      "hint: --force removes it all the same; rastos snapshot unpin lets go of it\n",
  });
  const unasked = await rastos("del", "testing");
  expect(unasked.code).toBe(1);
  expect(unasked.stderr).toContain("there is no terminal to ask on");
  await rastos("snapshot", "unpin", "1");
  const removed = await rastos("del", "1", "testing", "--yes", "--json");
  expect(JSON.parse(removed.stdout)).toEqual({
    schema: "rastos.removed/1",
    dryRun: false,
    removed: [1, 2],
  });
  const tree = await rastos("tree", "--json");
  expect(JSON.parse(tree.stdout)).toMatchObject({
    schema: "rastos.tree/1",
    root: disk.path,
    defaultSnapshot: null,
    snapshots: [{ id: 0, parent: null, isDefault: false, deployments: [] }],
  });
  expect(subvolumesOf(disk.path)).toEqual(partsOf(0));
});

testOnBtrfs("what is no btrfs top level, and who is not root, is told so in words", async () => {
  using disk = mountTop();
  using work = createWorkspace();
  openTree(disk.path)[Symbol.dispose]();
  const plain = await on(work.path)("tree");
  expect(plain.stderr).toContain(`Cannot work on "${work.path}": it is not on a btrfs file system`);
  const inner = await on(join(disk.path, ".snapshots/rootfs/snapshot-0"))("tree");
  expect(inner.stderr).toContain("it is not the top level of its btrfs");
  const missing = await on(join(work.path, "none"))("clone", "0");
  expect(missing).toMatchObject({ code: 1, stdout: "" });
  expect((await on(disk.path)("clone", "7")).stderr).toBe(
    "error: Cannot find snapshot 7\nhint: there are 0: rastos tree\n",
  );
  if (nobody.reason !== undefined) return;
  for (const words of [["tree"], ["clone", "0"], ["snapshot", "create"]]) {
    const denied = await runAsNobody(["rastos", ...words, "--root", disk.path], {}, "triad");
    expect(denied.code).toBe(1);
    expect(denied.stderr).toContain("Cannot work on snapshots as an ordinary user");
    expect(denied.stderr).not.toContain("EPERM");
  }
});

testOnBtrfs("prune goes by its rules, rebuild by the subvolumes", async () => {
  using disk = mountTop();
  openTree(disk.path)[Symbol.dispose]();
  const rastos = on(disk.path);
  for (let id = 1; id <= 4; id++) await rastos("clone", String(id - 1), "-d", `number ${id}`);
  expect((await rastos("snapshot", "prune")).code).toBe(2);
  const dry = await rastos("snapshot", "prune", "--keep-last", "2", "--dry-run");
  expect(dry.stdout).toBe("Would remove snapshots 1, 2\n");
  await rastos("snapshot", "prune", "--keep-last", "2", "--yes");
  const expected = "0 base\n└── 3 number 3\n    └── 4 number 4\n";
  expect((await rastos("tree")).stdout).toBe(expected);
  writeFileSync(join(disk.path, ".snapshots/state/state.json"), "{");
  const broken = await rastos("tree");
  expect(broken.code).toBe(2);
  expect(broken.stderr).toContain("rastos snapshot rebuild");
  const rebuilt = await rastos("snapshot", "rebuild");
  expect(rebuilt.code).toBe(0);
  // The parent of 3 is gone: only the state knew who had taken its place.
  expect(rebuilt.stdout).toBe("0 base\n3 number 3\n└── 4 number 4\n");
  expect((await rastos("clone", "4")).stderr).toBe("Made snapshot 5 of 4\n");
});

testInClone(
  "run keeps a clone on exit 0, and hands on every other code without a trace",
  async () => {
    using disk = mountTop();
    const rastos = on(disk.path);
    await createBusybox(disk.path);
    expect(await rastos("run", "0", "sh", "-c", "echo $$ >/etc/pid; touch /made; exit 7")).toEqual({
      code: 7,
      stdout: "",
      stderr:
        "Discarded the clone of snapshot 0: " +
        '"sh -c echo $$ >/etc/pid; touch /made; exit 7" ended with 7\n',
    });
    expect(subvolumesOf(disk.path)).toEqual(partsOf(0));
    const kept = await rastos(
      "run",
      "-d",
      "changed",
      "0",
      "--",
      "sh",
      "-c",
      "echo two >/etc/hostname; ls /",
    );
    expect(kept.code).toBe(0);
    expect(kept.stderr).toBe("Made snapshot 1 of 0\n");
    expect(kept.stdout).toContain("proc");
    const part = join(disk.path, ".snapshots/etc/etc-1/hostname");
    expect(readFileSync(part, "utf8")).toBe("two\n");
    expect((await rastos("diff", "1")).stdout).toBe("+ /etc/hostname\n");
    const json = JSON.parse((await rastos("diff", "0", "1", "--json")).stdout);
    expect(json).toEqual({
      schema: "rastos.diff/1",
      from: 0,
      to: 1,
      packages: [],
      files: [{ path: "/etc/hostname", kind: "added", type: "file", aspects: [] }],
    });
    expect((await rastos("run", "0", "none")).code).toBe(127);
    const late = await runTool("rastos", ["run", "0", "--root", disk.path, "ls"]);
    expect(late.code).toBe(2);
    expect(late.stderr).toContain("flags go before it");
    const shell = await runTool("rastos", ["chroot", "1", "--root", disk.path], {
      stdin: "touch /root-was-here\nexit 0\n",
    });
    expect(shell.stderr).toContain("Made snapshot 2 of 1");
    const left = await runTool("rastos", ["chroot", "1", "--root", disk.path], {
      stdin: "exit 1\n",
    });
    expect(left.code).toBe(1);
    expect((await rastos("diff", "2")).stdout).toBe("+ /root-was-here\n");
    expect((await rastos("tmp", "--json")).stdout).toContain('"clones":[]');
    expect(subvolumesOf(disk.path)).toEqual(partsOf(0, 1, 2));
  },
);

testInClone("Ctrl-C discards, and what was killed is cleaned up by the next run", async () => {
  using disk = mountTop();
  const rastos = on(disk.path);
  await createBusybox(disk.path);
  for (const signal of ["SIGINT", "SIGTERM", "SIGKILL"] as const) {
    // A terminal signals the group; setsid makes one.
    const child = Bun.spawn(
      ["setsid", await binaryPath("rastos"), "run", "--root", disk.path, "0", "sleep", "300"],
      { env: toolEnvironment(), stdio: ["ignore", "ignore", "ignore"] },
    );
    await until(async () => (await rastos("tmp")).stdout.includes("in use"));
    expect((await rastos("clone", "0")).code).toBe(0);
    process.kill(signal === "SIGTERM" ? child.pid : -child.pid, signal);
    await child.exited;
    const code = { SIGINT: 130, SIGTERM: 143, SIGKILL: null }[signal];
    expect(child.exitCode, signal).toBe(code);
    if (signal === "SIGKILL") {
      await until(async () => !(await rastos("tmp")).stdout.includes("in use"));
      await rastos("tmp", "--clean");
    }
    expect((await rastos("tmp")).stdout, signal).toBe("");
  }
  expect(subvolumesOf(disk.path)).toEqual(partsOf(0, 1, 2, 3));
});

testInClone(
  "without --root the running system is found, and mounted where root alone gets",
  async () => {
    using disk = mountTop();
    using work = createWorkspace();
    await createBusybox(disk.path);
    const deployed = join(disk.path, "deployed");
    Bun.spawnSync([
      "btrfs",
      "subvolume",
      "snapshot",
      `${disk.path}/.snapshots/rootfs/snapshot-0`,
      deployed,
    ]);
    for (const name of ["usr", "lib", "lib64", "own", "etc"]) {
      mkdirSync(join(deployed, name), { recursive: true });
    }
    const script = `
    device=$(awk -v top="$1" '$2 == top { print $1 }' /proc/mounts)
    mount -o subvol=deployed "$device" "$2"
    for name in usr lib lib64; do [ -d "/$name" ] && mount --rbind "/$name" "$2/$name"; done
    mount -t proc proc "$2/proc"
    mount --rbind /dev "$2/dev"
    mount --bind "$3" "$2/own"
    for words in "clone 0" tree tree; do chroot "$2" /own/rastos $words; done
    ls -ld "$2/run/rastos"`;
    const places = [disk.path, work.folder("root"), dirname(await binaryPath("rastos"))];
    const run = Bun.spawnSync(
      ["unshare", "--mount", "--propagation", "private", "sh", "-ec", script, "sh", ...places],
      { env: toolEnvironment(), stderr: "pipe" },
    );
    expect(run.stderr.toString()).toBe("Made snapshot 1 of 0\n");
    expect(run.stdout.toString()).toStartWith("0\n└── 1\n0\n└── 1\ndrwx------ ");
  },
);

testOnBtrfs("send to a file, a disk and a host over ssh", async () => {
  using disk = mountTop();
  using other = mountTop();
  using work = createWorkspace();
  openTree(disk.path)[Symbol.dispose]();
  const rastos = on(disk.path);
  await rastos("clone", "0", "-d", "child");
  const file = join(work.path, "base.rastos");
  const sent = await rastos("snapshot", "send", "0", file, "--zstd");
  expect(sent.stderr).toMatch(/^Sent snapshot 0 to ".*base\.rastos", [\d.]+ (B|KiB)\n$/);
  const there = on(other.path);
  expect((await there("snapshot", "receive", file)).stderr).toBe("Made snapshot 0\n");
  const twice = await there("snapshot", "receive", file);
  expect(twice.stderr).toContain("it is here already, as number 0");
  const toDisk = await rastos("snapshot", "send", "1", other.path, "--json");
  expect(JSON.parse(toDisk.stdout)).toMatchObject({ parent: 0, received: 1 });
  await rastos("clone", "1", "-d", "grandchild");
  const path = await fakeSsh(work.folder("bin"));
  const toHost = await rastos("snapshot", "send", "2", `root@nas:${other.path}`, {
    env: { PATH: path },
  });
  expect(toHost.stderr).toBe(`Sent snapshot 2 upon 1 to "root@nas:${other.path}"\n`);
  expect((await there("tree")).stdout).toBe("0 base\n└── 1 child\n    └── 2 grandchild\n");
  expect(readFileSync(join(work.path, "bin/calls"), "utf8")).toContain(
    "-- root@nas rastos snapshot",
  );
  const failed = await rastos("snapshot", "send", "2", "root@down:", { env: { PATH: path } });
  expect(failed).toMatchObject({ code: 1, stdout: "" });
  expect(failed.stderr).toContain("no route to down");
  const piped = await runTool("rastos", ["snapshot", "receive", "-", "--root", other.path], {
    stdin: "this is not a stream of anything",
  });
  expect(piped.stderr).toContain("it is no stream of rastos snapshot send");
});

type Runner = (...words: (string | RunOptions)[]) => Promise<{
  code: number;
  stdout: string;
  stderr: string;
}>;

/** Runs `rastos WORDS… --root TOP`, with the root in front where words of a command follow. */
function on(top: string): Runner {
  return async (...words) => {
    const last = words.at(-1);
    const options = typeof last === "object" ? last : {};
    const texts = words.filter((word) => typeof word === "string");
    const [verb = "", ...rest] = texts;
    const root = ["--root", top];
    const args = verb === "run" ? [verb, ...root, ...rest] : [...texts, ...root];
    const { code, stdout, stderr } = await runTool("rastos", args, options);
    return { code, stdout, stderr };
  };
}

/** Snapshot 0 of a system that can run something. */
async function createBusybox(top: string): Promise<void> {
  using work = createWorkspace();
  const from = work.folder("system");
  for (const name of ["etc", "var", "bin", "proc", "sys", "dev", "run", "tmp"]) {
    mkdirSync(join(from, name));
  }
  const busybox = join(from, "bin/busybox");
  writeFileSync(busybox, readFileSync(Bun.which("busybox") ?? ""));
  chmodSync(busybox, 0o755);
  for (const name of ["sh", "ls", "touch", "sleep"])
    symlinkSync("busybox", join(from, "bin", name));
  const made = await runTool("rastos", ["snapshot", "create", "--from", from, "--root", top]);
  expect(made.code).toBe(0);
}

/** An ssh that runs the command here; PATH with it in front. */
async function fakeSsh(folder: string): Promise<string> {
  symlinkSync(await binaryPath("rastos"), join(folder, "rastos"));
  const script =
    `#!/bin/sh\necho "$@" >>${folder}/calls\n` +
    '[ "$2" = root@down ] && { echo "no route to down" >&2; exit 255; }\n' +
    'shift 2\nexec sh -c "$*"\n';
  writeFileSync(join(folder, "ssh"), script, { mode: 0o755 });
  return `${folder}:${process.env["PATH"]}`;
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let attempt = 0; attempt < 1000; attempt++) {
    if (await condition()) return;
    await Bun.sleep(50);
  }
  throw new Error("It did not come to that in 50 s");
}
