import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { APPLY_PACKAGES, type ApplyWorld, makeApplyWorld } from "../support/apply-world.ts";
import { type RunResult, runTool } from "../support/binary.ts";
import { cannotMount } from "../support/loop-filesystem.ts";
import { makeRepository } from "../support/pacman-repository.ts";
import { describeUnless, firstReason, needsProgram } from "../support/skip.ts";
import { createWorkspace, type Workspace } from "../support/workspace.ts";

setDefaultTimeout(60_000);

let work: Workspace;
let world: ApplyWorld;

const FIRST = `
[system]
hostname = "atlas"
timezone = "Europe/Berlin"
[packages]
official = ["editor"]
groups = ["web"]
[services]
enable = ["hello"]
[[users]]
name = "ada"
ssh_keys = ["ssh-ed25519 ${"A".repeat(68)} ada"]
password_hash = "$6$salt$0123456789abcdef"
[hooks]
pre_install = ["ls /usr/bin/editor > /etc/before 2>&1 || true"]
post_install = ["ls /usr/lib/rinit/hello.toml && id -u > /etc/after"]
`.replace('official = ["editor"]', 'official = ["editor", "hello"]');

async function good(...words: string[]): Promise<RunResult> {
  const result = await world.rastos(...words);
  expect({ words, code: result.code, stderr: result.stderr }).toMatchObject({ words, code: 0 });
  return result;
}

/** Snapshots, and what is in the folder for clones. */
function standing(): { readonly snapshots: number[]; readonly clones: string[] } {
  return {
    snapshots: world.state().snapshots.map(({ id }) => id),
    clones: readdirSync(`${world.top}/.snapshots/tmp`),
  };
}

const missing = firstReason(cannotMount("btrfs"), needsProgram("busybox", "unshare", "pacman"));

describeUnless(missing)("rastos apply, by the compiled executable", () => {
  beforeAll(() => {
    work = createWorkspace();
    world = makeApplyWorld(work.path);
  });
  afterAll(() => {
    world[Symbol.dispose]();
    work[Symbol.dispose]();
  });

  test("shows the whole difference and does nothing", async () => {
    const file = world.declare(FIRST);
    const { stdout } = await good("apply", file, "--dry-run");
    expect(stdout).toMatchInlineSnapshot(`
      "+ package editor 1.0-1 (806 B)
      + package hello 1.0-1 (855 B)
      + package library 1.0-1 (790 B)
      + package web-a 1.0-1 (798 B)
      + package web-b 1.0-1 (797 B)
      ~ host name lab → atlas
      + time zone Europe/Berlin
      + repositories +test
      + add the user ada: uid 1000, home /home/ada, shell /bin/sh
      + enable the service hello, once a package brings it
      + make the home folder /home/ada
      ~ 1 key that may log in as ada
      + keep the new system.toml
      ~ hooks: pre_install changed
      ~ hooks: post_install changed
      "
    `);
    const planned = await world.rastos("plan", file);
    expect(planned.code).toBe(1);
    expect(planned.stdout).toBe(stdout);
    expect(standing()).toEqual({ snapshots: [0], clones: [] });
  });

  test("asks, and without anybody to ask does nothing", async () => {
    const { code, stderr } = await world.rastos("apply", world.declare(FIRST));
    expect(code).toBe(1);
    expect(stderr).toContain("there is no terminal to ask on");
    expect(standing()).toEqual({ snapshots: [0], clones: [] });
  });

  test("makes a snapshot of it, and has it boot next", async () => {
    const file = world.declare(FIRST);
    const { stdout } = await good("apply", file, "--yes", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      schema: "rastos.apply/1",
      outcome: "applied",
      snapshot: 1,
      deployment: "rastos-1-1",
    });
    expect(stdout).not.toContain("$6$");
    expect(standing()).toEqual({ snapshots: [0, 1], clones: [] });
    const read = (path: string): string => readFileSync(world.at(1, path), "utf8");
    expect(read("etc/hostname")).toBe("atlas\n");
    expect(read("usr/bin/editor")).toBe("1");
    expect(read("usr/share/web-b")).toBe("b");
    expect(read("etc/before")).toContain("No such file");
    expect(read("etc/after")).toBe("0\n");
    expect(read("etc/rastos/system.toml")).toBe(readFileSync(file, "utf8"));
    expect(read("home/ada/.profile")).toBe("# profile\n");
    expect(statSync(world.at(1, "home/ada/.ssh/authorized_keys")).uid).toBe(1000);
    expect(existsSync(world.at(0, "usr/bin/editor"))).toBe(false);
    const snapshot = world.state().snapshots[1];
    // The record is for everybody to read, the copy in /etc for root alone.
    expect(snapshot?.system).toBe(
      readFileSync(file, "utf8").replace(/"\$6.*"/, '"(kept in /etc/rastos/system.toml)"'),
    );
    expect(statSync(world.at(1, "etc/rastos/system.toml")).mode & 0o777).toBe(0o600);
    expect(read("etc/shadow")).toContain("ada:$6$salt$");
    expect(snapshot?.description).toStartWith("system-2.toml: +editor, +hello, +web-a");
    expect(readdirSync(world.at(1, "dev"))).toEqual([]);
    expect(existsSync(`${world.esp}/loader/entries/rastos-1-1+3.conf`)).toBe(true);
  });

  test("a second time does nothing", async () => {
    const file = world.declare(FIRST);
    const { stderr } = await good("apply", file, "--yes");
    expect(stderr).toBe("Nothing to do: the system is what is declared\n");
    expect((await good("plan", file)).stderr).toBe("No difference to snapshot 1\n");
    // A comment is no difference.
    await good("apply", world.declare(`${FIRST}# comment\n`), "--yes");
    expect(standing()).toEqual({ snapshots: [0, 1], clones: [] });
  });

  test("takes back what is declared no more, and keeps what that needs", async () => {
    const text = FIRST.replace('"editor", "hello"', '"hello", "viewer"').replace(
      'groups = ["web"]\n',
      "",
    );
    const { stdout } = await good("apply", world.declare(text), "--yes", "--no-deploy");
    expect(stdout).toMatchInlineSnapshot(`
      "- package editor 1.0-1
      + package viewer 1.0-1 (806 B)
      - package web-a 1.0-1
      - package web-b 1.0-1
      ~ keep the new system.toml
      "
    `);
    expect(existsSync(world.at(2, "usr/bin/editor"))).toBe(false);
    expect(existsSync(world.at(2, "usr/share/web-a"))).toBe(false);
    expect(existsSync(world.at(2, "usr/lib/library"))).toBe(true);
    expect(world.state().deployments.map(({ snapshot }) => snapshot)).toEqual([1]);
    // Begins from what boots next, and finds that it has been made already.
    const { stderr } = await good("apply", world.declare(text), "--yes");
    expect(stderr).toBe("Deployed snapshot 2 as rastos-2-2: it boots next\n");
    expect(standing()).toEqual({ snapshots: [0, 1, 2], clones: [] });
  });

  test("brings all up to date when asked to", async () => {
    const newer = APPLY_PACKAGES.map((one) => ({ ...one, version: "2.0-1" }));
    makeRepository(world.repository, newer, { name: "test" });
    const text = FIRST.replace('"editor", "hello"', '"hello", "viewer"').replace(
      'groups = ["web"]\n',
      "",
    );
    expect((await good("apply", world.declare(text), "--yes")).stderr).toContain("Nothing to do");
    const { stdout } = await good("apply", world.declare(text), "--yes", "--upgrade");
    expect(stdout).toContain("~ package viewer 1.0-1 → 2.0-1");
    expect(standing().snapshots).toEqual([0, 1, 2, 3]);
  });
});

describeUnless(missing)("what fails changes nothing", () => {
  beforeAll(() => {
    work = createWorkspace();
    world = makeApplyWorld(work.path);
  });
  afterAll(() => {
    world[Symbol.dispose]();
    work[Symbol.dispose]();
  });

  const cases: Record<string, { readonly text: string; readonly says: string }> = {
    "a hook before": {
      text: '[hooks]\npre_install = ["echo what went wrong; exit 7"]\n',
      says: 'the hook "echo what went wrong; exit 7" has failed with exit code 7',
    },
    "a hook after": {
      text: '[packages]\nofficial = ["editor"]\n[hooks]\npost_install = ["nonesuch"]\n',
      says: 'the hook "nonesuch" has failed with exit code 127',
    },
    "a package that there is not": {
      text: '[packages]\nofficial = ["nonesuch"]\n',
      says: "nonesuch",
    },
    "a service that no package brings": {
      text: '[packages]\nofficial = ["hello"]\n[services]\nenable = ["helo"]\n',
      says: 'did you mean "hello"?',
    },
    "a time zone": { text: '[system]\ntimezone = "Europe/Berlim"\n', says: "Europe/Berlin" },
    "a key that there is not": { text: '[system]\nhostnam = "x"\n', says: "hostname" },
    "a package of the AUR": { text: '[packages]\naur = ["paru"]\n', says: "Cannot ask the AUR" },
  };
  for (const [name, { text, says }] of Object.entries(cases)) {
    test(name, async () => {
      const { code, stderr } = await world.rastos("apply", world.declare(text), "--yes");
      expect(code).toBeGreaterThan(0);
      expect(code).not.toBe(3);
      expect(stderr).toContain(says);
      expect(standing()).toEqual({ snapshots: [0], clones: [] });
      expect(existsSync(`${world.esp}/loader`)).toBe(false);
    });
  }

  test("a hook's output is shown", async () => {
    const text = '[hooks]\npre_install = ["echo what went wrong; exit 7"]\n';
    const { stderr } = await world.rastos("apply", world.declare(text), "--yes");
    expect(stderr.split("\n").slice(1)).toEqual([
      "  | what went wrong",
      "hint: nothing was changed; correct it and apply again",
      "",
    ]);
  });

  test("packages without a repository", async () => {
    const file = work.write("bare.toml", '[packages]\nofficial = ["editor"]\n');
    const { code, stderr } = await world.rastos("plan", file);
    expect(code).toBe(1);
    expect(stderr).toContain("declare one by [[repositories]]");
  });

  test("without a boot partition it is said before anything is done", async () => {
    const file = world.declare('[system]\nhostname = "x"\n');
    const { code, stderr } = await runTool("rastos", ["apply", file, "--yes", "--root", world.top]);
    expect(code).toBe(1);
    expect(stderr).toContain("--esp");
    expect(standing()).toEqual({ snapshots: [0], clones: [] });
  });
});

describeUnless(missing)("rastos migrate", () => {
  test("prints the system.toml of an old list", async () => {
    using own = createWorkspace();
    const path = own.write("list.toml", 'packages = [{ name = "vim" }]\npost_install = ["true"]\n');
    const { code, stdout, stderr } = await runTool("rastos", ["migrate", path]);
    expect(code).toBe(0);
    expect(stdout).toMatchInlineSnapshot(`
      "[packages]
      official = [
        "vim",
      ]

      [hooks]
      post_install = [
        "true",
      ]
      "
    `);
    expect(stderr).toContain("without a source, so taken from the repositories: vim");
    writeFileSync(path, stdout);
    expect((await runTool("rastos", ["migrate", path])).stderr).toContain("a system.toml already");
  });
});

describe("help", () => {
  test("names the commands", async () => {
    for (const name of ["apply", "plan", "migrate"]) {
      const { code, stdout } = await runTool("rastos", [name, "--help"]);
      expect(code).toBe(0);
      expect(stdout).toContain(`rastos ${name}`);
    }
  });
});
