import { mkdirSync, readFileSync, realpathSync } from "node:fs";
import { errno } from "../../../ffi/errno.ts";
import { mountFolder } from "../../../ffi/mount.ts";
import { Fault } from "../../kit/fault/fault.ts";
import { must } from "./fault.ts";
import { isTopLevel } from "./subvolume.ts";

/** A btrfs top level that is there as a folder. */
export interface OpenedRoot {
  /** Absolute path of the mounted top level (subvolid 5). */
  readonly path: string;
  /** Whether it belongs to the system that is running. */
  readonly isRunning: boolean;
}

const RUNNING_TOP = "/run/rastos/top";

/**
 * The top level to work on: the folder of `--root`, or that of the running system, which is mounted
 * at /run/rastos/top, closed to everybody but root, and stays mounted.
 *
 * @throws {Fault} E_PRIVILEGE, E_NEEDS_LINUX, E_NOT_FOUND, E_REFUSED where it is no btrfs top level
 */
export function openRoot(options: { readonly root: string | undefined }): OpenedRoot {
  requireRights();
  const { root } = options;
  if (root === undefined) return { path: mountRunning(), isRunning: true };
  const path = realPath(root);
  requireTopLevel(path);
  return { path, isRunning: false };
}

function requireRights(): void {
  if (process.platform !== "linux") {
    throw new Fault({ code: "E_NEEDS_LINUX", message: "Cannot work on snapshots: btrfs is Linux" });
  }
  if (process.geteuid?.() === 0) return;
  throw new Fault({
    code: "E_PRIVILEGE",
    message: "Cannot work on snapshots as an ordinary user",
    hint: "run it as root: sudo rastos …",
  });
}

function realPath(root: string): string {
  try {
    return realpathSync(root);
  } catch {
    throw new Fault({ code: "E_NOT_FOUND", message: `Cannot find the folder "${root}"` });
  }
}

function requireTopLevel(path: string): void {
  const why = whyNoTopLevel(path);
  if (why === undefined) return;
  throw new Fault({
    code: "E_REFUSED",
    message: `Cannot work on "${path}": ${why}`,
    hint: `--root takes the top level of a btrfs: mount -o subvolid=5 DEVICE FOLDER`,
  });
}

function whyNoTopLevel(path: string): string | undefined {
  try {
    return isTopLevel(path) ? undefined : "it is not the top level of its btrfs";
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    const name = error.details["errno"];
    if (name === "ENOTTY" || name === "EINVAL") return "it is not on a btrfs file system";
    if (name === "ENOTDIR") return "it is not a folder";
    throw error;
  }
}

function currentMounts(): Mount[] {
  return parseMounts(readFileSync("/proc/self/mountinfo", "utf8"));
}

function isMounted(mounts: readonly Mount[]): boolean {
  return mounts.some(({ place }) => place === RUNNING_TOP);
}

function mountRunning(): string {
  const mounts = currentMounts();
  if (isMounted(mounts)) return RUNNING_TOP;
  const root = mounts.findLast(({ place }) => place === "/");
  if (root?.kind !== "btrfs") {
    throw new Fault({
      code: "E_REFUSED",
      message: `Cannot work on the running system: it is on ${root?.kind ?? "nothing"}, no btrfs`,
      hint: "--root DIR works on the system in another folder, the mounted top level of a btrfs",
    });
  }
  mkdirSync("/run/rastos", { recursive: true, mode: 0o700 });
  mkdirSync(RUNNING_TOP, { recursive: true, mode: 0o700 });
  const { device } = root;
  const mounted = mountFolder({ device, place: RUNNING_TOP, kind: "btrfs", data: "subvolid=5" });
  // At the end of a boot there are two of us: the one that blesses may have been faster.
  if (mounted !== -errno.EBUSY || !isMounted(currentMounts())) {
    must(mounted, `mount "${device}" at "${RUNNING_TOP}"`);
  }
  requireTopLevel(RUNNING_TOP);
  return RUNNING_TOP;
}

/** A mount (proc_pid_mountinfo(5)). */
interface Mount {
  readonly place: string;
  readonly kind: string;
  readonly device: string;
}

/** The mounts in the text of /proc/self/mountinfo, those on top last. */
export function parseMounts(text: string): Mount[] {
  return text.split("\n").flatMap((line) => {
    const [before = "", after = ""] = line.split(" - ");
    const place = before.split(" ")[4];
    const [kind, device] = after.split(" ");
    if (place === undefined || kind === undefined || device === undefined) return [];
    return { place: unescapeOctal(place), kind, device: unescapeOctal(device) };
  });
}

function unescapeOctal(text: string): string {
  return text.replace(/\\([0-7]{3})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
