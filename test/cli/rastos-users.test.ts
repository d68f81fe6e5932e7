import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readFileSync, statSync } from "node:fs";
import { createSubvolume } from "../../src/rastos/snapshot/subvolume.ts";
import { type ApplyWorld, makeApplyWorld } from "../support/apply-world.ts";
import { type RunResult, runTool } from "../support/binary.ts";
import { cannotMount } from "../support/loop-filesystem.ts";
import { describeUnless, firstReason, needsProgram, needsRoot } from "../support/skip.ts";
import { createWorkspace, type Workspace } from "../support/workspace.ts";

setDefaultTimeout(60_000);

const KEY = `ssh-ed25519 ${"A".repeat(68)} ada@box`;
const OTHER = `ssh-ed25519 ${"B".repeat(68)} ada@laptop`;
const HASH = "$6$salt$0123456789abcdefghijklmnop";

describeUnless(needsRoot())("rastos users, in a folder", () => {
  let work: Workspace;
  beforeAll(() => {
    work = createWorkspace();
    work.write("root/etc/passwd", "root:x:0:0::/root:/bin/sh\nhttp:x:33:33::/srv:/bin/false\n");
    work.write("root/etc/group", "root:x:0:\nhttp:x:33:\nwheel:x:998:\n");
    work.write("root/etc/shadow", "root:!:::::::\nhttp:!*:::::::\n", { mode: 0o600 });
    work.folder("root/home");
  });
  afterAll(() => work[Symbol.dispose]());

  const users = (words: readonly string[], stdin?: string): Promise<RunResult> =>
    runTool("rastos", ["users", ...words, "--root", work.at("root")], {
      ...(stdin === undefined ? {} : { stdin }),
    });
  const read = (path: string): string => readFileSync(work.at("root", path), "utf8");

  test("a dry run changes nothing", async () => {
    const { code, stdout } = await users(["add", "ada", "--dry-run"]);
    expect(code).toBe(0);
    expect(stdout).toBe(
      "Would add the user ada: uid 1000, home /home/ada, shell /bin/sh, no password\n" +
        "Would make the home folder /home/ada\n",
    );
    expect(existsSync(work.at("root/home/ada"))).toBe(false);
  });

  test("one is added, with groups, keys and a password that nobody sees", async () => {
    const key = work.write("key.pub", `${KEY}\n`);
    const words = ["add", "ada", "--group", "wheel", "--group", "new", "--key", key];
    const { code, stdout, stderr } = await users([...words, "--password-hash", "-"], `${HASH}\n`);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).not.toContain("$6$");
    expect(read("etc/passwd")).toContain("ada:x:1000:1000::/home/ada:/bin/sh\n");
    expect(read("etc/shadow")).toContain(`ada:${HASH}:::::::\n`);
    expect(read("etc/group")).toContain("wheel:x:998:ada\n");
    expect(read("home/ada/.ssh/authorized_keys")).toBe(`${KEY}\n`);
    expect(statSync(work.at("root/home/ada")).uid).toBe(1000);
  });

  test("they are listed", async () => {
    expect((await users(["list"])).stdout).toMatchInlineSnapshot(`
      "name   uid  groups         home       shell    password
      root     0  root           /root      /bin/sh  locked
      ada   1000  ada,wheel,new  /home/ada  /bin/sh  set
      "
    `);
    const { stdout } = await users(["list", "--all", "--json"]);
    const names = stdout
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line).name);
    expect(names).toEqual(["root", "http", "ada"]);
    expect(stdout).not.toContain("$6$");
  });

  test("keys come and go, and nothing else of the account changes", async () => {
    const before = read("etc/passwd") + read("etc/group") + read("etc/shadow");
    expect((await users(["keys", "add", "ada", OTHER])).code).toBe(0);
    expect(read("home/ada/.ssh/authorized_keys")).toBe(`${KEY}\n${OTHER}\n`);
    expect((await users(["keys", "add", "ada", OTHER])).stderr).toBe("Nothing to do\n");
    expect((await users(["keys", "remove", "ada", "ada@box"])).code).toBe(0);
    expect(read("home/ada/.ssh/authorized_keys")).toBe(`${OTHER}\n`);
    expect((await users(["keys", "remove", "ada", "nobody"])).stderr).toContain(
      "there is none such",
    );
    expect(read("etc/passwd") + read("etc/group") + read("etc/shadow")).toBe(before);
  });

  test("what cannot be is said", async () => {
    const cases: readonly (readonly [readonly string[], string])[] = [
      [["add", "ada"], "it is there already"],
      [["add", "bad name"], "must be made of a-z"],
      [["add", "bob", "--uid", "33"], 'it is "http"\'s'],
      [["add", "bob", "--key", "no key"], "it is no public key"],
      [["add", "bob", "--password-hash", work.write("plain", "hunter2")], "it holds no hash"],
      [["remove", "bob"], 'Cannot find the user "bob"'],
      [["remove", "http"], "an account of the system"],
      [["keys", "add", "bob", KEY], 'Cannot find the user "bob"'],
    ];
    const before = read("etc/passwd");
    for (const [words, says] of cases) {
      const { code, stderr } = await users(words);
      expect({ words, code }).not.toMatchObject({ code: 0 });
      expect(stderr).toContain(says);
      expect(stderr).not.toContain("hunter2");
    }
    expect(read("etc/passwd")).toBe(before);
  });

  test("one is removed, and the home folder stays", async () => {
    const { code, stdout } = await users(["remove", "ada"]);
    expect(code).toBe(0);
    expect(stdout).toBe("remove the user ada: its home /home/ada stays\n");
    expect(read("etc/passwd")).not.toContain("ada");
    expect(read("etc/group")).toContain("wheel:x:998:\n");
    expect(existsSync(work.at("root/home/ada/.ssh"))).toBe(true);
  });
});

const missing = firstReason(cannotMount("btrfs"), needsProgram("busybox"));

describeUnless(missing)("rastos users, in snapshots", () => {
  let work: Workspace;
  let world: ApplyWorld;
  beforeAll(() => {
    work = createWorkspace();
    world = makeApplyWorld(work.path);
  });
  afterAll(() => {
    world[Symbol.dispose]();
    work[Symbol.dispose]();
  });

  test("each change is a snapshot, and one that fails is none", async () => {
    const { stdout } = await world.rastos("users", "add", "ada", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ schema: "rastos.users/1", snapshot: 1 });
    expect(readFileSync(world.at(1, "etc/passwd"), "utf8")).toContain("ada:x:1000");
    expect(readFileSync(world.at(0, "etc/passwd"), "utf8")).not.toContain("ada");
    await world.rastos("users", "add", "ada", "--dry-run");
    expect((await world.rastos("users", "add", "ada")).code).toBe(1);
    expect(world.state().snapshots.length).toBe(2);
    const { stdout: listed } = await world.rastos("users", "list");
    expect(listed).toContain("ada");
    const { stdout: base } = await world.rastos("users", "list", "--snapshot", "0");
    expect(base).not.toContain("ada");
  });

  test("home folders that all snapshots share are where the account's is", async () => {
    createSubvolume(`${world.top}/home`);
    await world.rastos("users", "add", "bob", "--key", KEY);
    expect(statSync(`${world.top}/home/bob/.ssh/authorized_keys`).uid).toBe(1001);
    expect(existsSync(world.at(2, "home/bob"))).toBe(false);
    await world.rastos("users", "keys", "add", "bob", OTHER);
    expect(readFileSync(`${world.top}/home/bob/.ssh/authorized_keys`, "utf8")).toBe(
      `${KEY}\n${OTHER}\n`,
    );
    const { stdout } = await world.rastos("users", "keys", "list", "bob");
    expect(stdout).toBe(`${KEY}\n${OTHER}\n`);
    const json = await world.rastos("users", "keys", "list", "bob", "--json");
    expect(JSON.parse(json.stdout.split("\n")[1] ?? "")).toEqual({
      schema: "rastos.key/1",
      user: "bob",
      key: OTHER,
    });
    const none = await world.rastos("users", "keys", "list", "nobody-here");
    expect([none.code, none.stderr]).toEqual([1, expect.stringContaining("Cannot find the user")]);
  });
});

describe("help", () => {
  test("names the commands", async () => {
    const { stdout } = await runTool("rastos", ["users", "--help"]);
    for (const name of ["add", "remove", "list", "keys"]) expect(stdout).toContain(name);
  });
});
