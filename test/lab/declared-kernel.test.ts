import { expect } from "bun:test";
import { binaryPath, runCommand, toolEnvironment } from "../support/binary.ts";
import { needsKernelSource, realKernelSource } from "../support/kernel-source.ts";
import { firstReason, needsProgram, needsRoot, testUnless } from "../support/skip.ts";
import { systemRepository } from "../support/system-repository.ts";
import { createWorkspace, type Workspace } from "../support/workspace.ts";
import { labCache } from "./cache.ts";
import { systemToml } from "./declared.ts";
import { mountPartition, partitionsOf } from "./disk.ts";
import { firmwareVariables, Guest } from "./guest.ts";

/** A kernel that a system.toml declares by its profile: built by `apply`, deployed, booted. */

const LIMIT_MS = 3 * 3600 * 1000;
const needs = firstReason(
  process.env["TRIAD_LAB_KERNEL"] === "1" ? undefined : "needs TRIAD_LAB_KERNEL=1",
  needsRoot(),
  needsKernelSource(),
  needsProgram("qemu-system-x86_64", "mkfs.btrfs", "mcopy", "sfdisk", "losetup"),
  needsProgram("make", "gcc", "flex", "bison", "bc"),
);

testUnless(needs)(
  "a declared kernel is built, installed and booted, and not built again",
  async () => {
    using work = createWorkspace();
    const { servers } = await systemRepository();
    const declared = { loader: "systemd-boot", servers, services: ["hello-service"] } as const;
    const packages = ["hello-service"];
    const kernel = `profile = "tiny"\nsource = "${realKernelSource()}"`;
    work.write("old.toml", systemToml({ ...declared, hostname: "lab-old", packages }));
    work.write("new.toml", systemToml({ ...declared, hostname: "lab-new", packages, kernel }));
    const image = work.at("disk.raw");
    const sizes = ["--size", "4G", "--esp-size", "200M"];
    await rastos(work, ["image", "build", work.at("old.toml"), "-o", image, ...sizes]);
    {
      const partition = partitionsOf(image).at(-1);
      if (partition === undefined) throw new Error(`"${image}" has no partition`);
      const at = work.at("top");
      using mounted = mountPartition(image, partition, { at, mountOptions: "rw" });
      const place = ["--root", mounted.path, "--esp", image];
      await rastos(work, ["apply", work.at("new.toml"), ...place, "--yes"]);
      const plan = await rastos(work, ["plan", work.at("new.toml"), "--root", mounted.path]);
      expect(plan).not.toContain("linux-rastos-tiny");
    }
    await using guest = Guest.start({
      firmware: "uefi",
      variables: firmwareVariables(work.at("variables")),
      disks: [{ path: image, format: "raw" }],
      reboots: true,
    });
    await guest.waitForAll(["hello: this is lab-new", "lab: console lab-new\n"], {
      limitMs: 400_000,
    });
    const { output } = await guest.run("cat /usr/lib/modules/$(uname -r)/pkgbase");
    // What services say goes over the same console.
    expect(output.trim().split("\n")).toContain("linux-rastos-tiny");
  },
  LIMIT_MS,
);

async function rastos(work: Workspace, argv: readonly string[]): Promise<string> {
  const env = toolEnvironment({
    XDG_CACHE_HOME: work.at("cache"),
    CCACHE_DIR: labCache("ccache"),
  });
  const command = [await binaryPath("rastos"), ...argv];
  const { code, stdout, stderr } = await runCommand(command, { env, timeoutMs: LIMIT_MS });
  if (code !== 0) throw new Error(`rastos ${argv.join(" ")}: ${code}\n${stderr.slice(-6000)}`);
  return `${stdout}${stderr}`;
}
