import { linkSync, symlinkSync } from "node:fs";
import type { Workspace } from "./workspace.ts";

/** Seconds since 1970 that everything in a small system carries. */
export const SMALL_SYSTEM_SECONDS = 1_700_000_000;

/**
 * Writes the root of a system that is whole for images, and boots nowhere: a kernel, an initial
 * ram disk and a boot loader of a few bytes, users, files of all sizes, links.
 */
export function writeSmallSystem(work: Workspace, folder = "root"): string {
  const file = (path: string, content: string | Uint8Array, mode = 0o644): void => {
    work.write(`${folder}/${path}`, content, { mode, mtimeSeconds: SMALL_SYSTEM_SECONDS });
  };
  for (const path of ["dev", "proc", "sys", "run", "tmp", "root", "srv", "efi", "var/log"]) {
    work.folder(`${folder}/${path}`);
  }
  file("usr/lib/modules/6.1.0-small/vmlinuz", Buffer.alloc(100_000, "kernel"));
  file("usr/lib/modules/6.1.0-small/initramfs", Buffer.alloc(50_000, "initramfs"));
  file("usr/lib/systemd/boot/efi/systemd-bootx64.efi", Buffer.alloc(30_000, "loader"));
  file("etc/passwd", "root:x:0:0:root:/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh\n");
  file("etc/shadow", "root:!:19000::::::\n", 0o600);
  file("etc/machine-id", "0123456789abcdef0123456789abcdef\n");
  file("etc/ssh/ssh_host_ed25519_key", "secret of the builder\n", 0o600);
  file("etc/ssh/sshd_config", "# settings\n");
  file("etc/fstab", "tmpfs /scratch tmpfs size=1G 0 0\n");
  file("home/ada/hello.txt", "hello from ada\n");
  file("usr/bin/tool", "#!/bin/sh\n", 0o755);
  file("usr/share/empty", "");
  file("usr/share/small", "s".repeat(2048));
  file("usr/share/middle", Buffer.alloc(2049, "m"));
  file("usr/share/large", Buffer.alloc(3_000_001, "large "));
  file("usr/share/größe ü", "a name in UTF-8\n");
  file("var/lib/state", "state\n");
  file("var/log/build.log", "log of the builder\n");
  file("run/pid", "1\n");
  linkSync(work.at(folder, "usr/bin/tool"), work.at(folder, "usr/bin/tool-2"));
  symlinkSync("tool", work.at(folder, "usr/bin/link"));
  symlinkSync("usr/bin", work.at(folder, "bin"));
  return work.at(folder);
}
