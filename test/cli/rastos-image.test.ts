import { beforeAll, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  truncateSync,
} from "node:fs";
import { join } from "node:path";
import { binaryPath, runCommand, runTool } from "../support/binary.ts";
import { nobody } from "../support/nobody.ts";
import { firstReason, needsProgram, testUnless } from "../support/skip.ts";
import { writeSmallSystem } from "../support/small-system.ts";
import { createWorkspace, type Workspace } from "../support/workspace.ts";

const needed = needsProgram("sfdisk", "mkfs.vfat", "mcopy", "mdir", "btrfs");
const MIB = 1024 ** 2;
const SMALL = ["--size", "512M", "--esp-size", "64M"];

beforeAll(async () => {
  await binaryPath();
}, 120_000);

async function build(work: Workspace, output: string, ...flags: readonly string[]) {
  const args = ["image", "build", "--base", work.at("root"), "-o", output, ...SMALL, ...flags];
  return await runTool("rastos", args);
}

testUnless(needed)(
  "an image holds what was put in, by other people's tools",
  async () => {
    using work = createWorkspace();
    writeSmallSystem(work);
    const image = work.at("disk.raw");
    const built = await build(work, image, "--json");
    expect(built.stderr).not.toContain("error");
    expect(built.code).toBe(0);
    const facts = JSON.parse(built.stdout);
    expect(facts).toMatchObject({
      schema: "rastos.image/1",
      sizeBytes: 512 * MIB,
      kernelVersion: "6.1.0-small",
      boots: ["uefi"],
    });
    const table = JSON.parse(await output(["sfdisk", "--json", image])).partitiontable;
    expect(table.label).toBe("gpt");
    const [, esp, root] = table.partitions;
    const files = await output(["mdir", "-/", "-b", "-i", `${image}@@${esp.start * 512}`, "::"]);
    expect(
      files
        .trim()
        .split("\n")
        .filter((line) => !line.endsWith("/"))
        .sort(),
    ).toEqual([
      "::/EFI/BOOT/BOOTX64.EFI",
      "::/EFI/rastos/0-1/initrd",
      "::/EFI/rastos/0-1/vmlinuz",
      "::/EFI/systemd/systemd-bootx64.efi",
      "::/loader/entries/rastos-0-1.conf",
      "::/loader/loader.conf",
    ]);
    const entry = await output([
      ...["mtype", "-i", `${image}@@${esp.start * 512}`],
      "::/loader/entries/rastos-0-1.conf",
    ]);
    const subvolume = "rootflags=subvol=.snapshots/deploy/deploy-0-1";
    expect(entry).toContain(`options    root=UUID=${facts.filesystemUuid} ${subvolume} rw`);
    const filesystem = work.at("btrfs");
    await output([
      ...["dd", `if=${image}`, `of=${filesystem}`, "bs=1M", "conv=sparse", "status=none"],
      ...[`skip=${(root.start * 512) / MIB}`, `count=${(root.size * 512) / MIB}`],
    ]);
    expect(await output(["btrfs", "check", "--check-data-csum", filesystem])).toContain("no error");
    mkdirSync(work.at("restored"));
    await output(["btrfs", "restore", "-s", "-S", "-m", filesystem, work.at("restored")]);
    const at = (path: string): string => work.at("restored", path);
    const deployed = at(".snapshots/deploy/deploy-0-1");
    for (const path of [
      "usr/share/large",
      "usr/share/größe ü",
      "usr/bin/tool-2",
      "var/lib/state",
    ]) {
      expect(readFileSync(join(deployed, path)).equals(readFileSync(work.at("root", path)))).toBe(
        true,
      );
    }
    expect(readFileSync(at("home/ada/hello.txt"), "utf8")).toBe("hello from ada\n");
    expect(statSync(at(".snapshots")).mode & 0o777).toBe(0o700);
    expect(readdirSync(at(".snapshots/etc/etc-0/ssh"))).toEqual(["sshd_config"]);
    expect(readFileSync(join(deployed, "etc/fstab"), "utf8")).toContain("tmpfs /scratch");
    expect(readFileSync(join(deployed, "etc/machine-id"), "utf8")).toBe("");
    const state = JSON.parse(readFileSync(at(".snapshots/state/state.json"), "utf8"));
    expect(state.deployments).toMatchObject([{ entry: "rastos-0-1", state: "good" }]);
    const inspected = await runTool("rastos", ["image", "inspect", image]);
    expect(inspected.stdout).toContain("boots rastos-0-1: rastOS 0-1: base");
  },
  180_000,
);

testUnless(firstReason(needed, nobody.reason))(
  "another time zone, umask, folder, moment and user: the same bytes",
  async () => {
    using work = createWorkspace();
    chmodSync(work.path, 0o755);
    writeSmallSystem(work);
    expect((await build(work, work.at("a.raw"))).code).toBe(0);
    const triad = work.at("bin/triad");
    mkdirSync(work.at("bin"));
    copyFileSync(await binaryPath("triad"), triad);
    symlinkSync("triad", work.at("bin/rastos"));
    // As nobody's own files: they count as root's then.
    await output(["cp", "-a", work.at("root"), work.at("copy")]);
    mkdirSync(work.at("other"));
    await output([
      "chown",
      "-R",
      "--no-dereference",
      "nobody:nogroup",
      work.at("copy"),
      work.at("other"),
    ]);
    await output(["chown", "-R", "1000:1000", work.at("root/home/ada")]);
    expect((await build(work, work.at("b.raw"), "-q")).code).toBe(0);
    const drop = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    const args = [
      "image",
      "build",
      "--base",
      work.at("copy"),
      "-o",
      work.at("other/c.raw"),
      ...SMALL,
    ];
    const words = [work.at("bin/rastos"), ...args].map((word) => `'${word}'`).join(" ");
    const third = await runCommand([...drop, "sh", "-c", `umask 077; exec ${words}`], {
      cwd: "/",
      env: { TZ: "Asia/Tokyo", LANG: "de_DE.UTF-8", HOME: "/nonexistent" },
    });
    expect(third.stderr).not.toContain("error");
    expect(await equal(work.at("b.raw"), work.at("other/c.raw"))).toBe(true);
    // Ada's files were root's in the first one.
    expect(await equal(work.at("a.raw"), work.at("b.raw"))).toBe(false);
  },
  180_000,
);

testUnless(firstReason(needed, needsProgram("qemu-img")))(
  "QCOW2 holds the same disk",
  async () => {
    using work = createWorkspace();
    writeSmallSystem(work);
    await build(work, work.at("disk.raw"));
    expect((await build(work, work.at("disk.qcow2"))).code).toBe(0);
    const compared = [
      "compare",
      "-f",
      "raw",
      "-F",
      "qcow2",
      work.at("disk.raw"),
      work.at("disk.qcow2"),
    ];
    expect(await output(["qemu-img", ...compared])).toContain("identical");
    const converted = ["image", "convert", work.at("disk.raw"), work.at("again.qcow2")];
    expect((await runTool("rastos", converted)).code).toBe(0);
    expect(await equal(work.at("disk.qcow2"), work.at("again.qcow2"))).toBe(true);
  },
  180_000,
);

testUnless(needed)(
  "an image that fails leaves nothing, and one that is there stays",
  async () => {
    using work = createWorkspace();
    writeSmallSystem(work);
    const before = readdirSync(work.path);
    const small = await build(work, work.at("disk.raw"), "--size", "300M");
    expect(small).toMatchObject({ code: 1 });
    expect(small.stderr).toContain("Cannot divide 300 MiB: 323 MiB are needed");
    work.write("root/usr/share/huge", Buffer.alloc(400 * MIB));
    const full = await build(work, work.at("disk.raw"));
    expect(full.stderr).toContain("Cannot make a file system of 445 MiB: what goes in needs");
    expect(readdirSync(work.path)).toEqual(before);
    work.write("disk.raw", "precious");
    const taken = await build(work, work.at("disk.raw"));
    expect(taken.stderr).toContain("there is something of that name");
    Bun.spawnSync(["mkfifo", work.at("pipe.raw")]);
    const device = await build(work, work.at("pipe.raw"), "--force");
    expect([device.code, device.stderr]).toEqual([1, expect.stringContaining("it is no file")]);
    expect(lstatSync(work.at("pipe.raw")).isFIFO()).toBe(true);
    expect(readFileSync(work.at("disk.raw"), "utf8")).toBe("precious");
  },
  180_000,
);

testUnless(needed)(
  "killed anywhere: the old image or the new one, and leftovers go",
  async () => {
    using work = createWorkspace();
    writeSmallSystem(work);
    work.write("root/usr/share/bulk", Buffer.alloc(60 * MIB, "bulk "));
    const image = work.at("disk.raw");
    expect((await build(work, image)).code).toBe(0);
    const copy = work.at("copy.raw");
    await output(["cp", "--sparse=always", image, copy]);
    const command = [await binaryPath("rastos"), "image", "build", "--base", work.at("root")];
    const flags = ["-o", image, ...SMALL, "--force"];
    for (const [signal, afterMs] of [
      ["SIGKILL", 150],
      ["SIGKILL", 400],
      ["SIGINT", 0],
    ] as const) {
      const child = Bun.spawn([...command, ...flags], { stdout: "ignore", stderr: "ignore" });
      // A signal before it listens for one ends it at once, and says nothing about tidying up.
      if (signal === "SIGINT") while (!isWriting(work, child)) await Bun.sleep(2);
      else await Bun.sleep(afterMs);
      child.kill(signal);
      await child.exited;
      expect(await equal(image, copy)).toBe(true);
      if (signal === "SIGINT") expect(leftovers(work)).toEqual([]);
    }
    expect((await build(work, image, "--force")).code).toBe(0);
    expect(leftovers(work)).toEqual([]);
    expect(await equal(image, copy)).toBe(true);
  },
  180_000,
);

test("what cannot be built is said before anything is done", async () => {
  using work = createWorkspace();
  const at = (text: string): string => work.write("system.toml", text);
  const attempt = async (...args: readonly string[]): Promise<string> =>
    (await runTool("rastos", ["image", "build", "-o", work.at("disk.raw"), ...args])).stderr;
  expect(await attempt()).toContain("Cannot build an image of nothing");
  expect(await attempt("--base", work.at("gone"))).toContain("no such folder");
  expect(await attempt(at('[packages]\naur = ["yay"]\n'))).toContain(
    '"yay" is a package of the AUR',
  );
  expect(await attempt(at('[packages]\nofficial = ["vim"]\n'))).toContain("names no repository");
  expect(await attempt("--size", "much", at(""))).toContain('Cannot use "much" as --size');
  expect(await attempt("--base", work.folder("empty"))).toContain("Cannot find a kernel");
  expect(existsSync(work.at("disk.raw"))).toBe(false);
});

testUnless(needed)("a dry run shows the disk and writes none", async () => {
  using work = createWorkspace();
  writeSmallSystem(work);
  const shown = await build(work, work.at("disk.raw"), "--dry-run");
  expect(shown.code).toBe(0);
  expect(shown.stdout).toContain("kernel          6.1.0-small");
  expect(existsSync(work.at("disk.raw"))).toBe(false);
});

testUnless(needed)(
  "a disk is installed to when its name is typed, or with --yes",
  async () => {
    using work = createWorkspace();
    writeSmallSystem(work);
    const disk = work.write("disk");
    truncateSync(disk, 512 * MIB);
    const base = ["image", "install", disk, "--base", work.at("root"), "--esp-size", "64M"];
    const flags = ["--work", work.path, "--seed", "test"];
    const run = async (...more: readonly string[]) =>
      await runTool("rastos", [...base, ...flags, ...more]);
    const shown = await run("--dry-run");
    expect(shown.stdout).toContain("now   empty");
    expect(shown.stdout).toContain("then  partition 3 of 445 MiB: btrfs");
    expect((await run()).stderr).toContain("there is no terminal");
    // Nothing has been written: the file is one hole.
    expect(statSync(disk).blocks).toBe(0);
    const done = await run("--yes");
    expect(done.stderr).toContain("Installed onto");
    const found = await runTool("rastos", ["image", "inspect", "--json", disk]);
    expect(JSON.parse(found.stdout).entries[0].name).toBe("rastos-0-1");
    const again = await run("--yes");
    expect(again.stderr).toContain('partition 3 of 445 MiB (btrfs "rastos")');
    expect(again.stderr).toContain("--wipe removes all of it for good");
    expect((await run("--yes", "--wipe")).code).toBe(0);
  },
  180_000,
);

/** Whether a build has begun to write its disk, or has ended. */
function isWriting(work: Workspace, { pid, exitCode }: Bun.Subprocess): boolean {
  const folder = leftovers(work).find((name) => name.includes(`.work-${pid}-`));
  return exitCode !== null || (folder !== undefined && existsSync(work.at(folder, "disk.raw")));
}

function leftovers(work: Workspace): readonly string[] {
  return readdirSync(work.path).filter((name) => name.startsWith("."));
}

async function output(command: readonly string[]): Promise<string> {
  const path = `${process.env["PATH"]}:/usr/sbin:/sbin`;
  const { code, stdout, stderr } = await runCommand(command, { env: { PATH: path } });
  if (code !== 0) throw new Error(`${command.join(" ")}: ${stderr}`);
  return stdout + stderr;
}

async function equal(a: string, b: string): Promise<boolean> {
  return (await runCommand(["cmp", "-s", a, b])).code === 0;
}
