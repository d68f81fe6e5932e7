import { afterAll, beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type ApplyWorld, makeApplyWorld } from "../support/apply-world.ts";
import { type RunResult, runTool } from "../support/binary.ts";
import { cannotMount } from "../support/loop-filesystem.ts";
import { describeUnless, firstReason, needsProgram } from "../support/skip.ts";
import { createWorkspace, type Workspace } from "../support/workspace.ts";

setDefaultTimeout(60_000);

let work: Workspace;
let world: ApplyWorld;

const DECLARED = `
[system]
hostname = "atlas"
[[users]]
name = "ada"
password_hash = "$6$salt$declared"
`;

async function good(...words: string[]): Promise<RunResult> {
  const result = await world.rastos(...words);
  expect({ words, code: result.code, stderr: result.stderr }).toMatchObject({ words, code: 0 });
  return result;
}

/** Makes a snapshot by a shell command in a clone of another one. */
async function change(snapshot: number, script: string): Promise<void> {
  const command = ["/bin/sh", "-c", script];
  const words = ["run", "--root", world.top, String(snapshot), ...command];
  expect((await runTool("rastos", words)).code).toBe(0);
}

/** A path in the newest deployment. */
function deployed(path: string): string {
  const folder = join(world.top, ".snapshots/deploy");
  const number = (name: string): number => Number(name.split("-")[2]);
  const [newest = ""] = readdirSync(folder).sort((a, b) => number(b) - number(a));
  return join(folder, newest, path);
}

const read = (path: string): string => readFileSync(deployed(path), "utf8");

const missing = firstReason(cannotMount("btrfs"), needsProgram("busybox", "unshare", "pacman"));

describeUnless(missing)("what is changed by hand, by the compiled executable", () => {
  beforeAll(async () => {
    work = createWorkspace();
    world = makeApplyWorld(work.path);
    await good("apply", world.declare(DECLARED), "--yes");
  });
  afterAll(() => {
    world[Symbol.dispose]();
    work[Symbol.dispose]();
  });

  test("goes along with what is applied, and a second apply does nothing", async () => {
    mkdirSync(deployed("etc/wifi"));
    writeFileSync(deployed("etc/wifi/home"), "psk\n", { mode: 0o600 });
    const shadow = read("etc/shadow");
    writeFileSync(deployed("etc/shadow"), shadow.replace("root:*", "root:$6$by$hand"));
    appendFileSync(deployed("etc/fstab"), "/dev/sdc /data ext4 defaults 0 2\n");
    const file = world.declare(`${DECLARED.replace("atlas", "borea")}[[users]]\nname = "carol"\n`);
    const { stderr } = await good("apply", file, "--yes");
    expect(stderr).toContain("made by hand in /etc of rastos-1-1 go along");
    expect(stderr).not.toContain("$6$");
    expect(read("etc/hostname")).toBe("borea\n");
    expect(read("etc/wifi/home")).toBe("psk\n");
    expect(read("etc/shadow")).toContain("root:$6$by$hand:");
    expect(read("etc/shadow")).toContain("carol:*:");
    expect(read("etc/fstab")).toContain("/dev/sdc /data ext4");
    expect(read("etc/fstab")).toContain("deploy-2-2 0 0");
    expect(readFileSync(world.at(2, "etc/shadow"), "utf8")).toContain("root:*:");
    const again = await good("apply", file, "--yes");
    expect(again.stderr).toBe("Nothing to do: the system is what is declared\n");
  });

  test("what is declared counts more, and that is said", async () => {
    const shadow = read("etc/shadow");
    writeFileSync(deployed("etc/shadow"), shadow.replace("$6$salt$declared", "$6$other"));
    writeFileSync(deployed("etc/hostname"), "by-hand\n");
    const plan = JSON.parse((await good("deploy", "--dry-run", "--json")).stdout);
    expect(plan.etc.map(({ path }: { path: string }) => path)).toContain("hostname");
    const made = await good("deploy");
    expect(made.stderr).toContain("system.toml counts: change the user ada: a new password");
    expect(made.stderr).toContain("system.toml counts: host name by-hand → borea");
    expect(read("etc/hostname")).toBe("borea\n");
    expect(read("etc/shadow")).toContain("ada:$6$salt$declared:");
    expect(read("etc/shadow")).toContain("root:$6$by$hand:");
    expect((await world.rastos("drift")).stdout).not.toContain("apply would");
  });

  test("of both mine is the file, the other one lies beside it, and reset drops it", async () => {
    writeFileSync(deployed("etc/motd"), "mine\n");
    await change(2, "echo theirs > /etc/motd");
    const made = JSON.parse((await good("deploy", "--json")).stdout);
    expect(made.etc).toContainEqual({
      path: "motd",
      action: "kept",
      text: "added by hand and in the new snapshot: yours stays",
      beside: "motd.rastos-new",
    });
    expect(read("etc/motd")).toBe("mine\n");
    expect(read("etc/motd.rastos-new")).toBe("theirs\n");
    const esp = ["--esp", world.esp];
    expect((await good("etc", "diff", ...esp)).stdout).toContain("M /etc/motd\n");
    await good("etc", "reset", "/etc/motd", "/etc/fstab", "--yes", ...esp);
    expect(read("etc/motd")).toBe("theirs\n");
    expect(existsSync(deployed("etc/motd.rastos-new"))).toBe(false);
    expect(read("etc/fstab")).not.toContain("/dev/sdc");
    expect(read("etc/fstab")).toContain("subvol=");
    const left = (await good("etc", "diff", ...esp)).stdout;
    expect(left).not.toContain("motd");
    expect(left).not.toContain("fstab");
  });

  test("stays behind where that is wanted; what is in /var is named", async () => {
    writeFileSync(deployed("etc/added"), "x");
    mkdirSync(deployed("var/lib/db"), { recursive: true });
    writeFileSync(deployed("var/lib/db/table"), "rows");
    const { stderr } = await good("deploy", "--no-etc");
    expect(stderr).toMatch(/stays in rastos-3-\d, and is not in the new one: \/var\/lib\/db\n/);
    expect(existsSync(deployed("etc/added"))).toBe(false);
  });

  test("a change that does not begin from the one before it says so", async () => {
    await good("users", "add", "dora");
    const { stderr } = await good("users", "add", "emil");
    expect(stderr).toMatch(/begins from snapshot 3, which boots next, and has nothing of what/);
    expect(stderr).toContain("--snapshot 4 begins from there");
    expect((await good("users", "add", "emil", "--snapshot", "4")).stderr).not.toContain("note:");
    await good("del", "4", "5", "6", "--tree", "--yes");
  });

  test("two accounts of one number are refused, and nothing is deployed", async () => {
    appendFileSync(deployed("etc/passwd"), "bob:x:1077:1077::/:/bin/sh\n");
    await change(3, "echo eve:x:1077:100::/:/bin/sh >> /etc/passwd");
    const before = readdirSync(join(world.top, ".snapshots/deploy"));
    const refused = await world.rastos("deploy");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('the account "bob" has the uid 1077 of "eve" in snapshot 7');
    expect(refused.stderr).toContain("--no-etc");
    expect(readdirSync(join(world.top, ".snapshots/deploy"))).toEqual(before);
    await good("deploy", "--no-etc");
  });

  test("without the snapshot that it was made of nobody can tell what was changed", async () => {
    const { defaultDeployment, deployments } = world.state();
    const { snapshot } = deployments.find(({ id }) => id === defaultDeployment) ?? {};
    await good("del", String(snapshot), "--force", "--yes");
    const refused = await world.rastos("deploy");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain(`its snapshot ${snapshot} is gone`);
    const hook = `${DECLARED}[hooks]\npre_install = ["touch /etc/ran"]\n`;
    const applied = await world.rastos("apply", world.declare(hook), "--yes", "-v");
    expect(applied.code).toBe(1);
    expect(applied.stderr).toContain("--no-etc");
    expect(applied.stderr).not.toContain("hook pre_install");
    await good("deploy", "--no-etc");
  });

  test("a rollback carries nothing", async () => {
    const etc = deployed("etc");
    writeFileSync(join(etc, "bad"), "x");
    await good("rollback", "1", "--yes");
    const first = join(world.top, ".snapshots/deploy/deploy-1-1/etc");
    if (existsSync(first)) expect(existsSync(join(first, "bad"))).toBe(false);
    expect(readFileSync(join(etc, "bad"), "utf8")).toBe("x");
  });
});
