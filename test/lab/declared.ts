import { cpSync, mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { type SystemRepository, systemRepository } from "../support/system-repository.ts";
import type { Workspace } from "../support/workspace.ts";
import { output } from "./cache.ts";
import { GUEST_WORDS, type GuestDisk } from "./guest.ts";

/** Where a guest mounts the disk with the repository. */
export const GUEST_REPOSITORY = "/mnt/lab";

/** What a system.toml of the lab declares. */
export interface Declared {
  readonly hostname: string;
  /** Beside the base. */
  readonly packages: readonly string[];
  /** Services beside the console. */
  readonly services: readonly string[];
  readonly loader: "systemd-boot" | "grub";
  readonly servers: readonly string[];
  /** What [kernel] says of where it comes from; default: the repository's. */
  readonly kernel?: string;
}

const BASE = ["filesystem", "glibc", "busybox", "rastos", "lab-console"];

/** The text of a system.toml. */
export function systemToml(declared: Declared): string {
  const list = (names: readonly string[]): string => JSON.stringify(names);
  return [
    "[system]",
    `hostname = "${declared.hostname}"`,
    "[packages]",
    `official = ${list([...BASE, ...declared.packages])}`,
    "[[repositories]]",
    'name = "lab"',
    `servers = ${list(declared.servers)}`,
    'siglevel = "Never"',
    "[services]",
    `enable = ${list(["lab-console", ...declared.services])}`,
    "[kernel]",
    declared.kernel ?? 'package = "linux"',
    `cmdline = "${GUEST_WORDS} panic=1"`,
    "[boot]",
    `loader = "${declared.loader}"`,
    "timeout = 0",
    "tries = 2",
    "",
  ].join("\n");
}

/** A second disk for a guest: a btrfs with the repository and files beside it. */
export async function repositoryDisk(
  work: Workspace,
  files: Readonly<Record<string, string>>,
): Promise<{ readonly disk: GuestDisk; readonly repository: SystemRepository }> {
  const repository = await systemRepository();
  const folder = work.folder("repository");
  for (const name of readdirSync(repository.folder)) {
    // Big, and installed already.
    if (!/^(rastos|linux)-/.test(name)) cpSync(join(repository.folder, name), join(folder, name));
  }
  for (const [name, text] of Object.entries(files)) work.write(`repository/${name}`, text);
  mkdirSync(work.at("disks"), { recursive: true });
  const path = work.at("disks", "repository.img");
  output(["mkfs.btrfs", "-q", "-r", folder, path]);
  return { disk: { path, format: "raw" }, repository };
}
