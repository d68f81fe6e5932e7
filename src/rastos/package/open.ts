import { openAlpm } from "../../../ffi/alpm/library.ts";
import { AlpmManager } from "./alpm/manager.ts";
import { PacmanManager } from "./pacman/manager.ts";
import type { PackageManager, PackageRootOptions } from "./types.ts";

/** What openPackageManager needs beside the root. */
export interface OpenOptions {
  /** Takes this one, in place of the best that there is. */
  readonly kind?: PackageManager["kind"];
  /** Ends a transaction in good order: after the package that it is at. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * The package manager of a root: by libalpm where it is installed in a version that is known (13 to
 * 15), else by the pacman command. Opens nothing yet: each call does, and closes it again.
 *
 * @throws {Fault} E_NOT_FOUND where there is neither
 */
export function openPackageManager(
  options: PackageRootOptions,
  how: OpenOptions = {},
): PackageManager {
  const kind = how.kind ?? (openAlpm() === undefined ? "pacman" : "libalpm");
  return kind === "libalpm"
    ? new AlpmManager(options, how.signal)
    : new PacmanManager(options, how.signal);
}
