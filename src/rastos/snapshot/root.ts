import { Fault } from "../../kit/fault/fault.ts";

/** A btrfs top level that is there as a folder. */
export interface OpenedRoot {
  /** Absolute path of the mounted top level (subvolid 5). */
  readonly path: string;
  /** Whether it belongs to the system that is running. */
  readonly isRunning: boolean;
}

/**
 * The top level to work on: the folder of `--root`, or that of the running system, which is mounted
 * at /run/rastos/top, closed to everybody but root, and stays mounted.
 *
 * @throws {Fault} E_PRIVILEGE, E_NEEDS_LINUX, E_NOT_FOUND, E_REFUSED where it is no btrfs top level
 */
export function openRoot(options: { readonly root: string | undefined }): OpenedRoot {
  const { root } = options;
  if (root === undefined) throw new Fault({ code: "E_NOT_BUILT", message: "Not yet" });
  return { path: root, isRunning: false };
}
