import { cpSync, mkdirSync, readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { unpackedPackage } from "../lab/cache.ts";
import { labKernel } from "../lab/kernel.ts";

/** What the console shows when a {@link makeTinySystem} has come up. */
export const TINY_MARKER = "tiny: up";

/**
 * A system of a kernel and busybox in a folder, smaller than anything that packages make. Its init
 * says who it is (the file etc/name), runs the lines of etc/tiny, and turns the machine off.
 */
export function makeTinySystem(folder: string, name: string): string {
  const kernel = labKernel("cloud");
  const folders = "usr/bin usr/lib/modules etc var/log dev proc sys run tmp home root srv";
  for (const path of folders.split(" ")) mkdirSync(join(folder, path), { recursive: true });
  for (const path of ["bin", "sbin"]) symlinkSync("usr/bin", join(folder, path));
  cpSync(busyboxPath(), join(folder, "usr/bin/busybox"));
  symlinkSync("busybox", join(folder, "usr/bin/sh"));
  const modules = join(folder, "usr/lib/modules", kernel.version);
  cpSync(join(kernel.root, "lib/modules", kernel.version), modules, { recursive: true });
  cpSync(kernel.image, join(modules, "vmlinuz"));
  writeFileSync(join(folder, "etc/name"), `${name}\n`);
  writeFileSync(join(folder, "usr/bin/init"), TINY_INIT, { mode: 0o755 });
  return folder;
}

/** The static busybox of Debian's package. */
function busyboxPath(): string {
  const root = unpackedPackage("busybox-static");
  const folder = ["bin", "usr/bin"].find((path) => readdirSync(root).includes(path.split("/")[0]!));
  return join(root, folder ?? "bin", "busybox");
}

const TINY_INIT = `#!/bin/busybox sh
export PATH=/usr/bin
/bin/busybox mkdir -p /run/bin
/bin/busybox --install -s /run/bin
export PATH=/usr/bin:/run/bin
exec </dev/console >/dev/console 2>&1
echo "${TINY_MARKER} $(cat /etc/name) $(grep -o 'subvol=[^ ,]*' /proc/cmdline)"
[ ! -f /etc/tiny ] || sh /etc/tiny
sync
poweroff -f
`;
