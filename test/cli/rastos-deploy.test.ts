import { afterAll, beforeAll, expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { copyEsp, problemsOf } from "../lab/system-check.ts";
import { type RunResult, runTool } from "../support/binary.ts";
import { makeDiskImage } from "../support/boot-image.ts";
import { type DeployWorld, makeDeployWorld } from "../support/deploy-world.ts";
import { cannotMount } from "../support/loop-filesystem.ts";
import { describeUnless, firstReason, needsProgram } from "../support/skip.ts";
import { createWorkspace, type Workspace } from "../support/workspace.ts";

let work: Workspace;
let world: DeployWorld;

/** Runs a command on the world, with its boot partition. */
async function rastos(...words: string[]): Promise<RunResult> {
  return await runTool("rastos", [...words, "--root", world.top, "--esp", world.esp]);
}

async function good(...words: string[]): Promise<RunResult> {
  const result = await rastos(...words);
  expect({ words, code: result.code, stderr: result.stderr }).toMatchObject({ words, code: 0 });
  return result;
}

const entryFiles = (): string[] => readdirSync(join(world.esp, "loader/entries")).sort();
const problems = (): readonly string[] => problemsOf({ top: world.top, esp: world.esp });

describeUnless(firstReason(cannotMount("btrfs"), needsProgram("mcopy", "sfdisk")))(
  "rastos deploy, by the compiled executable",
  () => {
    beforeAll(() => {
      work = createWorkspace();
      world = makeDeployWorld(work.path);
    });
    afterAll(() => {
      world[Symbol.dispose]();
      work[Symbol.dispose]();
    });

    test("says what it would do", async () => {
      const { stdout } = await good("deploy", "--dry-run");
      expect(stdout).toMatch(/^Would deploy snapshot 0 as rastos-0-1: 59 KiB of .* are free\n$/);
      expect(existsSync(join(world.esp, "loader"))).toBe(false);
    });

    test("deploys, and tells how it stands", async () => {
      const made = await good("deploy", "--json", "--tries", "2");
      expect(JSON.parse(made.stdout)).toMatchObject({
        schema: "rastos.deployment/1",
        entry: "rastos-0-1",
        state: "new",
      });
      expect(entryFiles()).toEqual(["rastos-0-1+2.conf"]);
      const { stdout } = await good("status");
      expect(stdout).toBe(
        [
          "Boots next rastos-0-1",
          "",
          "    ENTRY       STATE        KERNEL   DESCRIPTION",
          " *  rastos-0-1  new, 2 left  6.1.0-1  base",
          "",
        ].join("\n"),
      );
      expect(problems()).toEqual([]);
    });

    test("blesses what is well", async () => {
      work.write("good.toml", '[[check]]\ncommand = "true"\n');
      await good("boot", "bless", "1", "--health", work.at("good.toml"));
      expect(entryFiles()).toEqual(["rastos-0-1.conf"]);
    });

    test("what is not well is marked as bad, and status says why", async () => {
      await good("deploy", "0");
      work.write("bad.toml", 'timeout = 1\n[[check]]\nname = "web"\ncommand = "echo no; exit 3"\n');
      const bless = await rastos("boot", "bless", "0-2", "--health", work.at("bad.toml"));
      expect(bless.code).toBe(1);
      expect(bless.stderr).toContain('"web": it ended with 3');
      const { stdout } = await good("status", "--json");
      const status = JSON.parse(stdout);
      expect(status).toMatchObject({ schema: "rastos.status/1", next: "rastos-0-1" });
      expect(status.rolledBack).toEqual([
        { entry: "rastos-0-2", reason: 'health check failed: "web": it ended with 3' },
      ]);
      expect((await good("status")).stdout).toContain("Rolled back rastos-0-2: health check");
      expect(problems()).toEqual([]);
    });

    test("an entry that nobody blessed is told from one that was found bad", async () => {
      await good("deploy", "0");
      // As systemd-boot leaves it after three boots.
      const name = join(world.esp, "loader/entries/rastos-0-3");
      writeFileSync(`${name}+0-3.conf`, readFileSync(`${name}+3.conf`));
      await Bun.$`rm ${`${name}+3.conf`}`.quiet();
      expect((await good("status")).stdout).toContain(
        "rastos-0-3: it was started 3 times and never blessed",
      );
    });

    test("rolls back, asks before, and goes forth again", async () => {
      await good("deploy", "0", "--tries", "0");
      const asked = await rastos("rollback");
      expect(asked.code).toBe(1);
      expect(asked.stderr).toContain("there is no terminal to ask on");
      await good("rollback", "--yes", "--reason", "too slow");
      const { stdout } = await good("boot", "list", "--json");
      const lines = stdout
        .trim()
        .split("\n")
        .map((line) => JSON.parse(line));
      expect(lines.find(({ isNext }) => isNext).entry).toBe("rastos-0-1");
      expect(lines.find(({ entry }) => entry === "rastos-0-4")).toMatchObject({
        state: "bad",
        reason: "too slow",
      });
      await good("snapshot", "rollback", "4", "--yes");
      expect(JSON.parse((await good("status", "--json")).stdout).next).toBe("rastos-0-4");
      expect(problems()).toEqual([]);
    });

    test("removes a deployment, but not what boots next", async () => {
      const refused = await rastos("boot", "remove", "4", "--yes");
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain("it boots next");
      await good("boot", "remove", "3", "--yes");
      expect(existsSync(join(world.top, ".snapshots/deploy/deploy-0-3"))).toBe(false);
      expect(existsSync(join(world.esp, "EFI/rastos/0-3"))).toBe(false);
      expect(problems()).toEqual([]);
    });

    test("shows what was changed in etc, and takes it back", async () => {
      const etc = join(world.top, ".snapshots/deploy/deploy-0-4/etc");
      expect((await good("etc", "diff")).stdout).toBe("");
      writeFileSync(join(etc, "hostname"), "other\n");
      mkdirSync(join(etc, "new/folder"), { recursive: true });
      writeFileSync(join(etc, "new/folder/file"), "x");
      await Bun.$`rm -r ${join(etc, "kernel")}`.quiet();
      // A link in the place of a folder must not lead the reset to this machine's files.
      symlinkSync(work.folder("elsewhere"), join(etc, "kernel"));
      work.write("elsewhere/cmdline", "untouched");
      expect((await good("etc", "diff")).stdout).toBe(
        "M /etc/hostname\nM /etc/kernel\nA /etc/new\n",
      );
      expect((await rastos("etc", "reset", "/etc/fstab", "--yes")).code).toBe(1);
      await good("etc", "reset", "--yes");
      expect((await good("etc", "diff")).stdout).toBe("");
      expect(readFileSync(join(etc, "kernel/cmdline"), "utf8")).toContain("console=ttyS0");
      expect(readFileSync(work.at("elsewhere/cmdline"), "utf8")).toBe("untouched");
      expect(existsSync(join(etc, "new"))).toBe(false);
    });

    test("installs systemd-boot from the snapshot or from here", async () => {
      const here = existsSync("/usr/lib/systemd/boot/efi/systemd-bootx64.efi");
      const result = await rastos("boot", "install", "--timeout", "7");
      expect(result.code).toBe(here ? 0 : 1);
      if (!here) return;
      expect(readdirSync(join(world.esp, "EFI/BOOT"))).toEqual(["BOOTX64.EFI"]);
      expect(readFileSync(join(world.esp, "loader/loader.conf"), "utf8")).toContain("timeout 7");
      expect((await good("boot", "install")).stderr).toContain("up to date");
    });

    test("deploys to a disk image, where only files are at hand", async () => {
      const image = makeDiskImage(work.at("disk.img"), 64);
      const words = ["deploy", "--root", world.top, "--esp", image, "--loader", "grub"];
      expect((await runTool("rastos", words)).code).toBe(0);
      const esp = copyEsp(image, 2048 * 512, work.at("esp-copy"));
      expect(problemsOf({ top: world.top, esp })).toEqual([]);
      expect(readFileSync(join(esp, "grub/grub.cfg"), "utf8")).toContain("save_env rastos_0_5");
      const fstab = readFileSync(join(world.top, ".snapshots/deploy/deploy-0-5/etc/fstab"), "utf8");
      expect(fstab).toContain("UUID=1234-ABCD /efi vfat");
    });

    test("says what is missing", async () => {
      const noEsp = await runTool("rastos", ["deploy", "--root", world.top]);
      expect(noEsp.code).toBe(1);
      expect(noEsp.stderr).toContain("--esp takes the folder");
      const wrong = await runTool("rastos", ["status", "--root", work.path, "--esp", world.esp]);
      expect(wrong.code).toBe(1);
      expect(wrong.stderr).toContain("btrfs");
      work.write("wrong.toml", "[[check]]\ntcp = 'nothing'\n");
      const bless = await rastos(
        "boot",
        "bless",
        "4",
        "--dry-run",
        "--health",
        work.at("wrong.toml"),
      );
      expect(bless.code).toBe(1);
      expect(bless.stdout).toContain("rastos-0-4 is bad: Cannot use");
    });
  },
);
