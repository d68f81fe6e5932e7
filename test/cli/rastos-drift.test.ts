import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { appendFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type ApplyWorld, makeApplyWorld } from "../support/apply-world.ts";
import { runTool } from "../support/binary.ts";
import { cannotMount } from "../support/loop-filesystem.ts";
import { describeUnless, firstReason, needsProgram } from "../support/skip.ts";
import { createWorkspace, type Workspace } from "../support/workspace.ts";

setDefaultTimeout(60_000);

const TEXT = `
[system]
hostname = "atlas"
[packages]
official = ["editor", "hello"]
[services]
enable = ["hello"]
[[users]]
name = "ada"
ssh_keys = ["ssh-ed25519 ${"A".repeat(68)} ada"]
[boot]
tries = 0
`;

const missing = firstReason(cannotMount("btrfs"), needsProgram("busybox", "pacman"));

describeUnless(missing)("rastos drift", () => {
  let work: Workspace;
  let world: ApplyWorld;
  beforeAll(async () => {
    work = createWorkspace();
    world = makeApplyWorld(work.path);
  });
  afterAll(() => {
    world[Symbol.dispose]();
    work[Symbol.dispose]();
  });

  test("of a system that nobody has declared there is none", async () => {
    const { code, stderr } = await world.rastos("drift");
    expect(code).toBe(1);
    expect(stderr).toContain("nobody has declared it yet");
  });

  test("there is none after an apply", async () => {
    const { code, stderr } = await world.rastos("apply", world.declare(TEXT), "--yes");
    expect({ code, stderr }).toMatchObject({ code: 0 });
    const result = await world.rastos("drift");
    expect(result).toMatchObject({ code: 0, stdout: "" });
    expect(result.stderr).toContain("No drift: rastos-1-1");
    expect((await world.rastos("drift", "--snapshot", "1")).code).toBe(0);
  });

  test("what was changed by hand in a deployment is told", async () => {
    const root = join(world.top, ".snapshots/deploy/deploy-1-1");
    writeFileSync(join(root, "etc/hostname"), "other\n");
    writeFileSync(join(root, "etc/extra"), "");
    appendFileSync(join(root, "home/ada/.ssh/authorized_keys"), "ssh-ed25519 evil\n");
    rmSync(join(root, "etc/rinit/enabled/hello.toml"));
    const place = ["--root", root, "--yes"];
    const removed = await runTool("rastos", ["packages", "remove", "editor", ...place]);
    expect(removed).toMatchObject({ code: 0 });
    const added = await runTool("rastos", ["packages", "install", "viewer", ...place]);
    expect(added).toMatchObject({ code: 0 });
    const { code, stdout } = await world.rastos("drift");
    expect(code).toBe(1);
    expect(stdout).toMatchInlineSnapshot(`
      "- package editor: declared, missing
      + package viewer: installed by name, not declared
      ~ hostname: apply would set host name other → atlas
      ~ services: apply would enable the service hello
      ~ ssh keys: apply would set 1 key that may log in as ada
      + /etc/extra
      ~ /etc/hostname
      - /etc/rinit/enabled/hello.toml
      "
    `);
    const { stdout: json } = await world.rastos("drift", "--json");
    expect(JSON.parse(json)).toMatchObject({
      schema: "rastos.drift/1",
      deployment: "rastos-1-1",
      missing: ["editor"],
      undeclared: ["viewer"],
    });
    // The snapshot itself is as it was.
    expect((await world.rastos("drift", "--snapshot", "1")).code).toBe(0);
  });

  test("rastos system info knows the tree", async () => {
    const { code, stdout } = await world.rastos("system", "info", "--json");
    expect(code).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      schema: "rastos.system/1",
      tree: { snapshots: 2, deployments: 1, booted: null, next: "rastos-1-1" },
    });
    expect((await world.rastos("system", "info")).stdout).toContain("2 snapshots, 1 deployed");
  });
});

describe("rastos system info", () => {
  test("tells of the machine, also without a tree and without being root", async () => {
    const { code, stdout, stderr } = await runTool("rastos", ["system", "info"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    for (const name of ["host", "kernel", "memory", "tree", "triad"])
      expect(stdout).toContain(name);
  });
});
