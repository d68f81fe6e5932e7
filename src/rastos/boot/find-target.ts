import { existsSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { errno } from "../../../ffi/errno.ts";
import { mountFolder } from "../../../ffi/mount.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { must } from "../snapshot/fault.ts";
import { parseMounts } from "../snapshot/root.ts";
import { ENTRY_FOLDER } from "./entry.ts";
import { bootTargetOf, fatVolumeId } from "./target.ts";
import type { BootTarget } from "./types.ts";

/** Where boot partitions are usually mounted, the likeliest first. */
const PLACES = ["/efi", "/boot/efi", "/boot"];
/** Where we mount it ourselves, closed to everybody but root. */
const OWN_PLACE = "/run/rastos/esp";

/**
 * The boot partition: what `--esp` names, or that of the running system, which is mounted for
 * that where nobody has done so.
 *
 * @throws {Fault} E_NOT_FOUND, E_PRIVILEGE
 */
export function findBootTarget(options: {
  readonly esp: string | undefined;
  readonly isRunning: boolean;
}): BootTarget {
  if (options.esp !== undefined) return bootTargetOf(options.esp);
  if (!options.isRunning) {
    throw new Fault({
      code: "E_NOT_FOUND",
      message: "Cannot know the boot partition of a system that is not running",
      hint: "--esp takes the folder where it is mounted, or a disk image",
    });
  }
  return mountedTarget() ?? mountTarget();
}

function mountedTarget(): BootTarget | undefined {
  const mounts = parseMounts(readFileSync("/proc/self/mountinfo", "utf8"));
  const fat = new Set(mounts.filter(({ kind }) => kind === "vfat").map(({ place }) => place));
  const places = [...PLACES, OWN_PLACE].filter((place) => fat.has(place));
  const path = places.find((place) => existsSync(join(place, ENTRY_FOLDER))) ?? places[0];
  return path === undefined ? undefined : { kind: "folder", path };
}

/** By the serial number that the deployment's fstab names, or else the one with our entries. */
function mountTarget(): BootTarget {
  const wanted = /^UUID=([0-9A-Fa-f]{4}-[0-9A-Fa-f]{4})\s+\S+\s+vfat\s/m.exec(readFstab())?.[1];
  const device = fatDevices().find(({ id }) => wanted === undefined || id === wanted.toUpperCase());
  if (device === undefined) {
    throw new Fault({
      code: "E_NOT_FOUND",
      message:
        wanted === undefined
          ? "Cannot find a boot partition: no FAT file system is mounted, and none is on the disks"
          : `Cannot find the boot partition ${wanted}, which /etc/fstab names`,
      hint: "--esp takes the folder where it is mounted",
    });
  }
  mkdirSync("/run/rastos", { recursive: true, mode: 0o700 });
  mkdirSync(OWN_PLACE, { recursive: true, mode: 0o700 });
  const request = { device: device.path, place: OWN_PLACE, kind: "vfat", data: "umask=0077" };
  const mounted = mountFolder(request);
  // Two may do it at once; the second one takes what is there.
  if (mounted !== -errno.EBUSY || mountedTarget() === undefined) {
    must(mounted, `mount the boot partition "${device.path}"`);
  }
  return { kind: "folder", path: OWN_PLACE };
}

function readFstab(): string {
  try {
    return readFileSync("/etc/fstab", "utf8");
  } catch {
    return "";
  }
}

function fatDevices(): readonly { readonly path: string; readonly id: string }[] {
  const names = existsSync("/sys/class/block") ? readdirSync("/sys/class/block").sort() : [];
  return names.flatMap((name) => {
    const path = `/dev/${name}`;
    try {
      const id = fatVolumeId(path, 0);
      return id === undefined ? [] : [{ path, id }];
    } catch {
      return []; // no medium in it, or it is not for us
    }
  });
}
