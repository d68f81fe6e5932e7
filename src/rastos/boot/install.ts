import { Fault } from "../../kit/fault/fault.ts";
import { RootFolder } from "../../kit/fs/root-folder.ts";
import type { BootFiles } from "./boot-files.ts";
import { ensureLoaderConfig } from "./loader-conf.ts";

/** Where a package has systemd-boot, from a system's root. */
const SOURCE = "usr/lib/systemd/boot/efi/systemd-bootx64.efi";
/** Where firmware looks: by a variable, and without one. */
const PLACES = ["EFI/systemd/systemd-bootx64.efi", "EFI/BOOT/BOOTX64.EFI"];

/** What is installed, and where from. */
export interface InstallOptions {
  /** Folders of systems, the first one that has systemd-boot is taken: a snapshot, `/`. */
  readonly roots: readonly string[];
  /** Seconds for which the menu is shown; default: as it is, or 3. */
  readonly timeout?: number | undefined;
}

/**
 * Installs systemd-boot, or brings it up to date; a file that is the same already is not written.
 *
 * @returns the paths that were written
 * @throws {Fault} E_NOT_FOUND where none of the systems has it
 */
export function installSystemdBoot(files: BootFiles, options: InstallOptions): readonly string[] {
  const program = readLoader(options.roots);
  const stale = PLACES.filter((path) => {
    const old = files.read(path);
    return old === undefined || Buffer.compare(old, program) !== 0;
  });
  for (const path of stale) files.write(path, program);
  ensureLoaderConfig(files, options.timeout);
  return stale;
}

function readLoader(roots: readonly string[]): Buffer {
  for (const path of roots) {
    using root = RootFolder.open(path);
    const bytes = root.read(SOURCE);
    if (bytes !== undefined) return bytes;
  }
  throw new Fault({
    code: "E_NOT_FOUND",
    message: `Cannot find systemd-boot: there is no "${SOURCE}" in "${roots.join('", "')}"`,
    hint: "install the package systemd (Debian: systemd-boot-efi) into the snapshot, or here",
  });
}
