import { expect } from "bun:test";
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { SnapshotTree } from "../../src/rastos/snapshot/tree.ts";
import { runTool } from "../support/binary.ts";
import { cannotMount } from "../support/loop-filesystem.ts";
import { needsS3Server, startS3Server } from "../support/s3-server.ts";
import { firstReason, needsProgram, testUnless } from "../support/skip.ts";
import { mountTop, openTree, partsOf, subvolumesOf } from "../support/snapshot-tree.ts";
import { createWorkspace } from "../support/workspace.ts";

const noBtrfs = firstReason(cannotMount("btrfs"), needsProgram("btrfs"));

function patiently(reason: string | undefined) {
  return (name: string, body: () => Promise<void>) => testUnless(reason)(name, body, 60_000);
}

const testOnBtrfs = patiently(noBtrfs);
const testWithS3 = patiently(firstReason(noBtrfs, needsS3Server()));

type Answer = { readonly code: number; readonly json: Record<string, unknown>; stderr: string };

/** Runs `rastos backup …` on a tree with a configuration. */
function on(root: string, config: string, env: Record<string, string> = {}) {
  return async (...args: string[]): Promise<Answer> => {
    const takesRoot = ["create", "restore"].includes(args[0] ?? "");
    const all = ["backup", ...args, "--config", config, "--json"];
    const run = await runTool("rastos", [...all, ...(takesRoot ? ["--root", root] : [])], { env });
    const [line = ""] = run.stdout.split("\n");
    const json = line === "" ? {} : (JSON.parse(line) as Record<string, unknown>);
    return { code: run.code, json, stderr: run.stderr };
  };
}

/** A tree with snapshots 0 (the base), 1 and its child 2, which hold random bytes. */
function fillTree(top: string): void {
  using tree = openTree(top);
  for (const [from, name] of [
    [0, "first"],
    [1, "second"],
  ] as const) {
    using clone = tree.temporary(from);
    const bytes = crypto.getRandomValues(new Uint8Array(60_000));
    writeFileSync(join(clone.path, "usr", name), Buffer.concat([bytes, bytes, bytes]));
    writeFileSync(join(clone.path, "etc/which"), name);
    clone.keep({ description: name });
  }
}

function expectEqualSnapshots(one: string, other: string, numbers: readonly [number, number][]) {
  for (const [a, b] of numbers) {
    for (const part of ["rootfs/snapshot", "etc/etc", "var/var"]) {
      const paths = [`${one}/.snapshots/${part}-${a}`, `${other}/.snapshots/${part}-${b}`];
      const run = Bun.spawnSync([
        "diff",
        "-r",
        "--no-dereference",
        "-x",
        "etc",
        "-x",
        "var",
        ...paths,
      ]);
      expect(run.stdout.toString()).toBe("");
    }
  }
}

testOnBtrfs("a folder: init, create, list, verify, restore elsewhere, remove, prune", async () => {
  using disk = mountTop();
  using other = mountTop();
  using work = createWorkspace();
  fillTree(disk.path);
  const config = work.at("backup.toml");
  const backup = on(disk.path, config);
  const [path, key] = [work.at("kept"), work.at("key")];
  expect(await backup("init", "--path", path, "--key", key)).toMatchObject({ code: 0 });
  expect(statSync(key).mode & 0o777).toBe(0o600);
  expect(statSync(config).mode & 0o777).toBe(0o600);
  const first = await backup("create", "1");
  expect(first.json).toMatchObject({ snapshot: 1, parent: null, description: "first" });
  const second = await backup("create");
  expect(second.json).toMatchObject({ snapshot: 2, parent: first.json["id"] });
  expect(Number(second.json["bytes"])).toBeLessThan(Number(first.json["bytes"]) + 100_000);
  expect(await backup("create", "2")).toMatchObject({ code: 1 });
  expect((await backup("verify")).json).toMatchObject({ problems: [] });
  for (const file of readdirSync(path, { recursive: true, encoding: "utf8" })) {
    if (!statSync(join(path, file)).isFile()) continue;
    expect(statSync(join(path, file)).mode & 0o777).toBe(0o600);
    expect(readFileSync(join(path, file)).includes("first")).toBe(false);
  }
  SnapshotTree.open(other.path, { command: "test", isNew: true })[Symbol.dispose]();
  const there = on(other.path, config);
  const id = String(second.json["id"]);
  expect((await there("restore", id, "--dry-run")).json).toMatchObject({ action: "restore" });
  expect((await there("restore", id)).json).toMatchObject({ snapshots: [0, 1] });
  expectEqualSnapshots(disk.path, other.path, [
    [1, 0],
    [2, 1],
  ]);
  expect((await there("restore", id)).json).toMatchObject({ snapshots: [] });
  const refused = await backup("remove", String(first.json["id"]), "--yes");
  expect([refused.code, refused.stderr]).toEqual([1, expect.stringContaining("needs it")]);
  expect((await backup("remove", id, "--yes")).json).toMatchObject({ ids: [id] });
  expect((await backup("status")).json).toMatchObject({ backups: 1, isEncrypted: true });
});

testOnBtrfs("what is damaged, gone or of another key is named, and restores nothing", async () => {
  using disk = mountTop();
  using other = mountTop();
  using work = createWorkspace();
  fillTree(disk.path);
  const config = work.at("backup.toml");
  const backup = on(disk.path, config);
  const there = on(other.path, config);
  await backup("init", "--path", work.at("kept"), "--key", work.at("key"));
  const made = await backup("create", "1");
  const id = String(made.json["id"]);
  const chunks = readdirSync(work.at("kept/chunks"), { recursive: true, encoding: "utf8" })
    .map((name) => work.at("kept/chunks", name))
    .filter((name) => statSync(name).isFile());
  const [piece = ""] = chunks;
  const whole = readFileSync(piece);
  const changed = Buffer.from(whole);
  changed[whole.length >> 1] = (changed[whole.length >> 1] as number) ^ 1;
  writeFileSync(piece, changed);
  expect(await backup("verify")).toMatchObject({ code: 1, json: { problems: [{ backup: id }] } });
  expect(await there("restore", id)).toMatchObject({ code: 1 });
  expect(subvolumesOf(other.path)).toEqual(partsOf());
  rmSync(piece);
  expect((await backup("verify", id)).stderr).toContain("cannot be restored");
  writeFileSync(piece, whole);
  expect(await backup("verify")).toMatchObject({ code: 0 });
  chmodSync(work.at("key"), 0o644);
  expect((await backup("list")).stderr).toContain("others than its owner can read it");
  chmodSync(work.at("key"), 0o600);
  writeFileSync(work.at("key"), `${"ab".repeat(32)}\n`);
  expect((await backup("list")).stderr).toContain("made with another key");
});

testWithS3("a bucket: the same, with credentials from the environment", async () => {
  using disk = mountTop();
  using other = mountTop();
  using work = createWorkspace();
  await using server = await startS3Server("machines");
  fillTree(disk.path);
  const config = work.at("backup.toml");
  const env = { AWS_ACCESS_KEY_ID: "id", AWS_SECRET_ACCESS_KEY: "a-secret-of-tests" };
  const backup = on(disk.path, config, env);
  const bucket = ["--bucket", "machines", "--endpoint", server.endpoint];
  await backup("init", ...bucket, "--key", work.at("key"));
  const first = await backup("create", "1");
  expect(first.stderr).toBe("");
  const second = await backup("create", "2");
  expect(second.json).toMatchObject({ parent: first.json["id"] });
  expect((await backup("verify")).json).toMatchObject({ problems: [] });
  const there = on(other.path, config, env);
  const restored = await there("restore", String(second.json["id"]));
  expect(restored.json).toMatchObject({ snapshots: [0, 1] });
  expectEqualSnapshots(disk.path, other.path, [
    [1, 0],
    [2, 1],
  ]);
  expect((await backup("status")).json).toMatchObject({ backups: 2, storage: "s3://machines/" });
  const nowhere = await on(disk.path, config, { ...env, AWS_ACCESS_KEY_ID: "" })("list");
  expect(nowhere.stderr).not.toContain("a-secret-of-tests");
});
