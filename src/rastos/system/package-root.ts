import { join } from "node:path";
import { type RootPackageOptions, readRootOptions } from "../package/root-options.ts";
import { stateFolder } from "../snapshot/layout.ts";
import type { SystemConfig } from "./types.ts";

/**
 * The cache of package files beside the snapshots, of all of them.
 *
 * @param top the btrfs top level
 */
export function sharedPackageCache(top: string): string {
  return join(stateFolder(top), "packages");
}

/**
 * Where the packages of a clone come from: the declared repositories, or those of its own
 * etc/pacman.conf. Downloads are kept beside the snapshots, once for all of them, so that one that
 * is broken off goes on where it was.
 *
 * @param top the btrfs top level
 * @throws {Fault} E_CONFIG for what is wrong in the file
 */
export function packageRootOf(root: string, config: SystemConfig, top: string): RootPackageOptions {
  const own = readRootOptions({ root });
  const declared = config.repositories.map(({ name, servers, siglevel }) => ({
    name,
    servers,
    signatureLevel: siglevel,
  }));
  return {
    ...own,
    repositories: declared.length > 0 ? declared : own.repositories,
    cacheFolder: sharedPackageCache(top),
  };
}
