import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { runCommand } from "./binary.ts";
import { firstReason, needsProgram, needsRoot } from "./skip.ts";
import { createWorkspace } from "./workspace.ts";

/**
 * A file system that takes no notice of case; the kernel here has neither exFAT nor FAT, so it is
 * mounted by its program in user space.
 */
export const exfatMissing = firstReason(
  needsRoot(),
  needsProgram("mkfs.exfat", "mount.exfat-fuse", "losetup", "umount"),
);

async function must(...argv: string[]): Promise<string> {
  const done = await runCommand(argv, {
    env: { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` },
  });
  if (done.code !== 0) throw new Error(`${argv.join(" ")}: ${done.stderr}`);
  return done.stdout.trim();
}

/** Runs `body` with a fresh exFAT file system mounted. */
export async function withExfat(
  body: (mount: string, folder: string) => Promise<void>,
): Promise<void> {
  using workspace = createWorkspace();
  const image = workspace.at("image");
  const mount = workspace.at("mount");
  mkdirSync(mount);
  writeFileSync(image, "");
  truncateSync(image, 32 * 1024 * 1024);
  await must("mkfs.exfat", image);
  const device = await must("losetup", "-f", "--show", image);
  try {
    await must("mount.exfat-fuse", device, mount);
    try {
      await body(mount, workspace.path);
    } finally {
      await must("umount", mount);
    }
  } finally {
    await must("losetup", "-d", device);
  }
}
